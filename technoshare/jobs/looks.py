"""Up to where each channel was read back, in the jobs file."""

from __future__ import annotations

from technoshare.sqlite import Database


class SqliteLooks:
    """One time a channel, which only grows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self, channel: str) -> float | None:
        """Return the time up to which everything in the channel was looked at; None when it never was."""
        rows = await self._database.execute("select at from looks where channel = ?", (channel,))
        return rows[0]["at"] if rows else None

    async def note(self, channel: str, at: float) -> None:
        """Keep the time; an earlier one than before changes nothing."""
        await self._database.execute(
            "insert into looks (channel, at) values (?, ?)"
            " on conflict (channel) do update set at = max(at, excluded.at)",
            (channel, at),
        )
