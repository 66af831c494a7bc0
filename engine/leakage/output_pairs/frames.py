"""Two frames as one pair of outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.leakage.comparison import BarRows, OutputPair

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import WideFrame
    from engine.leakage.comparison import ComparedStage


def pair_frames(
    stage: ComparedStage,
    names: tuple[str, ...],
    bars: BarRows | pd.DatetimeIndex,
    original: WideFrame,
    perturbed: WideFrame,
) -> OutputPair:
    """The first rows of two frames, as many as there are bars."""
    one, two = (frame.to_numpy()[: len(bars)] for frame in (original, perturbed))
    return OutputPair(stage, names, bars, one, two)


def format_bars(count: int) -> str:
    """A number of bars in words."""
    return "bar" if count == 1 else f"{count} bars"
