"""`backtest paper run`: one process that lets paper accounts live."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import BacktestError, DataError, JournalError, UsageError
from engine.data.store.file_lock import find_lock_holder
from engine.live.journal.journal import NewEvent
from engine.live.paper.account import account_lock
from engine.live.paper.account_runner import MAX_TURN_BARS, MAX_TURN_S, AccountRunner
from engine.live.paper.entry_text import describe_entries, describe_waiting
from engine.live.paper.running_account import (
    RETRY_S,
    AccountBusyError,
    RunningAccount,
    open_account_feed,
    take_account,
)
from engine.live.paper.stored_documents import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.live.feeds import Feed
    from engine.live.journal.rows import AccountRow
    from engine.live.paper.account_runner import RunContext

MAX_WAIT_S = 1.0
"""Longest wait between two looks at the clock and at the journal."""


@dataclass
class PaperRun:
    """The accounts of one process.

    Use it as a context: it holds the locks of its accounts until the end.

    Attributes:
        context: Journal, clock and folders.
        make_feed: Opens the feed of an account.
        turn_bars: Most bars that an account decides before the others have their turn.
        turn_s: Seconds after which no account begins a further bar in a round of turns.
    """

    context: RunContext
    make_feed: Callable[[AccountRow, RunContext], Feed] = open_account_feed
    turn_bars: int = MAX_TURN_BARS
    turn_s: float = MAX_TURN_S
    _running: dict[str, RunningAccount] = field(default_factory=dict)
    _given_up: set[str] = field(default_factory=set)
    _errors: dict[str, BacktestError] = field(default_factory=dict)

    def __enter__(self) -> PaperRun:
        """The run itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the feeds and releases the locks."""
        for running in self._running.values():
            running.sinks.finish()
        for name in list(self._running):
            self._leave(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The accounts that this process runs."""
        return tuple(self._running)

    def take(self, names: Iterable[str]) -> None:
        """Takes accounts; one that cannot be run is told and left, and the others live.

        Raises:
            UsageError: There is none of a name, or it was stopped; no account was taken.
            BacktestError: No account can be run.
        """
        chosen = tuple(dict.fromkeys(names))
        for name in chosen:
            with suppress(JournalError):  # of its row: it is told as that of any other account
                self._require_active(name)
        for name in chosen:
            self._try_to_add(name)
        if not self._running:
            self._raise_unsolved(once=True)

    def add(self, name: str) -> None:
        """Takes an account: no other process runs it from now on.

        Raises:
            UsageError: There is none of that name, it was stopped, or another process runs it.
        """
        account = self._require_active(name)
        self._require_own_input(account)
        self._running[name] = take_account(account, self.context, self.make_feed)
        self._errors.pop(name, None)

    def _try_to_add(self, name: str) -> None:
        """Takes an account; one that cannot be run is told and left."""
        try:
            self.add(name)
        except AccountBusyError as error:
            self._errors[name] = error
            self.context.progress.notice(f"{name}: {error}")
        except BacktestError as error:
            self._errors[name] = error
            self._given_up.add(name)
            self._tell_error(name, error)

    def _require_active(self, name: str) -> AccountRow:
        account = self.context.journal.account(name)
        if self.context.journal.is_stopped(name):
            raise UsageError(
                "the account was stopped",
                expected="an account that runs or waits to be run",
                found=name,
                fix=f"backtest paper resume {name}",
            )
        return account

    def _require_own_input(self, account: AccountRow) -> None:
        """Refuses a second account that reads standard input."""
        kinds = {
            each.account.name: settings_of(each.account).feed.kind
            for each in self._running.values()
        }
        own = settings_of(account).feed.kind
        others = [name for name, kind in kinds.items() if kind == own == "stdin"]
        if others:
            raise UsageError(
                "two accounts cannot read one standard input",
                expected="one account with the feed stdin in a process",
                found=f"{others[0]} and {account.name}",
                fix=f"run it alone: backtest paper run {account.name}",
            )

    def run(
        self, *, once: bool = False, until: pd.Timestamp | None = None, take_new: bool = False
    ) -> None:
        """Decides bars as they come.

        Args:
            once: Decide what is there now, and return.
            until: Return at that instant.
            take_new: Also take accounts that are started or resumed meanwhile.

        Raises:
            BacktestError: At the end, of an account that could not go on, and was left; of input
                that has ended, at a line that is no bar; with `once` of bars that cannot be had.
            KeyboardInterrupt: As it comes; what was journaled is whole.
        """
        is_first = True
        while self._running:
            self._take_turns(once=once, is_first=is_first, take_new=take_new)
            is_first = False
            if until is not None and self.context.clock.now() >= until:
                break
            if any(each.has_backlog for each in self._running.values()):
                continue
            if once or all(each.feed.is_exhausted for each in self._running.values()):
                break
            self._wait(until)
        self._raise_unsolved(once=once)

    def _raise_unsolved(self, *, once: bool) -> None:
        """The first error of an account that was left, or that nothing can solve any more."""
        for name, error in self._errors.items():
            running = self._running.get(name)
            if once or running is None or running.feed.is_exhausted:
                raise error

    def _take_turns(self, *, once: bool, is_first: bool, take_new: bool) -> None:
        """One round; where each account is asked once, the later rounds end what was fetched."""
        self._leave_stopped()
        if take_new:
            self._take_new()
        for name, running in list(self._running.items()):
            if is_first or not once or running.has_backlog:
                self._take_turn(name, once=once)

    def _take_turn(self, name: str, *, once: bool) -> None:
        running = self._running[name]
        if running.retry_at is not None and self._is_before(running.retry_at, running):
            return
        try:
            if running.runner is None:
                running.runner = self._start(running)
                self.context.progress.line(describe_waiting(running.runner))
            self._decide(running, running.runner, once=once)
        except BacktestError as error:
            self._fail(running, error)
        else:
            self._errors.pop(name, None)
            running.retry_at, running.pause_s, running.problem = None, RETRY_S[0], ""

    def _decide(self, running: RunningAccount, runner: AccountRunner, *, once: bool) -> None:
        """Decides what has come; sinks are told of it before the rest is begun."""
        entries = runner.decide_bars(self.turn_bars, self.turn_s / len(self._running))
        if entries:
            running.sinks.wake()
        for line in describe_entries(entries, running.account.capital):
            self.context.progress.line(line)
        if runner.has_backlog:
            return
        if runner.tell_silence(None if once else running.since):
            running.sinks.wake()
        if runner.compare_daily():
            running.sinks.wake()

    def _is_before(self, instant: pd.Timestamp, running: RunningAccount) -> bool:
        """Whether the pause lasts; a clock that is set back does not make it longer."""
        left = (instant - self.context.clock.now()) / pd.Timedelta(seconds=1)
        return 0 < left <= running.pause_s

    def _start(self, running: RunningAccount) -> AccountRunner:
        return AccountRunner(running.account, running.feed, self.context)

    def _fail(self, running: RunningAccount, error: BacktestError) -> None:
        """Tells an error; a feed is asked again, and an account that cannot go on is left."""
        name = running.account.name
        self._errors[name] = error
        if str(error) != running.problem:
            running.problem = str(error)
            self._tell_error(name, error)
            running.sinks.wake()
        if not isinstance(error, DataError):
            self._given_up.add(name)
            self._leave(name)
            return
        running.retry_at = self.context.clock.now() + pd.Timedelta(seconds=running.pause_s)
        running.pause_s = min(2 * running.pause_s, RETRY_S[1])

    def _tell_error(self, name: str, error: BacktestError) -> None:
        """Files an error of an account; a journal that cannot take it ends the process."""
        detail = {"error": type(error).__name__, "problem": error.problem, "text": str(error)}
        event = NewEvent(self.context.clock.now(), "error", detail=detail)
        self.context.journal.record_events(name, [event])
        self.context.progress.notice(f"{name}: {error}")

    def _take_new(self) -> None:
        """Takes the accounts that no process runs and that did not fail here."""
        for name in self.context.journal.list_active():
            lock = account_lock(self.context.home, name)
            if name not in {*self._running, *self._given_up} and find_lock_holder(lock) is None:
                self._try_to_add(name)

    def _leave_stopped(self) -> None:
        for name in list(self._running):
            if self.context.journal.is_stopped(name):
                self.context.progress.notice(f"{name}: stopped")
                self._errors.pop(name, None)
                self._leave(name)

    def _leave(self, name: str) -> None:
        self._running.pop(name).resources.close()

    def _wait(self, until: pd.Timestamp | None) -> None:
        """Until bars may have come, but no longer than to the next look at the journal."""
        wait_s = MAX_WAIT_S
        if until is not None:
            left = (until - self.context.clock.now()) / pd.Timedelta(seconds=1)
            wait_s = max(0.0, min(wait_s, left))
        for running in self._running.values():
            running.feed.wait(wait_s / len(self._running))
