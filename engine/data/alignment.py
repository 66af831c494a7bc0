"""Bars of several symbols on the timestamps they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.bars import format_timestamp
from engine.data.store.hashing import hash_bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame
    from engine.data.config import BarInterval


def align_symbols(frames: Mapping[str, BarsFrame]) -> tuple[BarsFrame, list[str]]:
    """Keeps the timestamps that every symbol has.

    Args:
        frames: Sound bars of each symbol, in the dataset's order.

    Returns:
        Long bars sorted by timestamp, then by symbol in the order of `frames`; and a sentence
        about each symbol of which bars are left out.
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
    return bars, told


def symbol_provenance(bars: BarsFrame, source: str, interval: BarInterval) -> dict[str, Any]:
    """What identifies the bars of one symbol: `source, first, last, rows, sha256`."""
    return {
        "source": source,
        "first": format_timestamp(bars["timestamp"].iloc[0], interval),
        "last": format_timestamp(bars["timestamp"].iloc[-1], interval),
        "rows": len(bars),
        "sha256": hash_bars(bars),
    }
