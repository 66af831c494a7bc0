"""The bars of one symbol as its source gave them, now and at every pull before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import interval_length
from engine.data.digest import SHORT, digest, instants
from engine.data.revisions import Revision, compare, in_order

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.spec import Interval
    from engine.types import BarsFrame

    Instants = npt.NDArray[np.datetime64]

LISTED = 1000
"""Vintages of mere extensions that are listed; older ones are still there by their date."""

_TICK = pd.Timedelta(microseconds=1)


@dataclass(frozen=True)
class Vintage:
    """The bars of one symbol from one pull to the next that brought anything.

    Attributes:
        id: First 12 hex digits of the hash of all the bars; see `engine.data.digest`.
        pulled: When they were first seen so.
        bars: How many.
        extended: How many of them are new before or after those of the vintage before.
        revision: What changed of the vintage before; None where it was only extended.
    """

    id: str
    pulled: pd.Timestamp
    bars: int
    extended: int
    revision: Revision | None


@dataclass(frozen=True)
class Past:
    """Bars that a source has revised since.

    Attributes:
        bars: As they were.
        known: When each was first seen so.
        until: When it was first seen otherwise.
    """

    bars: BarsFrame
    known: Instants
    until: Instants


@dataclass(frozen=True)
class Held:
    """The bars of one symbol that were pulled, with what was revised of them.

    A bar is stored once for each value it had, with the instants between which that was what the
    source said; bars as of an instant are those known then. Extending the history by a bar costs
    a bar, and a revision as many as it changed.

    Attributes:
        bars: The newest vintage, in order, without the bar that was unfinished when pulled.
        known: When each of them was first seen as it is.
        past: Bars that were revised.
        vintages: Oldest first; of long ones without revisions, only the newest are listed.
        since: First instant that was asked for; None for all there was.
        pulled: When the source was last asked.
    """

    bars: BarsFrame
    known: Instants
    past: Past
    vintages: tuple[Vintage, ...]
    since: pd.Timestamp | None
    pulled: pd.Timestamp

    @classmethod
    def first(cls, bars: BarsFrame, since: pd.Timestamp | None, pulled: pd.Timestamp) -> Held:
        """The first vintage of a symbol."""
        ordered = in_order(bars)
        vintage = Vintage(_id(ordered), pulled, len(ordered), len(ordered), None)
        none = np.array([], dtype="datetime64[us]")
        return cls(
            bars=ordered,
            known=_all(_instant(pulled), len(ordered)),
            past=Past(ordered.iloc[:0], none, none),
            vintages=(vintage,),
            since=since,
            pulled=pulled,
        )

    @property
    def newest(self) -> Vintage:
        """The vintage that `bars` are."""
        return self.vintages[-1]

    def reaches_back(self, since: pd.Timestamp | None) -> bool:
        """Whether all that was asked for from `since` on is here."""
        return self.since is None or (since is not None and self.since <= since)

    def is_current(self, interval: Interval, until: pd.Timestamp) -> bool:
        """Whether no bar can have finished after the last pull and up to `until`.

        Bars finish at whole intervals after the last one here. No calendar is asked, so that the
        bars of an exchange are pulled once a day over a weekend too.
        """
        if self.bars.empty:
            return False
        last, length = self.bars["timestamp"].max(), interval_length(interval)
        return bool((until - last) // length <= (self.pulled - last) // length)

    def merged(
        self,
        fresh: BarsFrame,
        since: pd.Timestamp | None,
        pulled: pd.Timestamp,
        *,
        adjusted: bool = False,
    ) -> Held:
        """These bars and what a source says now, from the first bar of its answer on.

        Bars before that stay: exchanges and Yahoo show fewer of the past with time. Only where
        prices that are adjusted were revised, such a bar belongs to another adjustment than those
        after it, and leaves with the vintage before.

        Args:
            fresh: The source's bars of a span that ends now.
            since: First instant that was asked for; None for all there is.
            pulled: When.
            adjusted: Whether one event may change every price before it.
        """
        if fresh.empty:
            return replace(self, since=self._earlier(since), pulled=pulled)
        fresh = in_order(fresh)
        older = int((self.bars["timestamp"] < fresh["timestamp"].iloc[0]).sum())
        found = compare(self.bars.iloc[older:].reset_index(drop=True), fresh)
        if found.revision and adjusted and older:
            older, found = 0, compare(self.bars, fresh)
        if not found.news.size and not found.lost.size:
            return replace(self, since=self._earlier(since), pulled=pulled)
        now = max(pulled, self.newest.pulled + _TICK)
        lost = found.lost + older
        stays = np.ones(len(self.bars), dtype=bool)
        stays[lost] = False
        bars = pd.concat([self.bars[stays], fresh.iloc[found.news]], ignore_index=True)
        known = np.concatenate([self.known[stays], _all(_instant(now), len(found.news))])
        order = np.argsort(instants(bars), kind="stable")
        bars = bars.iloc[order].reset_index(drop=True)
        vintage = Vintage(_id(bars), now, len(bars), found.extended, found.revision)
        return Held(
            bars=bars,
            known=known[order],
            past=self._past_with(lost, now),
            vintages=_listed((*self.vintages, vintage)),
            since=self._earlier(since),
            pulled=pulled,
        )

    def as_of(self, instant: pd.Timestamp) -> BarsFrame | None:
        """The bars as the source gave them at an instant; None before the first pull."""
        at = _instant(instant)
        now = self.bars[self.known <= at]
        then = self.past.bars[(self.past.known <= at) & (at < self.past.until)]
        if then.empty:
            return None if now.empty else now.reset_index(drop=True)
        return in_order(pd.concat([now, then], ignore_index=True))

    def vintage_of(self, instant: pd.Timestamp) -> Vintage | None:
        """The newest vintage listed that was pulled at an instant or before."""
        return next((each for each in reversed(self.vintages) if each.pulled <= instant), None)

    def _earlier(self, since: pd.Timestamp | None) -> pd.Timestamp | None:
        return self.since if self.reaches_back(since) else since

    def _past_with(self, lost: npt.NDArray[np.int64], until: pd.Timestamp) -> Past:
        if not lost.size:
            return self.past
        gone = self.bars.iloc[lost]
        parts = [gone] if self.past.bars.empty else [self.past.bars, gone]
        return Past(
            bars=pd.concat(parts, ignore_index=True),
            known=np.concatenate([self.past.known, self.known[lost]]),
            until=np.concatenate([self.past.until, _all(_instant(until), len(lost))]),
        )


@dataclass(frozen=True)
class Moment:
    """A vintage of a whole dataset: one of each symbol.

    Attributes:
        id: First 12 hex digits of the hash over those of the symbols.
        pulled: When the last of them was pulled.
        vintages: Symbol -> its vintage then.
        news: Symbols whose vintage began then.
    """

    id: str
    pulled: pd.Timestamp
    vintages: dict[str, Vintage]
    news: tuple[str, ...] = field(default=())


def moments(held: dict[str, Held]) -> list[Moment]:
    """The vintages of a dataset, oldest first, from when every symbol has one.

    Args:
        held: Symbol -> what is held of it, in the dataset's order.
    """
    made = []
    for instant in sorted({each.pulled for one in held.values() for each in one.vintages}):
        found = {symbol: one.vintage_of(instant) for symbol, one in held.items()}
        known = {symbol: each for symbol, each in found.items() if each is not None}
        if len(known) == len(held):
            news = tuple(symbol for symbol, each in known.items() if each.pulled == instant)
            made.append(Moment(combined(known), instant, known, news))
    return made


def combined(vintages: dict[str, Vintage]) -> str:
    """The name of the vintages of several symbols together, in the dataset's order."""
    import hashlib

    text = "\n".join(f"{symbol} {each.id}" for symbol, each in vintages.items())
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]


def _id(bars: BarsFrame) -> str:
    return digest(bars)[:SHORT]


def _instant(stamp: pd.Timestamp) -> np.datetime64:
    return np.datetime64(stamp.tz_convert("UTC").tz_localize(None), "us")


def _all(instant: np.datetime64, count: int) -> Instants:
    return np.full(count, instant, dtype="datetime64[us]")


def _listed(vintages: tuple[Vintage, ...]) -> tuple[Vintage, ...]:
    """Every revision and its vintage before, the first, and the newest of the others."""
    if len(vintages) <= LISTED:
        return vintages
    oldest = next(
        (
            place
            for place in range(1, len(vintages) - 1)
            if vintages[place].revision is None and vintages[place + 1].revision is None
        ),
        None,
    )
    return vintages if oldest is None else vintages[:oldest] + vintages[oldest + 1 :]
