"""Bars of several symbols on the timestamps that all of them have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame


def align_symbols(frames: Mapping[str, BarsFrame]) -> tuple[BarsFrame, list[str]]:
    """Keeps the timestamps that every symbol has.

    Args:
        frames: Validated bars of each symbol, in the dataset's order.

    Returns:
        Long bars sorted by timestamp, then by symbol in the order of `frames`; and a sentence
        about each symbol of which bars are left out.
    """
    stamps = shared_timestamps(frames)
    kept = {
        name: frame if len(frame) == len(stamps) else frame[frame["timestamp"].isin(stamps)]
        for name, frame in frames.items()
    }
    notices = [
        f"{name}: {len(frame) - len(kept[name])} of {len(frame)} bars are left out, because "
        f"not every symbol has a bar then"
        for name, frame in frames.items()
        if len(frame) > len(kept[name])
    ]
    bars = pd.concat(kept.values(), ignore_index=True)
    bars = bars.sort_values("timestamp", kind="stable", ignore_index=True)
    return bars, notices


def shared_timestamps(frames: Mapping[str, BarsFrame]) -> pd.DatetimeIndex:
    """The timestamps that every symbol has, ascending.

    Args:
        frames: Validated bars of each symbol, at least one.
    """
    first, *others = (pd.DatetimeIndex(frame["timestamp"]) for frame in frames.values())
    for other in others:
        first = first if first.equals(other) else first.intersection(other)
    return first
