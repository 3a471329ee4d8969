"""A day's budget for models, in the jobs file."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime

from technoshare.ports import Clock
from technoshare.sqlite import Database

logger = logging.getLogger("technoshare.jobs")

_ADD = "insert into spending (day, usd) values (?, ?) on conflict (day) do update set usd = usd + excluded.usd"


class SqliteBudget:
    """US dollars for each UTC day. Calls under way when they run out are finished, so a few cents more may go."""

    limited = True

    def __init__(self, database: Database, usd: float, clock: Clock) -> None:
        self._database = database
        self._usd = usd
        self._clock = clock

    async def spent(self) -> bool:
        """Tell whether nothing is left of today's."""
        rows = await self._database.execute("select usd from spending where day = ?", (self._today(),))
        return (rows[0]["usd"] if rows else 0.0) >= self._usd

    async def charge(self, usd: float) -> None:
        """Note what a call has cost, durably. A file that refuses it costs the note, never the comment."""
        try:
            await self._database.execute(_ADD, (self._today(), usd))
        except sqlite3.Error as error:
            logger.error("%.4f US dollars are not counted in the day's budget: %s", usd, error)  # noqa: TRY400 - no traceback says more

    def _today(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
