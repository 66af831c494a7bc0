"""Funding rates as they come to an account, and the payments whose rates have not come yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.data.calendar import interval_length
from engine.data.intervals import bar_end
from engine.live.journal.journal import NewEvent
from engine.live.paper.account_funding import AccountFunding, HeldBar
from engine.live.paper.stored_documents import state_of

if TYPE_CHECKING:
    from engine.data.funding_rates import FundingRates
    from engine.live.feeds.funding import RateFeed
    from engine.live.journal.journal import Journal
    from engine.live.journal.reader import JournalReader
    from engine.live.journal.rows import AccountRow
    from engine.live.paper.account_funding import Correction
    from engine.strategy import Strategy


class RateWatch:
    """Asks for rates, journals them, and says what is paid for those that came late.

    Args:
        account: The account.
        spec: Its strategy.
        history: The rates that were known when it was started.
        journal: Receives what comes.
        feed: Where rates come from.
    """

    def __init__(
        self,
        account: AccountRow,
        spec: Strategy,
        history: FundingRates,
        journal: Journal,
        feed: RateFeed,
    ) -> None:
        self._account, self._spec, self._history = account, spec, history
        self._journal, self._feed = journal, feed
        self._newest: dict[str, pd.Timestamp] = {}
        self._cadence: dict[str, pd.Timedelta] = {}
        for symbol, own in history.by_symbol.items():
            self._newest[symbol] = _stamp(int(own.instants[-1]))
            self._cadence[symbol] = pd.Timedelta(own.cadence, unit="us")
        for row in journal.funding(account.name):
            self._newest[row.symbol] = max(self._newest[row.symbol], row.due_at)

    def take(self, now: pd.Timestamp, newest_bar: pd.Timestamp) -> None:
        """Asks for the rates that are due, and journals those that have come.

        Args:
            now: The present instant.
            newest_bar: The bar that was decided last.
        """
        after = {symbol: self._newest[symbol] for symbol in self.lacking(now)}
        if not after:
            return
        rates = self._feed.fetch(after)
        rates = rates[rates["timestamp"] > rates["symbol"].map(after)]
        if rates.empty:
            return
        self._journal.record_funding(self._account.name, rates, now, newest_bar)
        for symbol, own in rates.groupby("symbol"):
            self._newest[str(symbol)] = pd.Timestamp(own["timestamp"].max())

    def lacking(self, instant: pd.Timestamp) -> tuple[str, ...]:
        """Symbols of which a payment was due by an instant whose rate is not known."""
        return tuple(
            symbol
            for symbol, newest in self._newest.items()
            if newest + self._cadence[symbol] <= instant
        )

    def correction(self, bar: pd.Timestamp) -> Correction | None:
        """What is paid after a bar for the rates that came after their own was decided."""
        return funding_of(self._journal, self._account, self._spec, self._history).correction(
            bar, lambda due_at: find_in_journal(self._journal, self._account, due_at)
        )

    def events(
        self, bar: pd.Timestamp, at: pd.Timestamp, correction: Correction | None
    ) -> tuple[NewEvent, ...]:
        """What is told of the rates at a bar that is decided now."""
        lacking = self.lacking(bar_end(bar, self._account.interval))
        if correction is None and not lacking:
            return ()
        corrected = (
            None
            if correction is None
            else {
                "paid": correction.paid,
                "rates": dict(correction.rates),
                "first": correction.first.isoformat(),
            }
        )
        detail = {"lacking": list(lacking), "corrected": corrected}
        return (NewEvent(at, "funding", bar, detail),)


def funding_of(
    reader: JournalReader, account: AccountRow, spec: Strategy, history: FundingRates
) -> AccountFunding:
    """The rates of an account, as its journal has them."""
    rows = reader.funding(account.name)
    return AccountFunding(history, rows, account.interval, spec.execution.price)


def find_in_journal(
    reader: JournalReader, account: AccountRow, due_at: pd.Timestamp
) -> HeldBar | None:
    """The bar of an account that a payment belongs to; None before its second bar."""
    begin = due_at - interval_length(account.interval) - pd.Timedelta(days=3)
    for decision in reader.decisions(account.name, begin):
        if bar_end(decision.bar, account.interval) >= due_at:
            before = reader.decision_before(account.name, decision.bar)
            if before is None:
                return None
            held = state_of(before).account, state_of(decision).account
            return HeldBar(decision.bar, *held)
    return None


def _stamp(micro: int) -> pd.Timestamp:
    return pd.Timestamp(micro, unit="us", tz="UTC")
