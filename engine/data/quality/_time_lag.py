"""Whether the clocks of two symbols differ: their returns, or their times of day, are moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import DAY_US, SECOND_US

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector

_HALF_HOUR_US = 1_800 * SECOND_US
# No two time zones are further apart.
_MAX_LAG_US = 26 * _HALF_HOUR_US
# Of daily bars a date can be off by one or two.
_MAX_DAYS = 2

# Compared in parts: the difference of two clocks changes with daylight saving.
_PARTS, _PART_BARS = 12, 2_000
_MIN_RETURNS = 60
# Two markets of one time are correlated at once; one that follows another has by far less of the
# correlation later on (Asia after New York: 0.4 a day later, 0.15 at once).
_MIN_CORRELATION, _MIN_DAILY_CORRELATION, _MIN_GAIN = 0.5, 0.7, 0.3

_USUAL_SHARE, _MIN_SAME_TIMES, _MIN_DAYS = 0.5, 0.95, 3


@dataclass(frozen=True)
class TimeLag:
    """How much later than those of another symbol the bars of a symbol lie.

    Attributes:
        micro: Microseconds; below 0 they lie earlier.
        evidence: How it is known, in words.
    """

    micro: int
    evidence: str

    def __str__(self) -> str:
        """As in `4 h after`."""
        hours = abs(self.micro) / (2 * _HALF_HOUR_US)
        text = f"{hours:g} h" if hours < 24 else f"{hours / 24:g} d"
        return f"{text} {'after' if self.micro > 0 else 'before'}"


@dataclass(frozen=True, eq=False)
class PriceSeries:
    """The closes of one symbol.

    Attributes:
        stamps: Of its bars, ascending, microseconds since 1970, shape (n,).
        closes: Shape (n,).
    """

    stamps: IntVector
    closes: Vector

    def returns(self, length: int) -> PriceSeries:
        """Log returns of the bars that follow the one before at once."""
        # Over a pause of days every market moves: a first bar is none of an hour.
        follows = np.diff(self.stamps) <= (4 * DAY_US if length >= DAY_US else length)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.diff(np.log(self.closes))
        follows &= np.isfinite(values)
        return PriceSeries(self.stamps[1:][follows], values[follows])


def find_time_lag(reference: PriceSeries, other: PriceSeries, length: int) -> TimeLag | None:
    """The lag of one symbol behind another; None where nothing speaks for one.

    Args:
        reference: The symbol that is taken as right.
        other: The one that is compared.
        length: Of a bar, microseconds.
    """
    if length > DAY_US:
        return None
    return _lag_of_returns(reference, other, length) or _lag_of_times(reference, other, length)


def _lags(length: int) -> list[int]:
    if length == DAY_US:
        return [days * DAY_US for days in range(-_MAX_DAYS, _MAX_DAYS + 1) if days]
    step = max(length, _HALF_HOUR_US)
    return [lag for lag in range(-(_MAX_LAG_US // step) * step, _MAX_LAG_US + 1, step) if lag]


def _lag_of_returns(reference: PriceSeries, other: PriceSeries, length: int) -> TimeLag | None:
    """The lag at which returns are correlated, in most parts of the history, and not at once."""
    ours, theirs = reference.returns(length), other.returns(length)
    edges = np.linspace(0, len(ours.stamps), _PARTS + 1).astype(int)
    found: list[tuple[int, float]] = []
    parts = 0
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = slice(begin, min(end, begin + _PART_BARS))
        part = PriceSeries(ours.stamps[rows], ours.closes[rows])
        best = _best_lag(part, theirs, length)
        if best is None:
            continue
        parts += 1
        found += [best] if best[0] else []
    if not found or len(found) <= parts / 2:
        return None
    lags = [lag for lag, _ in found]
    usual = max(dict.fromkeys(lags), key=lags.count)
    correlation = float(np.median([value for lag, value in found if lag == usual]))
    others = [str(TimeLag(lag, "")) for lag in dict.fromkeys(lags) if lag != usual]
    also = f" ({', '.join(others[:2])} in a part of the history)" if others else ""
    return TimeLag(
        usual,
        f"moved by that much{also}, the returns of the two have a correlation of "
        f"{correlation:.2f}, and by far less at the same timestamps",
    )


def _best_lag(part: PriceSeries, theirs: PriceSeries, length: int) -> tuple[int, float] | None:
    """The lag of the highest correlation, 0 where none is much above that at once.

    None where too few returns can be compared.
    """
    if len(part.stamps) < _MIN_RETURNS:
        return None
    span = slice(
        *np.searchsorted(
            theirs.stamps, [part.stamps[0] - 3 * DAY_US, part.stamps[-1] + 3 * DAY_US]
        ).tolist()
    )
    near = PriceSeries(theirs.stamps[span], theirs.closes[span])
    at_once = _correlation(part, near, 0) or 0.0
    values = {lag: _correlation(part, near, lag) for lag in _lags(length)}
    known = {lag: value for lag, value in values.items() if value is not None}
    if not known:
        return None
    best = max(known, key=lambda lag: known[lag])
    enough = _MIN_DAILY_CORRELATION if length == DAY_US else _MIN_CORRELATION
    if known[best] >= enough and known[best] - max(at_once, 0.0) >= _MIN_GAIN:
        return best, known[best]
    return 0, at_once


def _correlation(ours: PriceSeries, theirs: PriceSeries, lag: int) -> float | None:
    """Correlation of our returns with those that lie later by a lag; None for too few."""
    if theirs.stamps.size < _MIN_RETURNS:
        return None
    place = np.searchsorted(theirs.stamps, ours.stamps + lag)
    mine = np.flatnonzero(theirs.stamps.take(place, mode="clip") == ours.stamps + lag)
    if mine.size < _MIN_RETURNS:
        return None
    others = place[mine]
    one, two = ours.closes[mine], theirs.closes[others]
    one, two = one - one.mean(), two - two.mean()
    scale = np.sqrt((one @ one) * (two @ two))
    return float(one @ two / scale) if scale > 0.0 else None


def _lag_of_times(reference: PriceSeries, other: PriceSeries, length: int) -> TimeLag | None:
    """The lag by which the usual times of day of one symbol are those of the other, moved."""
    if length > 2 * _HALF_HOUR_US:
        return None
    width = min(length, _HALF_HOUR_US)
    ours, theirs = (_usual_times(series.stamps, width) for series in (reference, other))
    if ours is None or theirs is None or ours.size in (0, DAY_US // width):
        return None
    day = DAY_US // width
    same = _overlap(ours, theirs)
    moved = {
        lag: _overlap((ours + lag // width) % day, theirs)
        for lag in range(-_MAX_LAG_US, _MAX_LAG_US + 1, _HALF_HOUR_US)
        if lag
    }
    best = max(sorted(moved, key=abs), key=lambda lag: moved[lag])
    if moved[best] < _MIN_SAME_TIMES or same >= _MIN_SAME_TIMES:
        return None
    return TimeLag(best, "its days have the same length, and begin and end that much apart")


def _usual_times(stamps: IntVector, width: int) -> IntVector | None:
    """The bins of the day in which at least half of the days have a bar; None for few days."""
    days = np.unique(stamps // DAY_US).size
    if days < _MIN_DAYS:
        return None
    bins, counts = np.unique(stamps % DAY_US // width, return_counts=True)
    return bins[counts >= _USUAL_SHARE * days]


def _overlap(one: IntVector, other: IntVector) -> float:
    union = np.union1d(one, other).size
    return np.intersect1d(one, other).size / union if union else 1.0
