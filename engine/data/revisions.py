"""What a source says otherwise about bars that it had delivered before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from engine.data.bars import ROUNDING, VALUE_COLUMNS, stamp_text
from engine.data.digest import instants
from engine.types import PRICE_COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.spec import Interval
    from engine.types import BarsFrame, Matrix, Rows

# Vendors round an adjusted price to six digits or so before they send it: the factors of a
# uniform rescaling then scatter by a hundred thousandth.
_SCATTER = 2e-5
_PRICES = len(PRICE_COLUMNS)


class Largest(NamedTuple):
    """The largest relative change of one value; `before` and `after` may be NaN."""

    column: str
    at: pd.Timestamp
    before: float
    after: float


@dataclass(frozen=True)
class Revision:
    """What changed among bars that were held.

    Attributes:
        changed: Bars with another price or volume.
        added: Bars that are new between others.
        removed: Bars that the source has no more.
        first: The earliest of all these.
        last: The latest.
        largest: The largest relative change of a price, or of a volume where no price changed;
            None where no bar changed.
        factor: By which every price up to a bar was multiplied, and no other changed; None where
            it was not so.
        before: The first bar after those; None where there is none.
        volumes: Bars whose volume changed.
    """

    changed: int
    added: int
    removed: int
    first: pd.Timestamp
    last: pd.Timestamp
    largest: Largest | None
    factor: float | None
    before: pd.Timestamp | None
    volumes: int

    def sentence(self, interval: Interval) -> str:
        """What changed, for a user."""
        parts = [self._rescaled(interval) if self.factor else self._changed(interval)]
        parts += [f"{bars_text(self.removed)} gone"] if self.removed else []
        parts += [f"{bars_text(self.added)} new between others"] if self.added else []
        return "; ".join(part for part in parts if part) + self._span(interval)

    def as_json(self) -> dict[str, Any]:
        """Plain values: timestamps in ISO 8601, NaN as None, `relative` as a fraction."""
        return {
            "changed": self.changed,
            "added": self.added,
            "removed": self.removed,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "largest": None if self.largest is None else _largest_json(self.largest),
            "factor": self.factor,
            "before": None if self.before is None else self.before.isoformat(),
            "volumes": self.volumes,
        }

    @classmethod
    def of_json(cls, told: dict[str, Any]) -> Revision:
        """The revision that `as_json` told."""
        largest = told["largest"]
        return cls(
            changed=told["changed"],
            added=told["added"],
            removed=told["removed"],
            first=pd.Timestamp(told["first"]),
            last=pd.Timestamp(told["last"]),
            largest=None
            if largest is None
            else Largest(
                largest["column"],
                pd.Timestamp(largest["at"]),
                _number(largest["before"]),
                _number(largest["after"]),
            ),
            factor=told["factor"],
            before=None if told["before"] is None else pd.Timestamp(told["before"]),
            volumes=told["volumes"],
        )

    def _rescaled(self, interval: Interval) -> str:
        until = f" before {stamp_text(self.before, interval)}" if self.before else ""
        volumes = f"; the volume of {bars_text(self.volumes)} changed" if self.volumes else ""
        return f"adjusted anew: all prices{until} x {self.factor:.5g}{volumes}"

    def _changed(self, interval: Interval) -> str:
        if self.largest is None:
            return ""
        column, at, before, after = self.largest
        share = "" if (part := relative(self.largest)) is None else f" ({100 * part:+.3g} %)"
        return (
            f"{bars_text(self.changed)} changed, most of all the {column} of "
            f"{stamp_text(at, interval)}, from {before:.10g} to {after:.10g}{share}"
        )

    def _span(self, interval: Interval) -> str:
        if self.factor and not (self.added or self.removed):
            return ""
        first, last = stamp_text(self.first, interval), stamp_text(self.last, interval)
        return f"; all on {first}" if first == last else f"; all from {first} to {last}"


class Comparison(NamedTuple):
    """Held bars beside fresh ones, both by position.

    Attributes:
        lost: Held bars that were changed or removed, ascending.
        news: Fresh bars that were changed or are new, ascending.
        extended: How many of `news` lie before or after all held bars.
        revision: None where no held bar is another now and none is new between them.
    """

    lost: Rows
    news: Rows
    extended: int
    revision: Revision | None


def in_order(bars: BarsFrame) -> BarsFrame:
    """The bars sorted by timestamp; those of one timestamp stay in their order."""
    if bars["timestamp"].is_monotonic_increasing:
        return bars.reset_index(drop=True)
    return bars.sort_values("timestamp", kind="stable", ignore_index=True)


def compare(held: BarsFrame, fresh: BarsFrame) -> Comparison:
    """What fresh bars say otherwise about held ones of the same span.

    Values that differ by no more than `ROUNDING` are the same: a vendor that keeps 32-bit floats
    and adjusts them gives the last place otherwise from one day to the next.

    Args:
        held: In order.
        fresh: In order.
    """
    ours, theirs = _keys(held), _keys(fresh)
    _, i, j = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    before, after = _values(held)[i], _values(fresh)[j]
    differs = _differs(before, after)
    other = differs.any(axis=1)
    gone = np.flatnonzero(~np.isin(ours, theirs, assume_unique=True))
    new = np.flatnonzero(~np.isin(theirs, ours, assume_unique=True))
    between = new[:0]
    if len(ours):
        between = new[(theirs[new] > ours[0]) & (theirs[new] < ours[-1])]
    revision = None
    if other.any() or gone.size or between.size:
        touched = np.concatenate([ours[i[other]], ours[gone], theirs[between]])
        factor, row = _rescaling(before, after, differs)
        revision = Revision(
            changed=int(other.sum()),
            added=len(between),
            removed=len(gone),
            first=_stamp(touched.min()),
            last=_stamp(touched.max()),
            largest=_largest(held, i, before, after, differs),
            factor=factor,
            before=_next(fresh, j, row) if factor else None,
            volumes=int(differs[:, _PRICES].sum()),
        )
    return Comparison(
        lost=np.sort(np.concatenate([i[other], gone])),
        news=np.sort(np.concatenate([j[other], new])),
        extended=len(new) - len(between),
        revision=revision,
    )


def bars_text(count: int) -> str:
    """A count of bars in words."""
    return "1 bar" if count == 1 else f"{count:,} bars"


def relative(largest: Largest) -> float | None:
    """The change as a fraction of the value before; None where there is none."""
    if largest.before == 0.0 or not np.isfinite([largest.before, largest.after]).all():
        return None
    return largest.after / largest.before - 1.0


def _keys(bars: BarsFrame) -> npt.NDArray[np.int64]:
    """A number a bar, ascending: its microsecond; one more for each repeated timestamp."""
    stamps = instants(bars).astype(np.int64)
    if (np.diff(stamps) == 0).any():
        stamps = stamps + bars.groupby("timestamp").cumcount().to_numpy()
    return stamps


def _stamp(key: np.int64) -> pd.Timestamp:
    return pd.Timestamp(int(key), unit="us", tz="UTC")


def _values(bars: BarsFrame) -> Matrix:
    return bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)


def _differs(before: Matrix, after: Matrix) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(after - before) <= ROUNDING * np.maximum(
        np.abs(before), np.abs(after)
    )
    return np.asarray(~(near | (np.isnan(before) & np.isnan(after))))


def _rescaling(
    before: Matrix, after: Matrix, differs: npt.NDArray[np.bool_]
) -> tuple[float | None, int]:
    """The one factor on all prices up to a row, and that row; None where there is no such."""
    moved = np.asarray(differs[:, :_PRICES].any(axis=1))
    count = int(moved.sum())
    if count < 2 or not moved[:count].all() or (before[:count, :_PRICES] <= 0.0).any():
        return None, 0
    ratios = after[:count, :_PRICES] / before[:count, :_PRICES]
    factor = float(np.median(ratios))
    if not np.isfinite(ratios).all() or factor <= 0.0:
        return None, 0
    scatter = float(np.abs(ratios / factor - 1.0).max())
    if scatter > min(_SCATTER, abs(factor - 1.0) / 2.0):
        return None, 0
    return factor, count - 1


def _next(fresh: BarsFrame, j: Rows, row: int) -> pd.Timestamp | None:
    after = int(j[row]) + 1
    return fresh["timestamp"].iloc[after] if after < len(fresh) else None


def _largest(
    held: BarsFrame, i: Rows, before: Matrix, after: Matrix, differs: npt.NDArray[np.bool_]
) -> Largest | None:
    if not differs.any():
        return None
    if differs[:, :_PRICES].any():
        # Volumes are corrected by tenths where a price that moves at all is news.
        differs = differs & (np.arange(len(VALUE_COLUMNS)) < _PRICES)
    scale = np.maximum(np.abs(before), np.abs(after))
    size = np.where(differs, np.abs(after - before) / np.where(scale == 0.0, 1.0, scale), -1.0)
    # A value that came or went has no size, and is larger than any.
    size = np.where(differs & np.isnan(size), np.inf, size)
    row, column = np.unravel_index(int(size.argmax()), size.shape)
    return Largest(
        VALUE_COLUMNS[column],
        held["timestamp"].iloc[int(i[row])],
        float(before[row, column]),
        float(after[row, column]),
    )


def _largest_json(largest: Largest) -> dict[str, Any]:
    numbers = {"before": largest.before, "after": largest.after, "relative": relative(largest)}
    told = {
        name: None if value is None or not np.isfinite(value) else value
        for name, value in numbers.items()
    }
    return {"column": largest.column, "at": largest.at.isoformat(), **told}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
