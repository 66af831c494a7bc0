"""One paper account that lives: bars come, are decided once each, and are journaled."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import JournalError
from engine.live.journal.journal import NewEvent
from engine.live.loop.bar_loop import BarLoop
from engine.live.paper.account import manifest_of
from engine.live.paper.account_bars import (
    PanelWait,
    align_bars,
    assemble_rows,
    load_account_market,
)
from engine.live.paper.account_history import history_path, read_history
from engine.live.paper.backtest_comparison import compare_account
from engine.live.paper.bar_entry import make_entry
from engine.live.paper.batch_events import BatchEvents, tell_failed_optimum, tell_incomplete
from engine.live.paper.feed_silence import SilenceWatch
from engine.live.paper.late_orders import LatePolicy, merge_orders
from engine.live.paper.rate_watch import RateWatch
from engine.live.paper.revisions import RevisionWatch
from engine.live.paper.row_assembly import FETCHED_BEFORE, AssembledRow
from engine.live.paper.stored_documents import schedule_of, settings_of, state_of, strategy_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.core.progress import Progress
    from engine.core.types import BarsFrame
    from engine.data import DatasetManifest, Market
    from engine.live.clock import Clock
    from engine.live.feeds import Feed
    from engine.live.feeds.funding import RateFeed
    from engine.live.journal.journal import Journal, JournalEntry
    from engine.live.journal.rows import AccountRow
    from engine.live.paper.account_funding import Correction
    from engine.live.paper.row_assembly import RowAssembler


_QUIET = pd.Timedelta(seconds=30)
"""Longest time between two fetches while no bar can have ended by the calendar."""

MAX_TURN_BARS = 100
"""Bars that an account decides before other accounts of its process have their turn."""

MAX_TURN_S = 1.0
"""Seconds after which an account begins no further bar before others have their turn."""


@dataclass(frozen=True)
class RunContext:
    """What every account of a process needs.

    Attributes:
        journal: Written by this process.
        home: Folder of histories and fits.
        clock: The time.
        progress: Receives progress and notices.
        workers: Processes to train in, instead of `compute.workers`.
        open_rates: Opens the feed of the funding rates of a dataset.
    """

    journal: Journal
    home: Path
    clock: Clock
    progress: Progress
    workers: int | None = None
    open_rates: Callable[[DatasetManifest, Clock, Progress], RateFeed] | None = None


class AccountRunner:
    """Decides the bars of one account as they come.

    It continues from what the journal has: the bars that the account knew, and the state that the
    last decision left. While it lives no other process may write for the account.

    Args:
        account: The account.
        feed: Where its bars come from.
        context: Journal, clock and folders.

    Raises:
        JournalError: The history is missing, or the journal cannot be read.
        UsageError: No window fits into the bars.
        TrainingError: A fit failed, and the strategy does not leave such a fit out.
    """

    def __init__(
        self,
        account: AccountRow,
        feed: Feed,
        context: RunContext,
    ) -> None:
        self.account = account
        self.feed = feed
        self.spec = strategy_of(account)
        self.settings = settings_of(account)
        self.times = schedule_of(account)
        self._context = context
        self._policy = LatePolicy(
            self.times,
            self.spec.execution,
            self.settings.missed,
            pd.Timedelta(seconds=self.settings.grace_s),
        )
        self._newer: BarsFrame | None = None
        self._is_back = False
        self._fetched_at: pd.Timestamp | None = None
        self._next: tuple[pd.Timestamp, pd.Timestamp] | None = None
        self._backlog: deque[AssembledRow] = deque()
        self._received_at = account.created_at
        journal = context.journal
        self._batch = BatchEvents(
            self._policy, journal.untold_late(account.name), journal.untold_missed(account.name)
        )
        newest = context.journal.newest(account.name)
        self._newest = account.history_last if newest is None else newest.bar
        self._decided_at = None if newest is None else newest.decided_at
        compared = context.journal.newest_event(account.name, "comparison")
        self._compared_at = account.created_at if compared is None else compared.at
        market = load_account_market(context.journal, account, context.home)
        self._rows = assemble_rows(context.journal, account, market, self.times)
        self._funding = self._watch_rates(market)
        self._loop = BarLoop.start(
            self.spec,
            market,
            load_history=self._load_history,
            home=context.home,
            workers=context.workers,
            progress=context.progress,
            state=None if newest is None else state_of(newest),
        )
        self._revisions = RevisionWatch(account, context.journal, context.home, self.spec)
        silent = context.journal.newest_event(account.name, "silent")
        self._silence = SilenceWatch(
            self.times,
            pd.Timedelta(seconds=self.settings.grace_s),
            None if silent is None else silent.bar,
        )

    def _watch_rates(self, market: Market) -> RateWatch | None:
        """The funding rates of the account; None where its costs charge none."""
        if market.funding is None or not self.spec.costs.charges_funding:
            return None
        from engine.live.feeds.funding import ExchangeRates  # its client is slow to import

        context, manifest = self._context, manifest_of(self.account)
        feed = (context.open_rates or ExchangeRates)(manifest, context.clock, context.progress)
        history = read_history(
            history_path(context.home, self.account.name), self.account.history_hash
        ).funding
        assert history is not None
        return RateWatch(self.account, self.spec, history, context.journal, feed)

    @property
    def newest(self) -> pd.Timestamp:
        """The bar that was decided last; before the first that of the history."""
        return self._newest

    @property
    def has_backlog(self) -> bool:
        """Whether bars that were fetched wait for the next call of `decide_bars`."""
        return bool(self._backlog)

    def decide_bars(
        self, most: int = MAX_TURN_BARS, longest_s: float = MAX_TURN_S
    ) -> list[JournalEntry]:
        """Fetches the bars that have come, and decides those that are complete, each once.

        It begins no further bar after an account was stopped, or after a number of bars or a
        time: the next call goes on with those that wait.

        Args:
            most: Most bars, at least 1.
            longest_s: No bar is begun after so many seconds; the first always is.

        Returns:
            What was journaled.

        Raises:
            DataError: Bars cannot be had or trusted.
            TrainingError: A window began, and a fit failed.
            JournalError: The journal cannot be written; the bar is decided again later.
        """
        self._tell_clock()
        if not self._backlog and self._may_have_come():
            self._fetch()
        entries: list[JournalEntry] = []
        end = monotonic() + longest_s
        while self._backlog and len(entries) < most:
            if entries and (monotonic() >= end or self._is_stopped()):
                break
            entries.append(self._decide(self._backlog[0], is_newest=len(self._backlog) == 1))
            self._backlog.popleft()
        if not self._backlog:
            self._loop.prepare_next()
            self._loop.rehearse()
        return entries

    def _is_stopped(self) -> bool:
        return self._context.journal.is_stopped(self.account.name)

    def _fetch(self) -> None:
        """Asks the feed, and tells revisions; the bars that can be decided become the backlog."""
        after = self._revisions.fetch_after(self._newest)
        if self._rows is not None:
            after -= FETCHED_BEFORE
        fetched = self.feed.fetch(after)
        # One reading: the clock may be set back before the last of the bars is decided.
        self._received_at = now = self._context.clock.now()
        if self._rows is not None:
            fresh = self._take(self._rows, fetched, now)
        else:
            self._tell_revisions(fetched, now)
            fresh = fetched[fetched["timestamp"] > self._newest]
            aligned = align_bars(fresh, self._loop.symbols, self._panel_wait(now))
            ended = [each for each in aligned if self._has_ended(each, now)]
            self._backlog.extend(map(AssembledRow, self._with_rates(ended, now)))
        self._batch.begin(self._newest, fresh, [row.bars for row in self._backlog])

    def _with_rates(self, bars: list[BarsFrame], now: pd.Timestamp) -> list[BarsFrame]:
        """The bars whose funding rates have come, or were waited for half of the grace time."""
        if self._funding is None or not bars:
            return bars
        self._funding.take(now, self._newest)
        wait = pd.Timedelta(seconds=self.settings.grace_s / 2)
        ends = [
            self.times.is_complete_at(pd.Timestamp(each["timestamp"].iloc[0])) for each in bars
        ]
        return [
            each
            for each, end in zip(bars, ends, strict=True)
            if now >= end + wait or not self._funding.lacking(end)
        ]

    def _take(self, rows: RowAssembler, fetched: BarsFrame, now: pd.Timestamp) -> BarsFrame:
        """Journals the bars of each exchange; the rows that are complete become the backlog."""
        taken = rows.take(fetched, self._newest)
        if len(taken.fresh):
            unused = {"symbols": dict(taken.unused)}
            events = [NewEvent(now, "unused", self._newest, unused)] if taken.unused else []
            self._context.journal.record_arrivals(
                self.account.name, taken.fresh, now, self._newest, events
            )
        first = self._revisions.first_watched
        if first is not None and (now_joined := rows.join_revised(fetched, first)) is not None:
            self._tell_revisions(now_joined, now)
        self._backlog.extend(rows.rows(self._newest, now))
        waiting = rows.waiting(self._newest)
        ahead = len(waiting["timestamp"].unique())
        expected = [span.bar for span in self.times.following(self._newest, ahead)]
        return waiting[waiting["timestamp"].isin(expected)]

    def _tell_revisions(self, bars: BarsFrame, now: pd.Timestamp) -> None:
        self._context.journal.record_events(self.account.name, self._revisions.find(bars, now))

    def _panel_wait(self, now: pd.Timestamp) -> PanelWait | None:
        """A symbol of a panel that had the bar before is waited for half of the grace time."""
        if self._loop.present is None:
            return None
        wait = pd.Timedelta(seconds=self.settings.grace_s / 2)
        return PanelWait(
            self._loop.present, lambda bar: self.times.is_complete_at(bar) + wait, now
        )

    def tell_silence(self, waiting_since: pd.Timestamp | None = None) -> bool:
        """Files once that nothing comes although a bar is overdue; whether it did.

        Args:
            waiting_since: When the feed was opened; None where it has been asked once, and that
                is all.
        """
        heard_at = self._decided_at or self.account.created_at
        if waiting_since is not None:
            heard_at = max(heard_at, waiting_since)
        events = self._silence.find(self._newest, heard_at, self._context.clock.now())
        if events:
            self._context.journal.record_events(self.account.name, events)
        return bool(events)

    def compare_daily(self) -> bool:
        """Compares the account with the backtest, once a day of UTC; whether it did.

        Raises:
            TrainingError: A fit failed.
            JournalError: The journal cannot be used.
        """
        if self._decided_at is None:
            return False
        now, name = self._context.clock.now(), self.account.name
        if now.normalize() <= self._compared_at.normalize():
            return False
        events = compare_account(
            self._context.journal,
            self.account,
            self._context.home,
            progress=self._context.progress,
            workers=self._context.workers,
            at=now,
        )
        self._context.journal.record_events(name, events)
        self._compared_at = now
        return True

    def _may_have_come(self) -> bool:
        """Whether to fetch: always once the next bar has ended, before that only now and then."""
        now, last = self._context.clock.now(), self._fetched_at
        if last is not None and last <= now < min(last + _QUIET, self._next_end()):
            return False
        self._fetched_at = now
        return True

    def _next_end(self) -> pd.Timestamp:
        """When trading of the bar after the newest ends; the newest where no calendar says."""
        if self._next is None or self._next[0] != self._newest:
            following = next(iter(self.times.following(self._newest, 1)), None)
            self._next = (self._newest, self._newest if following is None else following.closes)
        return self._next[1]

    def _tell_clock(self) -> None:
        """Files once that the clock is earlier than the last decision: it was set back."""
        now = self._context.clock.now()
        was_back, self._is_back = self._is_back, False
        if self._decided_at is not None and now < self._decided_at:
            self._is_back = True
            if not was_back:
                seconds = (self._decided_at - now) / pd.Timedelta(seconds=1)
                event = NewEvent(now, "clock", detail={"seconds": seconds})
                self._context.journal.record_events(self.account.name, [event])

    def _has_ended(self, bars: BarsFrame, now: pd.Timestamp) -> bool:
        """Whether a bar has ended by this clock, whatever the feed says."""
        bar = pd.Timestamp(bars["timestamp"].iloc[0])
        return self.times.is_complete_at(bar) <= now or self.times.is_traded_until(bar) <= now

    def _decide(self, row: AssembledRow, *, is_newest: bool) -> JournalEntry:
        """One bar: decided by the loop, judged by the clock, written in one transaction."""
        bars = row.bars
        correction = None
        if self._funding is not None:
            correction = self._funding.correction(self._newest)
        if correction is not None:
            self._loop.replace_account(correction.apply(self._loop.state.account))
        before, decisions = self._loop.state.account, self._loop.state.decision
        self._newer = bars
        outcome = self._loop.advance(bars)
        # A clock that is set back meanwhile does not make a decision earlier than its bar.
        decided_at = max(self._received_at, self._context.clock.now())
        timed = self._policy.time_orders(
            outcome.orders, outcome.timestamp, decided_at, is_newest=is_newest
        )
        waiting = outcome.account.orders[: len(outcome.account.orders) - len(outcome.orders)]
        account = self._loop.replace_orders(merge_orders(waiting, timed))
        entry = make_entry(
            self.account.name,
            bars,
            outcome,
            timed,
            before=before,
            state=self._loop.state.model_copy(update={"account": account}),
            received_at=self._received_at,
            decided_at=decided_at,
            late=self._policy.is_late(outcome.timestamp, decided_at),
            events=(
                *self._batch.events_of(outcome, timed, decided_at, is_newest=is_newest),
                *tell_incomplete(row, outcome.timestamp, decided_at),
                *tell_failed_optimum(decisions, self._loop.state.decision, decided_at),
                *self._tell_rates(outcome.timestamp, decided_at, correction),
            ),
        )
        self._record(entry)
        self._newest, self._decided_at, self._newer = outcome.timestamp, decided_at, None
        self._revisions.remember(bars)
        return entry

    def _tell_rates(
        self, bar: pd.Timestamp, at: pd.Timestamp, correction: Correction | None
    ) -> tuple[NewEvent, ...]:
        return () if self._funding is None else self._funding.events(bar, at, correction)

    def _record(self, entry: JournalEntry) -> None:
        from sqlite3 import IntegrityError

        try:
            self._context.journal.record(entry)
        except IntegrityError as error:
            raise JournalError(
                "the bar of a paper account was decided by another process",
                expected="one process for an account, which its lock holds",
                found=str(error),
                where=f"account {self.account.name}, bar {entry.decision.bar}",
                fix="end the other process; a lock does not work on every network drive",
            ) from error

    def _load_history(self, until: pd.Timestamp) -> Market:
        return load_account_market(
            self._context.journal, self.account, self._context.home, until=until, newer=self._newer
        )
