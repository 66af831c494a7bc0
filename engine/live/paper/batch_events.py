"""What is told of the bars that are decided at one time: late ones, missed orders, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.live.journal.journal import NewEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.core.types import BarsFrame
    from engine.live.loop.loop_state import BarOutcome
    from engine.live.paper.late_orders import LatePolicy, TimedOrder
    from engine.live.paper.row_assembly import AssembledRow
    from engine.signals.decision import DecisionState


class BatchEvents:
    """Collects what happens to the bars that come together, and tells it with the newest.

    A process can end before the newest is decided: what was not told until then is told with the
    newest of the next bars.

    Args:
        policy: What is late.
        late: Bars that were decided late, and no event has told it.
        missed: The bar of each order that was missed, and no event has told it.
    """

    def __init__(
        self,
        policy: LatePolicy,
        late: Iterable[pd.Timestamp] = (),
        missed: Iterable[pd.Timestamp] = (),
    ) -> None:
        self._policy = policy
        self._last: pd.Timestamp | None = None
        self._came: dict[pd.Timestamp, list[str]] = {}
        self._late = list(late)
        self._missed = list(missed)
        self._deferred: list[TimedOrder] = []

    def begin(self, newest: pd.Timestamp, fresh: BarsFrame, complete: Sequence[BarsFrame]) -> None:
        """Begins a batch.

        Args:
            newest: The bar that was decided last.
            fresh: All bars that came since, also those of timestamps that lack a symbol.
            complete: Those that will be decided.
        """
        self._last = newest
        self._deferred = []
        decided = {pd.Timestamp(each["timestamp"].iloc[0]) for each in complete}
        partial = fresh[~fresh["timestamp"].isin(list(decided))]
        self._came = {
            pd.Timestamp(group["timestamp"].iloc[0]): list(group["symbol"])
            for _, group in partial.groupby("timestamp")
        }

    def events_of(
        self,
        outcome: BarOutcome,
        timed: Sequence[TimedOrder],
        decided_at: pd.Timestamp,
        *,
        is_newest: bool,
    ) -> tuple[NewEvent, ...]:
        """The events that are journaled with a bar."""
        bar = outcome.timestamp
        self._missed += [bar for each in timed if each.status == "missed"]
        self._deferred += [each for each in timed if each.status == "deferred"]
        if self._policy.is_late(bar, decided_at):
            self._late.append(bar)
        events = [*self._gap(bar, decided_at)]
        if outcome.trained:
            detail = {"window": outcome.window, "fits": outcome.trained}
            events.append(NewEvent(decided_at, "trained", bar, detail))
        if is_newest and self._late:
            events.append(NewEvent(decided_at, "late", bar, self._late_detail(bar, decided_at)))
        if is_newest and (self._missed or self._deferred):
            events.append(NewEvent(decided_at, "missed", bar, self._missed_detail()))
        if is_newest:
            self._late, self._missed, self._deferred = [], [], []
        return tuple(events)

    def _gap(self, bar: pd.Timestamp, decided_at: pd.Timestamp) -> tuple[NewEvent, ...]:
        """The bars between the last one and this that the calendar has and that never came."""
        last, self._last = self._last, bar
        if last is None:
            return ()
        count = self._policy.times.expected_between(last, bar)
        came = {
            stamp.isoformat(): symbols
            for stamp, symbols in self._came.items()
            if last < stamp < bar
        }
        if not count and not came:
            return ()
        detail = {"after": last.isoformat(), "bars": max(count, len(came)), "incomplete": came}
        return (NewEvent(decided_at, "absent", bar, detail),)

    def _late_detail(self, bar: pd.Timestamp, decided_at: pd.Timestamp) -> dict[str, Any]:
        delay = decided_at - self._policy.times.is_complete_at(bar)
        return {
            "bars": len(self._late),
            "first": self._late[0].isoformat(),
            "last": self._late[-1].isoformat(),
            "newest_delay_s": delay / pd.Timedelta(seconds=1),
        }

    def _missed_detail(self) -> dict[str, Any]:
        return {
            "policy": self._policy.missed,
            "missed": len(self._missed),
            "deferred": [
                {
                    "symbol": each.order.symbol,
                    "target_weight": each.order.target_weight,
                    "due_in_bars": self._policy.due_in_bars(each.order),
                }
                for each in self._deferred
            ],
            "decided_on": [
                bar.isoformat()
                for bar in (*self._missed, *(each.order.decided_on for each in self._deferred))
            ][-20:],
        }


def tell_incomplete(
    row: AssembledRow, bar: pd.Timestamp, decided_at: pd.Timestamp
) -> tuple[NewEvent, ...]:
    """The event of a row that was decided without bars that were expected; none of another.

    Args:
        row: As it was decided.
        bar: Its timestamp.
        decided_at: When.
    """
    if not row.late_symbols and not row.late_rates:
        return ()
    detail = {"symbols": list(row.late_symbols), "rates": list(row.late_rates)}
    return (NewEvent(decided_at, "incomplete", bar, detail),)


def tell_failed_optimum(
    before: DecisionState, after: DecisionState, decided_at: pd.Timestamp
) -> tuple[NewEvent, ...]:
    """The event of a rebalancing that had no optimum; none of another decision.

    Args:
        before: The decisions before the bar.
        after: Those after it.
        decided_at: When it was decided.
    """
    if after.failed_optima <= before.failed_optima or after.decided_on is None:
        return ()
    detail = {"failed_optima": after.failed_optima}
    return (NewEvent(decided_at, "optimum", pd.Timestamp(after.decided_on), detail),)
