"""Who waits for something to happen in the workspace waits here: no polling, no sleeping."""

import asyncio


class Changes:
    """Counts changes of the workspace and wakes everybody who waits for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def note(self) -> int:
        """Tell that something changed; return its number (1, 2, …)."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()
        return self.count

    async def after(self, count: int) -> int:
        """Wait until more than `count` changes have happened and return how many have."""
        while self.count <= count:
            await self._next.wait()
        return self.count
