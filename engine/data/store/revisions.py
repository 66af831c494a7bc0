"""What a source says otherwise about bars that it had delivered before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from engine.core.types import PRICE_COLUMNS
from engine.data.bars import ROUNDING_TOLERANCE, VALUE_COLUMNS, format_timestamp
from engine.data.store.hashing import utc_datetime64

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame, IntVector, Matrix
    from engine.data.config import BarInterval

# Vendors round an adjusted price to six digits or so before they send it: the factors of a
# uniform rescaling then scatter by a hundred thousandth.
_MAX_FACTOR_SCATTER = 2e-5
_PRICE_COUNT = len(PRICE_COLUMNS)


class LargestChange(NamedTuple):
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
        largest_change: The largest relative change of a price, or of a volume where no price
            changed; None where no bar changed.
        adjustment_factor: By which every price up to a bar was multiplied, and no other changed;
            None where it was not so.
        adjusted_before: The first bar after those; None where there is none.
        changed_volumes: Bars whose volume changed.
    """

    changed: int
    added: int
    removed: int
    first: pd.Timestamp
    last: pd.Timestamp
    largest_change: LargestChange | None
    adjustment_factor: float | None
    adjusted_before: pd.Timestamp | None
    changed_volumes: int

    def describe(self, interval: BarInterval) -> str:
        """What changed, for a user."""
        parts = [
            self._describe_rescaling(interval)
            if self.adjustment_factor
            else self._describe_changes(interval)
        ]
        parts += [f"{format_bar_count(self.removed)} gone"] if self.removed else []
        parts += [f"{format_bar_count(self.added)} new between others"] if self.added else []
        return "; ".join(part for part in parts if part) + self._describe_span(interval)

    def as_json(self) -> dict[str, Any]:
        """Plain values: timestamps in ISO 8601, NaN as None, `relative_change` as a fraction."""
        return {
            "changed": self.changed,
            "added": self.added,
            "removed": self.removed,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "largest": None
            if self.largest_change is None
            else _largest_change_to_json(self.largest_change),
            "factor": self.adjustment_factor,
            "before": None if self.adjusted_before is None else self.adjusted_before.isoformat(),
            "volumes": self.changed_volumes,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Revision:
        """The revision that `as_json` told."""
        largest = document["largest"]
        return cls(
            changed=document["changed"],
            added=document["added"],
            removed=document["removed"],
            first=pd.Timestamp(document["first"]),
            last=pd.Timestamp(document["last"]),
            largest_change=None
            if largest is None
            else LargestChange(
                largest["column"],
                pd.Timestamp(largest["at"]),
                _nan_if_none(largest["before"]),
                _nan_if_none(largest["after"]),
            ),
            adjustment_factor=document["factor"],
            adjusted_before=None
            if document["before"] is None
            else pd.Timestamp(document["before"]),
            changed_volumes=document["volumes"],
        )

    def _describe_rescaling(self, interval: BarInterval) -> str:
        until = (
            f" before {format_timestamp(self.adjusted_before, interval)}"
            if self.adjusted_before
            else ""
        )
        volumes = (
            f"; the volume of {format_bar_count(self.changed_volumes)} changed"
            if self.changed_volumes
            else ""
        )
        return f"adjusted anew: all prices{until} x {self.adjustment_factor:.5g}{volumes}"

    def _describe_changes(self, interval: BarInterval) -> str:
        if self.largest_change is None:
            return ""
        column, at, before, after = self.largest_change
        share = (
            ""
            if (part := relative_change(self.largest_change)) is None
            else f" ({100 * part:+.3g} %)"
        )
        return (
            f"{format_bar_count(self.changed)} changed, most of all the {column} of "
            f"{format_timestamp(at, interval)}, from {before:.10g} to {after:.10g}{share}"
        )

    def _describe_span(self, interval: BarInterval) -> str:
        if self.adjustment_factor and not (self.added or self.removed):
            return ""
        first, last = format_timestamp(self.first, interval), format_timestamp(self.last, interval)
        return f"; all on {first}" if first == last else f"; all from {first} to {last}"


class BarsComparison(NamedTuple):
    """Held bars beside fresh ones, both by position.

    Attributes:
        superseded: Held bars that were changed or removed, ascending.
        updates: Fresh bars that were changed or are new, ascending.
        extended_by: How many of `updates` lie before or after all held bars.
        revision: None where no held bar is another now and none is new between them.
    """

    superseded: IntVector
    updates: IntVector
    extended_by: int
    revision: Revision | None


def sort_bars(bars: BarsFrame) -> BarsFrame:
    """The bars sorted by timestamp; those of one timestamp stay in their order."""
    if bars["timestamp"].is_monotonic_increasing:
        return bars.reset_index(drop=True)
    return bars.sort_values("timestamp", kind="stable", ignore_index=True)


def compare_bars(stored: BarsFrame, fetched: BarsFrame) -> BarsComparison:
    """What fresh bars say otherwise about held ones of the same span.

    Values that differ by no more than `ROUNDING` are the same: a vendor that keeps 32-bit floats
    and adjusts them gives the last place otherwise from one day to the next.

    Args:
        stored: In order.
        fetched: In order.
    """
    ours, theirs = _bar_keys(stored), _bar_keys(fetched)
    _, i, j = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    before, after = _value_matrix(stored)[i], _value_matrix(fetched)[j]
    differs = _values_differ(before, after)
    other = differs.any(axis=1)
    gone = np.flatnonzero(~np.isin(ours, theirs, assume_unique=True))
    new = np.flatnonzero(~np.isin(theirs, ours, assume_unique=True))
    between = new[:0]
    if len(ours):
        between = new[(theirs[new] > ours[0]) & (theirs[new] < ours[-1])]
    revision = None
    if other.any() or gone.size or between.size:
        touched = np.concatenate([ours[i[other]], ours[gone], theirs[between]])
        factor, row = _detect_rescaling(before, after, differs)
        revision = Revision(
            changed=int(other.sum()),
            added=len(between),
            removed=len(gone),
            first=_key_to_timestamp(touched.min()),
            last=_key_to_timestamp(touched.max()),
            largest_change=_find_largest_change(stored, i, before, after, differs),
            adjustment_factor=factor,
            adjusted_before=_first_bar_after(fetched, j, row) if factor else None,
            changed_volumes=int(differs[:, _PRICE_COUNT].sum()),
        )
    return BarsComparison(
        superseded=np.sort(np.concatenate([i[other], gone])),
        updates=np.sort(np.concatenate([j[other], new])),
        extended_by=len(new) - len(between),
        revision=revision,
    )


def format_bar_count(count: int) -> str:
    """A count of bars in words."""
    return "1 bar" if count == 1 else f"{count:,} bars"


def relative_change(largest: LargestChange) -> float | None:
    """The change as a fraction of the value before; None where there is none."""
    if largest.before == 0.0 or not np.isfinite([largest.before, largest.after]).all():
        return None
    return largest.after / largest.before - 1.0


def _bar_keys(bars: BarsFrame) -> npt.NDArray[np.int64]:
    """A number a bar, ascending: its microsecond; one more for each repeated timestamp."""
    stamps = utc_datetime64(bars).astype(np.int64)
    if (np.diff(stamps) == 0).any():
        stamps = stamps + bars.groupby("timestamp").cumcount().to_numpy()
    return stamps


def _key_to_timestamp(key: np.int64) -> pd.Timestamp:
    return pd.Timestamp(int(key), unit="us", tz="UTC")


def _value_matrix(bars: BarsFrame) -> Matrix:
    return bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)


def _values_differ(before: Matrix, after: Matrix) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(after - before) <= ROUNDING_TOLERANCE * np.maximum(
        np.abs(before), np.abs(after)
    )
    return np.asarray(~(near | (np.isnan(before) & np.isnan(after))))


def _detect_rescaling(
    before: Matrix, after: Matrix, differs: npt.NDArray[np.bool_]
) -> tuple[float | None, int]:
    """The one factor on all prices up to a row, and that row; None where there is no such."""
    moved = np.asarray(differs[:, :_PRICE_COUNT].any(axis=1))
    count = int(moved.sum())
    if count < 2 or not moved[:count].all() or (before[:count, :_PRICE_COUNT] <= 0.0).any():
        return None, 0
    ratios = after[:count, :_PRICE_COUNT] / before[:count, :_PRICE_COUNT]
    factor = float(np.median(ratios))
    if not np.isfinite(ratios).all() or factor <= 0.0:
        return None, 0
    scatter = float(np.abs(ratios / factor - 1.0).max())
    if scatter > min(_MAX_FACTOR_SCATTER, abs(factor - 1.0) / 2.0):
        return None, 0
    return factor, count - 1


def _first_bar_after(fetched: BarsFrame, j: IntVector, row: int) -> pd.Timestamp | None:
    after = int(j[row]) + 1
    return fetched["timestamp"].iloc[after] if after < len(fetched) else None


def _find_largest_change(
    stored: BarsFrame, i: IntVector, before: Matrix, after: Matrix, differs: npt.NDArray[np.bool_]
) -> LargestChange | None:
    if not differs.any():
        return None
    if differs[:, :_PRICE_COUNT].any():
        # Volumes are corrected by tenths where a price that moves at all is news.
        differs = differs & (np.arange(len(VALUE_COLUMNS)) < _PRICE_COUNT)
    scale = np.maximum(np.abs(before), np.abs(after))
    size = np.where(differs, np.abs(after - before) / np.where(scale == 0.0, 1.0, scale), -1.0)
    # A value that came or went has no size, and is larger than any.
    size = np.where(differs & np.isnan(size), np.inf, size)
    row, column = np.unravel_index(int(size.argmax()), size.shape)
    return LargestChange(
        VALUE_COLUMNS[column],
        stored["timestamp"].iloc[int(i[row])],
        float(before[row, column]),
        float(after[row, column]),
    )


def _largest_change_to_json(largest: LargestChange) -> dict[str, Any]:
    numbers = {
        "before": largest.before,
        "after": largest.after,
        "relative": relative_change(largest),
    }
    told = {
        name: None if value is None or not np.isfinite(value) else value
        for name, value in numbers.items()
    }
    return {"column": largest.column, "at": largest.at.isoformat(), **told}


def _nan_if_none(value: float | None) -> float:
    return float("nan") if value is None else float(value)
