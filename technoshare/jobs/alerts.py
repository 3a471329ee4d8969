"""Two rates over the latest comments and votes, and the alerts that say when one has become bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from technoshare.models import Alert, Receipt
from technoshare.once import Reservation
from technoshare.ports import Clock
from technoshare.sqlite import Connection, Database

RELIEF = 0.05
"""So far must a rate be back on the right side before another fall is news: else it would be told at every wobble."""

_EPSILON = 1e-9  # 1 - 0.8 is a little less than 10 of 50


@dataclass(frozen=True)
class Rate:
    """How many of the latest were bad, and what share of them is bearable; judged when the window is half full."""

    name: str
    window: int
    most: float
    """Largest share of bad ones that nobody need hear of, 0 to 1."""
    select: str
    """SQL for the latest `:window`, one row each: whether it was bad."""
    line: str
    """What is said; `{bad}`, `{total}`, `{share}` and `{most}` are filled in."""


def pass_rate(least: float, window: int) -> Rate:
    """Return the rate of comments that pass all their gates; less than `least` of them is bad."""
    return Rate(
        "pass_rate",
        window,
        1 - least,
        "select outcome <> 'success' as bad from shares where outcome in ('success', 'degraded')"
        " order by at desc limit :window",
        "{bad} of the last {total} comments ({share}) failed a check, more than the {most} allowed by ALERT_PASS_RATE."
        " Look at `technoshare jobs list`, and in MLflow at the runs whose outcome is degraded.",
    )


def down_rate(most: float, window: int) -> Rate:
    """Return the rate of 👎 among votes; more than `most` of them is bad."""
    return Rate(
        "down_rate",
        window,
        most,
        "select value = 'down' as bad from votes where value <> 'none' order by at desc limit :window",
        "{bad} of the last {total} votes ({share}) are 👎, more than the {most} allowed by ALERT_DOWN_RATE."
        " `technoshare eval add --from-feedback` gathers these comments; MLflow shows the reasons on their traces.",
    )


class SqliteAlerts:
    """The `Alerts` of one jobs file, and the book of their posts."""

    def __init__(self, database: Database, clock: Clock, rates: Sequence[Rate]) -> None:
        self._database = database
        self._clock = clock
        self._rates = rates

    async def look(self) -> tuple[Alert, ...]:
        """Note which rates fell and which recovered; return what is to be said and is not known to be, oldest first."""

        async def work(connection: Connection) -> tuple[Alert, ...]:
            for rate in self._rates:
                await self._judge(connection, rate)
            unsaid = "select token, line from alerts where receipt is null and over = 0 order by at"
            return tuple(Alert(**row) for row in await connection.execute_fetchall(unsaid))

        return await self._database.run(work)

    async def _judge(self, connection: Connection, rate: Rate) -> None:
        latest = [row["bad"] for row in await connection.execute_fetchall(rate.select, {"window": rate.window})]
        if 2 * len(latest) < rate.window:
            return
        bad, total = sum(latest), len(latest)
        if bad / total <= rate.most - RELIEF + _EPSILON or bad == 0:
            await connection.execute_fetchall("update alerts set over = 1 where name = ? and over = 0", (rate.name,))
        elif bad / total > rate.most + _EPSILON:
            line = rate.line.format(bad=bad, total=total, share=_percent(bad / total), most=_percent(rate.most))
            await connection.execute_fetchall(
                "insert into alerts (token, name, line, at) select lower(hex(randomblob(12))), :name, :line, :at"
                " where not exists (select 1 from alerts where name = :name and over = 0)",
                {"name": rate.name, "line": line, "at": self._clock()},
            )

    async def reserve(self, token: str, at: float) -> Reservation | None:
        """Take the token and return None, or return what stands there already."""
        take = "update alerts set reserved = ? where token = ? and reserved is null returning token"
        if await self._database.execute(take, (at, token)):
            return None
        ((since, receipt),) = await self._database.execute(
            "select reserved, receipt from alerts where token = ?", (token,)
        )
        return Reservation(since, None if receipt is None else Receipt.model_validate_json(receipt))

    async def renew(self, token: str, at: float) -> None:
        """Start a standing reservation's time again."""
        await self._database.execute("update alerts set reserved = ? where token = ?", (at, token))

    async def record(self, token: str, receipt: Receipt) -> None:
        """Keep the receipt for good."""
        update = "update alerts set receipt = ? where token = ?"
        await self._database.execute(update, (receipt.model_dump_json(), token))

    async def release(self, token: str) -> None:
        """Give the token back: nothing was sent."""
        await self._database.execute("update alerts set reserved = null where token = ?", (token,))


def _percent(share: float) -> str:
    return f"{round(100 * share, 1):g} %"
