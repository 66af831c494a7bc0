"""A thread for each sink of an account, so that no sink delays a decision or another sink."""

from __future__ import annotations

import os
from contextlib import ExitStack
from threading import Condition, Thread
from time import monotonic
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from engine.core.errors import BacktestError
from engine.live.sinks.deliver import deliver_pending
from engine.live.sinks.opening import open_sink
from engine.live.sinks.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from engine.live.clock import Clock
    from engine.live.sinks.config import SinkSpec
    from engine.live.sinks.sink import Sink

POLL_S = 5.0
"""Seconds after which the journal is looked at without being asked to."""

CLOSE_S = 5.0
"""Seconds that the end of an account waits for its sinks; what is left is sent the next time."""


class SinkThreads:
    """Delivers the messages of one account while it runs.

    The journal is the only connection between the account and its threads: a sink that is slow,
    down or broken is late, and nothing else. Threads are ended with the process if they hang.

    Args:
        path: The journal, which has the account.
        account: Name of the account.
        specs: Its sinks.
        clock: The time.
        notify: Receives a line about what is not delivered; called from the threads.
        environment: Environment variables; those of the process by default.

    Raises:
        UsageError: A sink cannot be opened: a secret or a package is missing, an address wrong.
        StorageError: The file of a sink cannot be written.
        JournalError: The journal cannot be used.
    """

    def __init__(
        self,
        path: Path,
        account: str,
        specs: Sequence[SinkSpec],
        clock: Clock,
        notify: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._clock, self._notify = clock, notify
        self._changed = Condition()
        self._wakes = 0
        self._closing, self._end = False, 0.0
        variables = os.environ if environment is None else environment
        with ExitStack() as opened:
            work = []
            for spec in specs:
                sink = open_sink(spec, variables)
                outbox = Outbox(path, account, spec.name, spec.events)
                opened.callback(outbox.close)
                outbox.begin(clock.now())
                work.append((outbox, sink, spec.attempts))
            opened.pop_all()
        self._threads = [
            Thread(target=self._run, args=each, name=f"sink {each[0].sink}", daemon=True)
            for each in work
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        """The threads themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """As `close`."""
        self.close()

    def wake(self) -> None:
        """Says that the journal has something new; returns at once."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def finish(self, limit_s: float = CLOSE_S) -> None:
        """Lets the threads send what is due and end, in so many seconds; returns at once.

        Who closes several accounts lets all of them finish first, so that they share the time.
        """
        with self._changed:
            if not self._closing:
                self._end = monotonic() + limit_s
            self._closing = True
            self._changed.notify_all()

    def close(self, limit_s: float = CLOSE_S) -> None:
        """As `finish`, and waits for the end."""
        self.finish(limit_s)
        for thread in self._threads:
            thread.join(max(0.0, self._end - monotonic()))

    def _run(self, outbox: Outbox, sink: Sink, attempts: int) -> None:
        rng, seen, trouble = np.random.default_rng(), 0, ""
        is_last = False
        while not is_last:
            with self._changed:
                seen, is_last = self._wakes, self._closing
            due, before = None, trouble
            try:
                due = deliver_pending(
                    outbox,
                    sink,
                    attempts=attempts,
                    clock=self._clock,
                    rng=rng,
                    notify=self._notify,
                )
                trouble = ""
            except BacktestError as error:  # of the journal: it may be locked, or the disk full
                trouble = f"account {outbox.account}, sink {outbox.sink}: {error.problem}"
            except Exception as error:  # noqa: BLE001 - a thread that ends silently loses messages
                trouble = f"account {outbox.account}, sink {outbox.sink}: {type(error).__name__}"
            if trouble and trouble != before:
                self._notify(trouble)
            if not is_last:
                self._wait(seen, due)
        outbox.close()

    def _wait(self, seen: int, due: pd.Timestamp | None) -> None:
        """Until there is something new, or the next attempt is due."""
        left_s = POLL_S
        if due is not None:
            left_s = min(POLL_S, max(0.0, (due - self._clock.now()) / pd.Timedelta(seconds=1)))
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._wakes != seen, left_s)
