"""Who writes in an evaluation: the keyless engine, a tape, or a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from technoshare.errors import ConfigError
from technoshare.llm.tape import Player, Tape, Taping, load_tape
from technoshare.mlops.evaluation.results import Mode
from technoshare.models import EXTRACTIVE
from technoshare.settings import NOBODY, Settings

Wanted = Literal["auto", "embedded", "replay", "live"]

_NO_KEY = SecretStr("none")
"""A tape asks nobody, but the settings take a model only with a key."""


@dataclass(frozen=True)
class Writing:
    """The mode, the settings that it needs, and what stands between the writer and its servers."""

    mode: Mode
    settings: Settings
    tape: Tape | None = None

    def problems(self) -> tuple[str, ...]:
        """Return what was asked and is not on the tape: a repair that gets no answer would go unnoticed otherwise."""
        misses = self.tape.misses if isinstance(self.tape, Player) else 0
        return (f"{misses} questions are not on the tape: record it anew.",) if misses else ()


def choose(wanted: Wanted, settings: Settings, *, replay: Path | None, record: Path | None) -> Writing:
    """Decide who writes. `auto` is a tape where one is given, a model where one can be asked, else the keyless engine.

    Raises `ConfigError` where the choice cannot be had, or is not the one that EVAL_REQUIRE asks for.
    """
    mode = _mode(wanted, settings, replay)
    if settings.eval_require not in (None, mode):
        raise ConfigError(f"EVAL_REQUIRE={settings.eval_require} does not allow an evaluation in {mode} mode")
    if mode == "embedded":  # a key that happens to be there must not make it a paid one
        return Writing(mode, settings.model_copy(update={"llm_model": EXTRACTIVE}))
    alone = settings.model_copy(update={"llm_fallbacks": (NOBODY,)})  # whoever steps in is not who is evaluated
    if mode == "live":
        return Writing(mode, alone, Taping() if record else None)
    if replay is None:
        raise ConfigError("replay mode needs a tape: --replay FILE (`--mode live --record FILE` makes one)")
    tape = load_tape(replay)
    told = {"llm_model": tape.model, "openai_api_key": _NO_KEY, "openai_base_url": None}
    return Writing(mode, alone.model_copy(update=told), Player(tape.answers))


def _mode(wanted: Wanted, settings: Settings, replay: Path | None) -> Mode:
    asked = settings.model != EXTRACTIVE
    if wanted == "live" and not asked:
        raise ConfigError("live mode asks a model: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own")
    if wanted != "auto":
        return wanted
    if settings.eval_require == "live" and not asked:
        raise ConfigError("EVAL_REQUIRE=live, and there is no model to ask: set OPENAI_API_KEY or OPENAI_BASE_URL")
    return "replay" if replay else "live" if asked else "embedded"


class SpendingCap:
    """A budget for one evaluation: once `usd` are spent nobody is asked any more, which makes errors of the rest."""

    limited = True

    def __init__(self, usd: float) -> None:
        self._left = usd

    async def spent(self) -> bool:
        """Tell whether nothing is left."""
        return self._left <= 0

    async def charge(self, usd: float) -> None:
        """Note what a call has cost."""
        self._left -= usd
