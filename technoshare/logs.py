"""Logging: one line an event, as text or JSON, with everything that looks like a secret masked."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from typing import Literal

from technoshare.credentials import without_credentials

_SECRETS = re.compile(
    r"xox[abeoprs]-[\w-]+|xapp-[\w-]+|sk-[\w-]{8,}|gh[opsu]_\w{8,}|github_pat_\w+"
    r"|(?<=ticket=)[\w-]+|(?i:(?<=bearer ))[\w.-]{8,}"
)
MASK = "[secret]"
_SHORTEST = 8  # characters of a secret of ours that is looked for; a shorter one would be a word of any line


def scrub(text: str, own: Iterable[str] = ()) -> str:
    """Return `text` with tokens, keys, socket tickets, credentials in addresses and our `own` secrets masked."""
    for secret in own:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, MASK)
    return without_credentials(_SECRETS.sub(MASK, text))


class _Text(logging.Formatter):
    own: tuple[str, ...] = ()

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record), self.own)


class _Json(logging.Formatter):
    own: tuple[str, ...] = ()

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # Each text by itself: a mask over the whole line could take a quote with it.
        clean = {name: scrub(text, self.own) for name, text in line.items()}
        return json.dumps(clean, ensure_ascii=False)


def start_logging(level: str, style: Literal["text", "json"], own: tuple[str, ...] = ()) -> None:
    """Send this program's log to standard error, without our `own` secrets.

    Vendors speak from WARNING on, since at DEBUG they print payloads.
    """
    handler = logging.StreamHandler(sys.stderr)
    formatter = _Json() if style == "json" else _Text("%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    formatter.own = own
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("technoshare").setLevel(level)
