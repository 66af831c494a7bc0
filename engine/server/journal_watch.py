"""Notices that something changed in the journal, for all event streams together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

POLL_S = 0.5
"""How often the journal is asked whether it changed; one query without a table."""

KEEP_ALIVE_S = 5.0
"""A stream without news says so often that it is alive."""

EVENT_STREAM = "text/event-stream"


class JournalWatch:
    """Asks for the version of the journal, and wakes every stream when it is another one.

    Args:
        read_version: Gives a text that changes with every row that is written; it may block, and
            must not raise.
        poll_s: Seconds between two questions.
    """

    def __init__(self, read_version: Callable[[], str], poll_s: float = POLL_S) -> None:
        self._read_version = read_version
        self._poll_s = poll_s
        self._version = ""
        self._changed = asyncio.Condition()
        self._stopping = False

    async def poll(self) -> None:
        """Asks until it is cancelled."""
        while True:
            version = await asyncio.to_thread(self._read_version)
            if version != self._version:
                async with self._changed:
                    self._version = version
                    self._changed.notify_all()
            await asyncio.sleep(self._poll_s)

    def stop(self) -> None:
        """Ends every stream; call it in the thread of the loop."""
        self._stopping = True
        self._waker = asyncio.ensure_future(self._wake())

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def stream(self, keep_alive_s: float = KEEP_ALIVE_S) -> AsyncIterator[str]:
        """Server-sent events: `journal` with each new version, `alive` where nothing is new.

        The first one comes at once, so that a page that was connected again knows whether it
        missed something.
        """
        yield "retry: 1000\n\n"
        known = ""
        while not self._stopping:
            version = await self._wait_for_another(known, keep_alive_s)
            if self._stopping:
                return
            yield f"event: {'alive' if version == known else 'journal'}\ndata: {version}\n\n"
            known = version

    async def _wait_for_another(self, known: str, timeout_s: float) -> str:
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: self._version != known or self._stopping)
        except TimeoutError:
            pass
        return self._version
