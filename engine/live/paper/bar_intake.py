"""What a feed brings to an account: bars to decide, revisions of those that were, and rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.live.journal.journal import NewEvent
from engine.live.paper.account_bars import PanelWait, align_bars, assemble_rows
from engine.live.paper.revisions import RevisionWatch
from engine.live.paper.row_assembly import FETCHED_BEFORE, AssembledRow

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import BarsFrame
    from engine.data import Market
    from engine.live.clock import Clock
    from engine.live.feeds import Feed
    from engine.live.journal.journal import Journal
    from engine.live.journal.rows import AccountRow
    from engine.live.paper.rate_watch import RateWatch
    from engine.live.paper.row_assembly import RowAssembler
    from engine.live.row_schedule import Schedule
    from engine.strategy import Strategy


@dataclass(frozen=True)
class FetchedBars:
    """What one look at the feed gave.

    Attributes:
        at: When.
        rows: The bars that can be decided, in order.
        fresh: All bars that came since the newest decision, also those of timestamps that lack a
            symbol.
    """

    at: pd.Timestamp
    rows: tuple[AssembledRow, ...]
    fresh: BarsFrame


class BarIntake:
    """Asks the feed of an account, files what it brings, and says what can be decided.

    Args:
        account: The account.
        spec: Its strategy.
        market: As the account knows it.
        times: When its bars come.
        wait: How long a bar, or a rate, that is expected may take.
        journal: Receives what comes.
        home: Folder of histories and fits.
        feed: Where bars come from.
        rates: Its funding rates; None where it is charged none.
    """

    def __init__(  # noqa: PLR0913 - what an account is made of
        self,
        account: AccountRow,
        spec: Strategy,
        market: Market,
        *,
        times: Schedule,
        wait: pd.Timedelta,
        journal: Journal,
        home: Path,
        feed: Feed,
        rates: RateWatch | None,
    ) -> None:
        self._name, self._symbols = account.name, market.symbols
        self._times, self._wait = times, wait
        self._journal, self._feed, self._rates = journal, feed, rates
        self._assembler = assemble_rows(journal, account, market, times)
        self._revisions = RevisionWatch(account, journal, home, spec)

    def fetch(
        self, newest: pd.Timestamp, clock: Clock, present: frozenset[str] | None
    ) -> FetchedBars:
        """Asks the feed, and tells revisions.

        Args:
            newest: The bar that was decided last.
            clock: The time.
            present: Symbols of a panel that had it; None where every symbol has to have each.

        Raises:
            DataError: Bars cannot be had or trusted.
            JournalError: The journal cannot be written.
        """
        after = self._revisions.fetch_after(newest)
        if self._assembler is not None:
            after -= FETCHED_BEFORE
        fetched = self._feed.fetch(after)
        # One reading: the clock may be set back before the last of the bars is decided.
        now = clock.now()
        if self._assembler is not None:
            return self._assemble(self._assembler, fetched, newest, now)
        self._tell_revisions(fetched, now)
        fresh = fetched[fetched["timestamp"] > newest]
        aligned = align_bars(fresh, self._symbols, self._panel_wait(present, now))
        ended = [each for each in aligned if self._has_ended(each, now)]
        rows = map(AssembledRow, self._with_rates(ended, newest, now))
        return FetchedBars(now, tuple(rows), fresh)

    def remember(self, bars: BarsFrame) -> None:
        """Takes the bars of one timestamp that was decided."""
        self._revisions.remember(bars)

    def _assemble(
        self,
        assembler: RowAssembler,
        fetched: BarsFrame,
        newest: pd.Timestamp,
        now: pd.Timestamp,
    ) -> FetchedBars:
        """Journals the bars of each exchange, and joins them."""
        taken = assembler.take(fetched, newest)
        if len(taken.fresh):
            unused = {"symbols": dict(taken.unused)}
            events = [NewEvent(now, "unused", newest, unused)] if taken.unused else []
            self._journal.record_arrivals(self._name, taken.fresh, now, newest, events)
        first = self._revisions.first_watched
        if first is not None and (revised := assembler.join_revised(fetched, first)) is not None:
            self._tell_revisions(revised, now)
        rows = assembler.rows(newest, now)
        waiting = assembler.waiting(newest)
        ahead = len(waiting["timestamp"].unique())
        expected = [span.bar for span in self._times.following(newest, ahead)]
        return FetchedBars(now, tuple(rows), waiting[waiting["timestamp"].isin(expected)])

    def _tell_revisions(self, bars: BarsFrame, now: pd.Timestamp) -> None:
        self._journal.record_events(self._name, self._revisions.find(bars, now))

    def _panel_wait(self, present: frozenset[str] | None, now: pd.Timestamp) -> PanelWait | None:
        """A symbol of a panel that had the bar before is waited for half of the grace time."""
        if present is None:
            return None
        return PanelWait(present, lambda bar: self._times.is_complete_at(bar) + self._wait, now)

    def _has_ended(self, bars: BarsFrame, now: pd.Timestamp) -> bool:
        """Whether a bar has ended by this clock, whatever the feed says."""
        bar = pd.Timestamp(bars["timestamp"].iloc[0])
        return self._times.is_complete_at(bar) <= now or self._times.is_traded_until(bar) <= now

    def _with_rates(
        self, bars: list[BarsFrame], newest: pd.Timestamp, now: pd.Timestamp
    ) -> list[BarsFrame]:
        """The bars whose funding rates have come, or were waited for half of the grace time."""
        if self._rates is None or not bars:
            return bars
        self._rates.take(now, newest)
        stamps = [pd.Timestamp(each["timestamp"].iloc[0]) for each in bars]
        ends = [self._times.is_complete_at(bar) for bar in stamps]
        return [
            each
            for each, end in zip(bars, ends, strict=True)
            if now >= end + self._wait or not self._rates.lacking(end)
        ]
