"""Bars that a source corrects after they were decided: what changed, and what it would change.

The decision stays: it was made of what was known. The correction is filed, with the decisions that
would have been others had the bar come so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.live.journal.journal import NewEvent
from engine.live.journal.rows import finite_or_none
from engine.live.loop.bar_loop import BarLoop
from engine.live.loop.loop_state import LoopState
from engine.live.paper.account_bars import VALUES, load_account_market, replace_bars

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.core.types import BarsFrame
    from engine.live.journal.reader import JournalReader
    from engine.live.journal.rows import AccountRow
    from engine.strategy import Strategy

WATCHED_BARS = 5
"""Bars before the newest that are fetched again with it; the comparison with the backtest finds
older corrections."""

MAX_DECIDED_AGAIN = 1_000
"""Decisions after a revised bar that are made again."""

Values = tuple[float, ...]


def same_values(one: Values, other: Values) -> bool:
    """Whether two bars have the same values; NaN, a volume that is not known, equals itself."""
    return bool(np.array_equal(np.array(one), np.array(other), equal_nan=True))


def describe_change(was: Values, now: Values) -> dict[str, list[float | None]]:
    """Column -> value that was decided on and value now, of those that differ."""
    return {
        column: [finite_or_none(before), finite_or_none(after)]
        for column, before, after in zip(VALUES, was, now, strict=True)
        if not same_values((before,), (after,))
    }


def largest_change(changes: Mapping[str, Mapping[str, list[float | None]]]) -> float:
    """The largest change of a price relative to what it was; 0 where only volumes changed."""
    return max(
        (
            abs(pair[1] / pair[0] - 1.0)
            for columns in changes.values()
            for column, pair in columns.items()
            if column != "volume" and pair[0] and pair[1] is not None
        ),
        default=0.0,
    )


class RevisionWatch:
    """Compares bars that a feed gives again with those that were decided.

    Args:
        account: The account.
        reader: The journal.
        home: Folder of histories and fits.
        spec: The strategy.
    """

    def __init__(
        self, account: AccountRow, reader: JournalReader, home: Path, spec: Strategy
    ) -> None:
        self._account, self._reader = account, reader
        self._home, self._spec = home, spec
        self._known: dict[pd.Timestamp, dict[str, Values]] = {}
        for row in reader.newest_bars(account.name, WATCHED_BARS + 1):
            values = tuple(float(getattr(row, column)) for column in VALUES)
            self._known.setdefault(row.bar, {})[row.symbol] = values
        self._told = {
            (event.bar, str(event.detail.get("symbols")))
            for event in reader.events(account.name)
            if event.kind == "revision"
        }

    @property
    def first_watched(self) -> pd.Timestamp | None:
        """The first bar that is watched; None before the first decision."""
        return min(self._known, default=None)

    def fetch_after(self, newest: pd.Timestamp) -> pd.Timestamp:
        """The bar after which bars are fetched, so that the last ones come again.

        Args:
            newest: The bar that was decided last.
        """
        if not self._known:
            return newest
        if len(self._known) <= WATCHED_BARS:
            # All that was decided is watched, from the first bar after the history on.
            return self._account.history_last
        return min(self._known)

    def remember(self, bars: BarsFrame) -> None:
        """Takes the bars of one timestamp that was decided."""
        bar = pd.Timestamp(bars["timestamp"].iloc[0])
        self._known[bar] = _values_by_symbol(bars)
        for old in sorted(self._known)[: -WATCHED_BARS - 1]:
            del self._known[old]

    def find(self, fetched: BarsFrame, at: pd.Timestamp) -> list[NewEvent]:
        """The revisions among fetched bars that were not told yet."""
        watched = fetched[fetched["timestamp"].isin(list(self._known))]
        events = []
        for _, group in watched.groupby("timestamp", sort=True):
            bar = pd.Timestamp(group["timestamp"].iloc[0])
            known = self._known[bar]
            changes = {
                symbol: change
                for symbol, now in _values_by_symbol(group).items()
                if symbol in known and (change := describe_change(known[symbol], now))
            }
            if changes and (bar, str(changes)) not in self._told:
                self._told.add((bar, str(changes)))
                events.append(self._event(bar, changes, group, at))
        return events

    def _event(
        self, bar: pd.Timestamp, changes: dict[str, Any], revised: BarsFrame, at: pd.Timestamp
    ) -> NewEvent:
        detail = {
            "symbols": changes,
            "largest_change": largest_change(changes),
            **decide_again(self._reader, self._account, self._spec, self._home, revised),
        }
        return NewEvent(at, "revision", bar, detail)


def decide_again(
    reader: JournalReader,
    account: AccountRow,
    spec: Strategy,
    home: Path,
    revised: BarsFrame,
) -> dict[str, Any]:
    """The decisions from the first revised bar on, made of the revised bars.

    Args:
        reader: The journal.
        account: The account.
        spec: Its strategy.
        home: Folder of histories and fits.
        revised: Long bars that replace those of the journal.

    Returns:
        `would_differ`; `compared` and `differing`, numbers of decisions; `first_differing`, a bar
        or None.
    """
    first = pd.Timestamp(revised["timestamp"].min())
    before = reader.decision_before(account.name, first)
    last = None if before is None else before.bar
    later = reader.decisions(account.name, last)[:MAX_DECIDED_AGAIN]
    known = load_account_market(reader, account, home)
    market = replace_bars(known, revised)
    loop = BarLoop.start(
        spec,
        market.until(first - pd.Timedelta(microseconds=1)),
        load_history=market.until,
        home=home,
        state=None if before is None else LoopState.model_validate_json(before.state),
    )
    by_bar = dict(tuple(market.bars.groupby("timestamp")))
    differing = [
        each.bar
        for each in later
        if dict(loop.advance(by_bar[each.bar]).targets) != dict(each.targets)
    ]
    return {
        "would_differ": bool(differing),
        "compared": len(later),
        "differing": len(differing),
        "first_differing": differing[0].isoformat() if differing else None,
    }


def _values_by_symbol(bars: BarsFrame) -> dict[str, Values]:
    rows = bars[list(VALUES)].to_numpy(dtype=float).tolist()
    return dict(zip(bars["symbol"].tolist(), map(tuple, rows), strict=True))
