"""The part of `significance.json` about the order of the symbols at each bar."""

from __future__ import annotations

from collections.abc import Mapping

from engine.runs.documents.base import DocumentPart


class MeanFigures(DocumentPart):
    """A mean over bars.

    Attributes:
        mean: None without a bar.
        t: The mean over its HAC standard error; None below 30 bars or where all are equal.
        p_value: Of H0, the mean is 0, two-sided.
        bars: Bars that have a value.
    """

    mean: float | None = None
    t: float | None = None
    p_value: float | None = None
    bars: int


class CrossSectionFigures(DocumentPart):
    """How well the forecasts order the symbols of a bar.

    Attributes:
        horizon: The traded horizon, in bars.
        symbols: Symbols with a forecast and an outcome, mean over the bars.
        rank_ic: Spearman's correlation over the symbols of a bar, over the traded horizon.
        positive_pct: Bars with a rank IC above 0, of those that have one.
        rank_ic_by_horizon: Bars -> the same against the returns over so many bars.
        group_returns: Mean return of each group of symbols by the size of their forecasts, the
            lowest first, over the traded horizon.
        spread: Return of the highest group less that of the lowest.
    """

    horizon: int
    symbols: float
    rank_ic: MeanFigures
    positive_pct: float | None = None
    rank_ic_by_horizon: Mapping[int, MeanFigures]
    group_returns: tuple[float | None, ...]
    spread: MeanFigures
