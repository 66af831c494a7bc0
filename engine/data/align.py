"""Bars of several symbols on the timestamps they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.bars import stamp_text
from engine.data.calendar import ALWAYS_OPEN, interval_length
from engine.data.digest import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.spec import Interval
    from engine.types import BarsFrame


def align(
    frames: Mapping[str, BarsFrame], interval: Interval, calendar: str
) -> tuple[BarsFrame, list[str]]:
    """Keeps the timestamps that every symbol has.

    Args:
        frames: Sound bars of each symbol, in the dataset's order.
        interval: Length of a bar.
        calendar: On `24/7` the bars missing between first and last are told as well.

    Returns:
        Long bars sorted by timestamp, then by symbol in the order of `frames`; and a sentence
        about each thing that is missing.
    """
    common = pd.concat([frame["timestamp"] for frame in frames.values()]).value_counts()
    stamps = common[common == len(frames)].index
    kept = {name: frame[frame["timestamp"].isin(stamps)] for name, frame in frames.items()}
    told = [
        f"{name}: {len(frame) - len(kept[name])} of {len(frame)} bars are left out, because "
        f"not every symbol has a bar then"
        for name, frame in frames.items()
        if len(frame) > len(kept[name])
    ]
    bars = pd.concat(kept.values(), ignore_index=True)
    bars = bars.sort_values("timestamp", kind="stable", ignore_index=True)
    if calendar == ALWAYS_OPEN and len(stamps):
        told += _gaps(stamps.sort_values(), interval)
    return bars, told


def summary(bars: BarsFrame, source: str, interval: Interval) -> dict[str, Any]:
    """What identifies the bars of one symbol: `source, first, last, rows, sha256`."""
    return {
        "source": source,
        "first": stamp_text(bars["timestamp"].iloc[0], interval),
        "last": stamp_text(bars["timestamp"].iloc[-1], interval),
        "rows": len(bars),
        "sha256": digest(bars),
    }


def _gaps(stamps: pd.Index[pd.Timestamp], interval: Interval) -> list[str]:
    expected = (stamps[-1] - stamps[0]) // interval_length(interval) + 1
    missing = expected - len(stamps)
    if missing <= 0:
        return []
    first, last = stamp_text(stamps[0], interval), stamp_text(stamps[-1], interval)
    return [f"{missing} of {expected} bars are missing between {first} and {last}"]
