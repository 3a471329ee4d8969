"""Logging: one line an event, as text or JSON, with everything that looks like a secret masked."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Literal

_SECRETS = re.compile(
    r"xox[abeoprs]-[\w-]+|xapp-[\w-]+|sk-[\w-]{8,}|gh[opsu]_\w{8,}|github_pat_\w+"
    r"|(?<=ticket=)[\w-]+|(?i:(?<=bearer ))[\w.-]{8,}"
)
MASK = "[secret]"


def scrub(text: str) -> str:
    """Return `text` with tokens, keys and socket tickets masked."""
    return _SECRETS.sub(MASK, text)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return scrub(json.dumps(line, ensure_ascii=False))


def start_logging(level: str, style: Literal["text", "json"]) -> None:
    """Send this program's log to standard error; vendors speak from WARNING on, since at DEBUG they print payloads."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if style == "json" else _Text("%(asctime)s %(levelname)-7s %(name)s  %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("technoshare").setLevel(level)
