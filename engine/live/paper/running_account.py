"""An account that this process runs: its lock, its feed and its sinks."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import BacktestError, UsageError
from engine.data.store.file_lock import exclusive_lock
from engine.live.paper.account import account_lock, manifest_of
from engine.live.paper.stored_documents import settings_of
from engine.live.sinks.threads import SinkThreads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from engine.live.feeds import Feed
    from engine.live.journal.rows import AccountRow
    from engine.live.paper.account_runner import AccountRunner, RunContext

RETRY_S = (5.0, 900.0)
"""Pause after an error of a feed, and the longest one; each further pause is twice as long."""

LOCK_WAIT_S = 1.0
"""How long another process may take to release an account."""


class AccountBusyError(UsageError):
    """Another process runs the account."""


def open_account_feed(account: AccountRow, context: RunContext) -> Feed:
    """The feed of the settings of an account, with bars of its dataset."""
    from engine.live.feeds.factory import open_feed  # the clients of markets are slow to import

    return open_feed(
        settings_of(account).feed,
        manifest_of(account),
        home=context.home,
        clock=context.clock,
        progress=context.progress,
    )


@dataclass
class RunningAccount:
    """An account of this process.

    Attributes:
        account: The account.
        feed: Its feed.
        sinks: Its sinks.
        resources: Its feed, its sinks and its lock.
        since: When it was taken.
        runner: None until its history has been read.
        retry_at: No earlier attempt after an error.
        pause_s: The next pause.
        problem: Of the last error, which is told once.
    """

    account: AccountRow
    feed: Feed
    sinks: SinkThreads
    resources: ExitStack
    since: pd.Timestamp
    runner: AccountRunner | None = None
    retry_at: pd.Timestamp | None = None
    pause_s: float = RETRY_S[0]
    problem: str = ""

    @property
    def has_backlog(self) -> bool:
        """Whether bars wait that can be decided now."""
        return self.retry_at is None and self.runner is not None and self.runner.has_backlog


def take_account(
    account: AccountRow, context: RunContext, make_feed: Callable[[AccountRow, RunContext], Feed]
) -> RunningAccount:
    """Takes an account: no other process runs it until its resources are closed.

    Raises:
        AccountBusyError: Another process runs it.
        UsageError: Its feed or a sink cannot be opened.
        StorageError: A file cannot be written.
        JournalError: The journal cannot be used.
    """
    with ExitStack() as stack:
        stack.enter_context(
            exclusive_lock(
                account_lock(context.home, account.name),
                lambda _: None,
                LOCK_WAIT_S,
                busy_error=_busy_error,
                cannot_write="the lock of a paper account cannot be written",
            )
        )
        feed = make_feed(account, context)
        stack.callback(feed.close)
        sinks = stack.enter_context(_open_sinks(account, context))
        return RunningAccount(account, feed, sinks, stack.pop_all(), context.clock.now())


def _open_sinks(account: AccountRow, context: RunContext) -> SinkThreads:
    return SinkThreads(
        context.journal.path,
        account.name,
        settings_of(account).sinks,
        context.clock,
        context.progress.notice,
    )


def _busy_error(holder: str, path: Path, _: float) -> BacktestError:
    return AccountBusyError(f"{holder} runs the account {path.stem}; one process at a time can")
