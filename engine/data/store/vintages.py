"""Vintages: the bars of one symbol as its source delivered them, at every pull so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bars import NO_DELAY, SHORT_HASH_LENGTH, hash_bars, sort_bars, utc_datetime64
from engine.data.calendar import MONTH, interval_length
from engine.data.intervals import bar_end
from engine.data.store.diff import compare_bars

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame
    from engine.data.bar_times import TradingTimes
    from engine.data.store.revisions import Revision

    Instants = npt.NDArray[np.datetime64]

MAX_LISTED_VINTAGES = 1000
"""Most listed vintages without a revision; older ones can still be read by their date."""

_MICROSECOND = pd.Timedelta(microseconds=1)


@dataclass(frozen=True)
class Vintage:
    """The bars of one symbol from one pull to the next that changed or extended them.

    Attributes:
        id: First 12 hex digits of the hash of all the bars; see `engine.data.bars.hash_bars`.
        fetched_at: When they were first fetched in this form.
        bars: How many.
        extended_by: How many of them are new before or after those of the vintage before.
        revision: What changed since the vintage before; None where it was only extended.
    """

    id: str
    fetched_at: pd.Timestamp
    bars: int
    extended_by: int
    revision: Revision | None


@dataclass(frozen=True)
class SupersededBars:
    """Bars that a source has since revised.

    Attributes:
        bars: With their earlier values.
        known_since: When each was first fetched with these values.
        known_until: When it was first fetched with other values, or was missing.
    """

    bars: BarsFrame
    known_since: Instants
    known_until: Instants


@dataclass(frozen=True)
class VersionedBars:
    """The pulled bars of one symbol, with their revisions.

    A bar is stored once for each set of values it had, with the instants between which the source
    delivered these; bars as of an instant are those known then. A new bar costs one row, a
    revision one row for each bar it changed.

    Attributes:
        bars: The newest vintage, ascending, without the bar that was unfinished when pulled.
        known_since: When each of them was first fetched with these values.
        superseded: Bars that were revised.
        vintages: Oldest first; of a long list without revisions only the newest are kept.
        requested_since: First instant that was requested; None for all there was.
        fetched_at: When the source was last requested.
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
        """The vintage of `bars`."""
        return self.vintages[-1]

    def covers_since(self, since: pd.Timestamp | None) -> bool:
        """Whether all bars from `since` on were requested."""
        return self.requested_since is None or (
            since is not None and self.requested_since <= since
        )

    def is_current(
        self, times: TradingTimes, until: pd.Timestamp, delay: pd.Timedelta = NO_DELAY
    ) -> bool:
        """Whether no bar can have closed after the last pull and up to `until`.

        Bars end at whole intervals after the last one here, and daily and longer ones at the close
        of a session before that. The bars of an exchange are pulled once a day over a weekend too.

        Args:
            times: When the bars close.
            until: The instant.
            delay: How long after the close of a session its source completes the bar.
        """
        if self.bars.empty:
            return False
        last, interval = self.bars["timestamp"].max(), times.interval
        if times.follow_sessions and times.has_closed_between(
            last, self.fetched_at - delay, until - delay
        ):
            return False
        if interval == MONTH:
            return bool(until < bar_end(self.fetched_at, MONTH))
        length = interval_length(interval)
        return bool((until - last) // length <= (self.fetched_at - last) // length)

    def merge(
        self,
        fetched: BarsFrame,
        since: pd.Timestamp | None,
        fetched_at: pd.Timestamp,
        *,
        adjusted: bool = False,
    ) -> VersionedBars:
        """These bars, updated from the first fetched bar on.

        Earlier bars stay: exchanges and Yahoo deliver less of the past with time. Only where
        adjusted prices were revised are earlier bars superseded too: they belong to another
        adjustment than the later ones.

        Args:
            fetched: The source's bars of a span that ends now.
            since: First instant that was requested; None for all there is.
            fetched_at: When they were fetched.
            adjusted: Whether one event can change every price before it.
        """
        if fetched.empty:
            return replace(
                self, requested_since=self._earliest_requested(since), fetched_at=fetched_at
            )
        fetched = sort_bars(fetched)
        older = int((self.bars["timestamp"] < fetched["timestamp"].iloc[0]).sum())
        changes = compare_bars(self.bars.iloc[older:].reset_index(drop=True), fetched)
        if changes.revision and adjusted and older:
            older, changes = 0, compare_bars(self.bars, fetched)
        if not changes.updates.size and not changes.superseded.size:
            return replace(
                self, requested_since=self._earliest_requested(since), fetched_at=fetched_at
            )
        now = max(fetched_at, self.latest_vintage.fetched_at + _MICROSECOND)
        superseded = changes.superseded + older
        stays = np.ones(len(self.bars), dtype=bool)
        stays[superseded] = False
        bars = pd.concat([self.bars[stays], fetched.iloc[changes.updates]], ignore_index=True)
        known = np.concatenate(
            [self.known_since[stays], _repeat_instant(_to_datetime64(now), len(changes.updates))]
        )
        order = np.argsort(utc_datetime64(bars), kind="stable")
        bars = bars.iloc[order].reset_index(drop=True)
        vintage = Vintage(
            _compute_vintage_id(bars), now, len(bars), changes.extended_by, changes.revision
        )
        return VersionedBars(
            bars=bars,
            known_since=known[order],
            superseded=self._add_superseded(superseded, now),
            vintages=_limit_listed((*self.vintages, vintage)),
            requested_since=self._earliest_requested(since),
            fetched_at=fetched_at,
        )

    def as_of(self, instant: pd.Timestamp) -> BarsFrame | None:
        """The bars as the source delivered them at an instant; None before the first pull."""
        at = _to_datetime64(instant)
        current = self.bars[self.known_since <= at]
        superseded = self.superseded.bars[
            (self.superseded.known_since <= at) & (at < self.superseded.known_until)
        ]
        if superseded.empty:
            return None if current.empty else current.reset_index(drop=True)
        return sort_bars(pd.concat([current, superseded], ignore_index=True))

    def vintage_at(self, instant: pd.Timestamp) -> Vintage | None:
        """The newest vintage listed that was pulled at an instant or before."""
        return next((each for each in reversed(self.vintages) if each.fetched_at <= instant), None)

    def _earliest_requested(self, since: pd.Timestamp | None) -> pd.Timestamp | None:
        return self.requested_since if self.covers_since(since) else since

    def _add_superseded(self, rows: npt.NDArray[np.int64], until: pd.Timestamp) -> SupersededBars:
        if not rows.size:
            return self.superseded
        bars = self.bars.iloc[rows]
        parts = [bars] if self.superseded.bars.empty else [self.superseded.bars, bars]
        return SupersededBars(
            bars=pd.concat(parts, ignore_index=True),
            known_since=np.concatenate([self.superseded.known_since, self.known_since[rows]]),
            known_until=np.concatenate(
                [self.superseded.known_until, _repeat_instant(_to_datetime64(until), len(rows))]
            ),
        )


@dataclass(frozen=True)
class DatasetVintage:
    """A vintage of a whole dataset: one of each symbol.

    Attributes:
        id: First 12 hex digits of the hash over the symbols' ids.
        fetched_at: When the newest of them was pulled.
        vintages: Symbol -> its vintage at that time.
        updated_symbols: Symbols whose vintage began at that time.
    """

    id: str
    fetched_at: pd.Timestamp
    vintages: dict[str, Vintage]
    updated_symbols: tuple[str, ...] = field(default=())


def list_dataset_vintages(versioned_bars: dict[str, VersionedBars]) -> list[DatasetVintage]:
    """The vintages of a dataset, oldest first, from when every symbol has one.

    Args:
        versioned_bars: Symbol -> its cached bars, in the dataset's order.
    """
    listed = []
    for instant in sorted(
        {each.fetched_at for one in versioned_bars.values() for each in one.vintages}
    ):
        newest = {symbol: one.vintage_at(instant) for symbol, one in versioned_bars.items()}
        known = {symbol: each for symbol, each in newest.items() if each is not None}
        if len(known) == len(versioned_bars):
            updated = tuple(symbol for symbol, each in known.items() if each.fetched_at == instant)
            listed.append(DatasetVintage(combine_vintage_ids(known), instant, known, updated))
    return listed


def combine_vintage_ids(vintages: dict[str, Vintage]) -> str:
    """The id of the vintages of several symbols together, in the dataset's order."""
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
    """Drops the oldest vintage that is neither first, nor revised, nor followed by a revision."""
    if len(vintages) <= MAX_LISTED_VINTAGES:
        return vintages
    oldest = next(
        (
            index
            for index in range(1, len(vintages) - 1)
            if vintages[index].revision is None and vintages[index + 1].revision is None
        ),
        None,
    )
    return vintages if oldest is None else vintages[:oldest] + vintages[oldest + 1 :]
