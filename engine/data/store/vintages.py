"""The bars of one symbol as its source gave them, now and at every pull before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import interval_length
from engine.data.store.hashing import SHORT_HASH_LENGTH, hash_bars, utc_datetime64
from engine.data.store.revisions import Revision, compare_bars, sort_bars

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame
    from engine.data.config import BarInterval

    Instants = npt.NDArray[np.datetime64]

MAX_LISTED_VINTAGES = 1000
"""Vintages of mere extensions that are listed; older ones are still there by their date."""

_MICROSECOND = pd.Timedelta(microseconds=1)


@dataclass(frozen=True)
class Vintage:
    """The bars of one symbol from one pull to the next that brought anything.

    Attributes:
        id: First 12 hex digits of the hash of all the bars; see `engine.data.store.hashing`.
        fetched_at: When they were first seen so.
        bars: How many.
        extended_by: How many of them are new before or after those of the vintage before.
        revision: What changed of the vintage before; None where it was only extended.
    """

    id: str
    fetched_at: pd.Timestamp
    bars: int
    extended_by: int
    revision: Revision | None


@dataclass(frozen=True)
class SupersededBars:
    """Bars that a source has revised since.

    Attributes:
        bars: As they were.
        known_since: When each was first seen so.
        known_until: When it was first seen otherwise.
    """

    bars: BarsFrame
    known_since: Instants
    known_until: Instants


@dataclass(frozen=True)
class VersionedBars:
    """The bars of one symbol that were pulled, with what was revised of them.

    A bar is stored once for each value it had, with the instants between which that was what the
    source said; bars as of an instant are those known then. Extending the history by a bar costs
    a bar, and a revision as many as it changed.

    Attributes:
        bars: The newest vintage, in order, without the bar that was unfinished when pulled.
        known_since: When each of them was first seen as it is.
        superseded: Bars that were revised.
        vintages: Oldest first; of long ones without revisions, only the newest are listed.
        requested_since: First instant that was asked for; None for all there was.
        fetched_at: When the source was last asked.
    """

    bars: BarsFrame
    known_since: Instants
    superseded: SupersededBars
    vintages: tuple[Vintage, ...]
    requested_since: pd.Timestamp | None
    fetched_at: pd.Timestamp

    @classmethod
    def from_first_fetch(
        cls, bars: BarsFrame, since: pd.Timestamp | None, fetched_at: pd.Timestamp
    ) -> VersionedBars:
        """The first vintage of a symbol."""
        ordered = sort_bars(bars)
        vintage = Vintage(
            _compute_vintage_id(ordered), fetched_at, len(ordered), len(ordered), None
        )
        none = np.array([], dtype="datetime64[us]")
        return cls(
            bars=ordered,
            known_since=_repeat_instant(_to_datetime64(fetched_at), len(ordered)),
            superseded=SupersededBars(ordered.iloc[:0], none, none),
            vintages=(vintage,),
            requested_since=since,
            fetched_at=fetched_at,
        )

    @property
    def latest_vintage(self) -> Vintage:
        """The vintage that `bars` are."""
        return self.vintages[-1]

    def covers_since(self, since: pd.Timestamp | None) -> bool:
        """Whether all that was asked for from `requested_since` on is here."""
        return self.requested_since is None or (
            since is not None and self.requested_since <= since
        )

    def is_current(self, interval: BarInterval, until: pd.Timestamp) -> bool:
        """Whether no bar can have finished after the last pull and up to `until`.

        Bars finish at whole intervals after the last one here. No calendar is asked, so that the
        bars of an exchange are pulled once a day over a weekend too.
        """
        if self.bars.empty:
            return False
        last, length = self.bars["timestamp"].max(), interval_length(interval)
        return bool((until - last) // length <= (self.fetched_at - last) // length)

    def merge(
        self,
        fetched: BarsFrame,
        since: pd.Timestamp | None,
        fetched_at: pd.Timestamp,
        *,
        adjusted: bool = False,
    ) -> VersionedBars:
        """These bars and what a source says now, from the first bar of its answer on.

        Bars before that stay: exchanges and Yahoo show fewer of the past with time. Only where
        prices that are adjusted were revised, such a bar belongs to another adjustment than those
        after it, and leaves with the vintage before.

        Args:
            fetched: The source's bars of a span that ends now.
            since: First instant that was asked for; None for all there is.
            fetched_at: When.
            adjusted: Whether one event may change every price before it.
        """
        if fetched.empty:
            return replace(
                self, requested_since=self._earliest_requested(since), fetched_at=fetched_at
            )
        fetched = sort_bars(fetched)
        older = int((self.bars["timestamp"] < fetched["timestamp"].iloc[0]).sum())
        found = compare_bars(self.bars.iloc[older:].reset_index(drop=True), fetched)
        if found.revision and adjusted and older:
            older, found = 0, compare_bars(self.bars, fetched)
        if not found.updates.size and not found.superseded.size:
            return replace(
                self, requested_since=self._earliest_requested(since), fetched_at=fetched_at
            )
        now = max(fetched_at, self.latest_vintage.fetched_at + _MICROSECOND)
        lost = found.superseded + older
        stays = np.ones(len(self.bars), dtype=bool)
        stays[lost] = False
        bars = pd.concat([self.bars[stays], fetched.iloc[found.updates]], ignore_index=True)
        known = np.concatenate(
            [self.known_since[stays], _repeat_instant(_to_datetime64(now), len(found.updates))]
        )
        order = np.argsort(utc_datetime64(bars), kind="stable")
        bars = bars.iloc[order].reset_index(drop=True)
        vintage = Vintage(
            _compute_vintage_id(bars), now, len(bars), found.extended_by, found.revision
        )
        return VersionedBars(
            bars=bars,
            known_since=known[order],
            superseded=self._add_superseded(lost, now),
            vintages=_limit_listed((*self.vintages, vintage)),
            requested_since=self._earliest_requested(since),
            fetched_at=fetched_at,
        )

    def as_of(self, instant: pd.Timestamp) -> BarsFrame | None:
        """The bars as the source gave them at an instant; None before the first pull."""
        at = _to_datetime64(instant)
        now = self.bars[self.known_since <= at]
        then = self.superseded.bars[
            (self.superseded.known_since <= at) & (at < self.superseded.known_until)
        ]
        if then.empty:
            return None if now.empty else now.reset_index(drop=True)
        return sort_bars(pd.concat([now, then], ignore_index=True))

    def vintage_at(self, instant: pd.Timestamp) -> Vintage | None:
        """The newest vintage listed that was pulled at an instant or before."""
        return next((each for each in reversed(self.vintages) if each.fetched_at <= instant), None)

    def _earliest_requested(self, since: pd.Timestamp | None) -> pd.Timestamp | None:
        return self.requested_since if self.covers_since(since) else since

    def _add_superseded(self, lost: npt.NDArray[np.int64], until: pd.Timestamp) -> SupersededBars:
        if not lost.size:
            return self.superseded
        gone = self.bars.iloc[lost]
        parts = [gone] if self.superseded.bars.empty else [self.superseded.bars, gone]
        return SupersededBars(
            bars=pd.concat(parts, ignore_index=True),
            known_since=np.concatenate([self.superseded.known_since, self.known_since[lost]]),
            known_until=np.concatenate(
                [self.superseded.known_until, _repeat_instant(_to_datetime64(until), len(lost))]
            ),
        )


@dataclass(frozen=True)
class DatasetVintage:
    """A vintage of a whole dataset: one of each symbol.

    Attributes:
        id: First 12 hex digits of the hash over those of the symbols.
        fetched_at: When the last of them was pulled.
        vintages: Symbol -> its vintage then.
        updated_symbols: Symbols whose vintage began then.
    """

    id: str
    fetched_at: pd.Timestamp
    vintages: dict[str, Vintage]
    updated_symbols: tuple[str, ...] = field(default=())


def list_dataset_vintages(versioned_bars: dict[str, VersionedBars]) -> list[DatasetVintage]:
    """The vintages of a dataset, oldest first, from when every symbol has one.

    Args:
        versioned_bars: Symbol -> what is held of it, in the dataset's order.
    """
    made = []
    for instant in sorted(
        {each.fetched_at for one in versioned_bars.values() for each in one.vintages}
    ):
        found = {symbol: one.vintage_at(instant) for symbol, one in versioned_bars.items()}
        known = {symbol: each for symbol, each in found.items() if each is not None}
        if len(known) == len(versioned_bars):
            news = tuple(symbol for symbol, each in known.items() if each.fetched_at == instant)
            made.append(DatasetVintage(combine_vintage_ids(known), instant, known, news))
    return made


def combine_vintage_ids(vintages: dict[str, Vintage]) -> str:
    """The name of the vintages of several symbols together, in the dataset's order."""
    import hashlib

    text = "\n".join(f"{symbol} {each.id}" for symbol, each in vintages.items())
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT_HASH_LENGTH]


def _compute_vintage_id(bars: BarsFrame) -> str:
    return hash_bars(bars)[:SHORT_HASH_LENGTH]


def _to_datetime64(stamp: pd.Timestamp) -> np.datetime64:
    return np.datetime64(stamp.tz_convert("UTC").tz_localize(None), "us")


def _repeat_instant(instant: np.datetime64, count: int) -> Instants:
    return np.full(count, instant, dtype="datetime64[us]")


def _limit_listed(vintages: tuple[Vintage, ...]) -> tuple[Vintage, ...]:
    """Every revision and its vintage before, the first, and the newest of the others."""
    if len(vintages) <= MAX_LISTED_VINTAGES:
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
