"""A revision: how a source changed bars that it had delivered before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from engine.data.bars import format_bar_count, format_timestamp

if TYPE_CHECKING:
    from engine.data.calendar import BarInterval


class LargestChange(NamedTuple):
    """The largest relative change of one value; `before` and `after` may be NaN."""

    column: str
    at: pd.Timestamp
    before: float
    after: float

    @property
    def relative(self) -> float | None:
        """After / before - 1; None where `before` is 0 or one of them is not finite."""
        if self.before == 0.0 or not np.isfinite([self.before, self.after]).all():
            return None
        return self.after / self.before - 1.0

    def as_json(self) -> dict[str, Any]:
        """Plain values: the timestamp in ISO 8601, NaN as None, `relative` as a fraction."""
        numbers = {"before": self.before, "after": self.after, "relative": self.relative}
        finite = {
            name: None if value is None or not np.isfinite(value) else value
            for name, value in numbers.items()
        }
        return {"column": self.column, "at": self.at.isoformat(), **finite}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> LargestChange:
        """The change that `as_json` wrote."""
        return cls(
            document["column"],
            pd.Timestamp(document["at"]),
            _nan_if_none(document["before"]),
            _nan_if_none(document["after"]),
        )


@dataclass(frozen=True)
class Revision:
    """What changed among stored bars.

    Attributes:
        changed: Bars with another price or volume.
        added: New bars between stored ones.
        removed: Bars that the source no longer has.
        first: The earliest of all these.
        last: The latest.
        largest_change: The largest relative change of a price, or of a volume where no price
            changed; None where no bar changed.
        adjustment_factor: By which every price up to a bar was multiplied while no other price
            changed; None where it was not so.
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
        """What changed, as a sentence for a user."""
        parts = [
            self._describe_rescaling(interval)
            if self.adjustment_factor
            else self._describe_changes(interval)
        ]
        parts += [f"{format_bar_count(self.removed)} removed"] if self.removed else []
        parts += [f"{format_bar_count(self.added)} new between others"] if self.added else []
        return "; ".join(part for part in parts if part) + self._describe_span(interval)

    def as_json(self) -> dict[str, Any]:
        """Plain values: timestamps in ISO 8601, see `LargestChange.as_json`."""
        return {
            "changed": self.changed,
            "added": self.added,
            "removed": self.removed,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "largest": None if self.largest_change is None else self.largest_change.as_json(),
            "factor": self.adjustment_factor,
            "before": None if self.adjusted_before is None else self.adjusted_before.isoformat(),
            "volumes": self.changed_volumes,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Revision:
        """The revision that `as_json` wrote."""
        largest, before = document["largest"], document["before"]
        return cls(
            changed=document["changed"],
            added=document["added"],
            removed=document["removed"],
            first=pd.Timestamp(document["first"]),
            last=pd.Timestamp(document["last"]),
            largest_change=None if largest is None else LargestChange.from_json(largest),
            adjustment_factor=document["factor"],
            adjusted_before=None if before is None else pd.Timestamp(before),
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
        return f"re-adjusted: all prices{until} x {self.adjustment_factor:.5g}{volumes}"

    def _describe_changes(self, interval: BarInterval) -> str:
        if self.largest_change is None:
            return ""
        column, at, before, after = self.largest_change
        relative = self.largest_change.relative
        percent = "" if relative is None else f" ({100 * relative:+.3g} %)"
        return (
            f"{format_bar_count(self.changed)} changed, largest change: the {column} of "
            f"{format_timestamp(at, interval)}, from {before:.10g} to {after:.10g}{percent}"
        )

    def _describe_span(self, interval: BarInterval) -> str:
        if self.adjustment_factor and not (self.added or self.removed):
            return ""
        first, last = format_timestamp(self.first, interval), format_timestamp(self.last, interval)
        return f"; all on {first}" if first == last else f"; all from {first} to {last}"


def _nan_if_none(value: float | None) -> float:
    return float("nan") if value is None else float(value)
