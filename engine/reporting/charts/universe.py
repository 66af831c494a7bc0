"""Charts over time of a book of several symbols: exposures, rank IC, groups of forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import svg_paths, time_chart
from engine.reporting.charts.axes import growth_axis, linear_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from engine.reporting.formatting import NumberFormat


GROUP_HUES = 7
"""Colours of the stylesheet."""


@dataclass(frozen=True)
class SeriesLine:
    """One line: its column, its label and the classes of its colour."""

    column: str
    label: str
    css: str


@dataclass(frozen=True)
class SeriesPanel:
    """A panel of lines of one unit.

    Attributes:
        label: What its vertical axis measures.
        lines: Its lines, the one on top first.
        number_format: Of its figures.
        height: Its height on the page.
        growth: Whether the figures are growth of 1, on a log axis.
    """

    label: str
    lines: tuple[SeriesLine, ...]
    number_format: NumberFormat
    height: Literal["tall", "medium", "short"] = "medium"
    growth: bool = False


@dataclass(frozen=True)
class ChartTexts:
    """Key, title, finding and description of a chart."""

    key: str
    title: str
    finding: str
    description: str


def series_chart(
    series: pd.DataFrame, texts: ChartTexts, panels: Sequence[SeriesPanel]
) -> time_chart.TimeChart | None:
    """A chart of columns of a table; None where they are empty.

    Args:
        series: Index timestamp.
        texts: Its texts.
        panels: From top to bottom.
    """
    columns = [line.column for panel in panels for line in panel.lines]
    if not set(columns) <= set(series) or series[columns].isna().all(axis=None):
        return None
    table = time_chart.downsample_rows(series[columns])
    index = pd.DatetimeIndex(table.index)
    time = time_axis(index[0], index[-1])
    drawn = tuple(_panel(table, panel, time.to_fraction(index)) for panel in panels)
    several = [line for panel in panels if len(panel.lines) > 1 for line in panel.lines]
    return time_chart.TimeChart(
        key=texts.key,
        title=texts.title,
        finding=texts.finding,
        description=texts.description,
        span=time_chart.describe_span(series.index),
        ticks=time.ticks,
        unix_seconds=time_chart.to_unix_seconds(index),
        panels=drawn,
        notes=time_chart.downsampling_note(len(series), len(table)),
        swatches=tuple((line.css, line.label) for line in several),
    )


def _panel(
    table: pd.DataFrame, panel: SeriesPanel, across: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> time_chart.ChartPanel:
    values = table[[line.column for line in panel.lines]].to_numpy(dtype=np.float64)
    reference = 1.0 if panel.growth else 0.0
    if panel.growth:
        axis = growth_axis(values)
    else:
        known = np.append(values[np.isfinite(values)], 0.0)
        axis = linear_axis(float(known.min()), float(known.max()), ticks=4)
    lines = tuple(
        time_chart.LineSeries(
            line.column,
            line.label,
            line.css,
            svg_paths.line_path(across, axis.to_fraction(values[:, number])),
            svg_paths.to_json_values(values[:, number]),
        )
        for number, line in reversed(list(enumerate(panel.lines)))
    )
    return time_chart.ChartPanel(
        label=panel.label,
        height=panel.height,
        ticks=axis.ticks,
        number_format=panel.number_format,
        lines=lines,
        baseline=svg_paths.distance_from_top(axis, reference),
        rescaling=time_chart.AxisRescaling(
            log=panel.growth, ticks=4, always=(reference,), baseline=reference
        ),
    )


def exposures_chart(
    series: pd.DataFrame, finding: str, window_bars: int
) -> time_chart.TimeChart | None:
    """Net and gross weight and, below, the rolling market beta."""
    return series_chart(
        series,
        ChartTexts(
            "exposures",
            "Exposures",
            finding,
            "Gross and net weight held at each close. Below, the slope of the book's return on "
            "that of all symbols, equally weighted, over the last "
            f"{formatting.BARS(window_bars)}: 0 is independent of them.",
        ),
        (
            SeriesPanel(
                "per cent of the equity",
                (
                    SeriesLine("net_pct", "Net", "hue-0"),
                    SeriesLine("gross_pct", "Gross", "hue-2"),
                ),
                formatting.PERCENT,
            ),
            SeriesPanel(
                "market beta",
                (SeriesLine("universe_beta", "Market beta", "hue-0"),),
                formatting.RATIO,
                "short",
            ),
        ),
    )


def group_weights_chart(series: pd.DataFrame) -> time_chart.TimeChart | None:
    """Net weight of each group of symbols; None without groups and with more than colours."""
    prefix = "net_pct:"
    columns = [name for name in map(str, series) if name.startswith(prefix)]
    if not 0 < len(columns) <= GROUP_HUES:
        return None
    lines = tuple(
        SeriesLine(column, column.removeprefix(prefix), f"hue-{number}")
        for number, column in enumerate(columns)
    )
    return series_chart(
        series,
        ChartTexts(
            "group-weights",
            "Net weight by group",
            "",
            "Sum of the weights held at each close in the symbols of each group.",
        ),
        (SeriesPanel("per cent of the equity", lines, formatting.PERCENT),),
    )


def concentration_chart(series: pd.DataFrame, finding: str) -> time_chart.TimeChart | None:
    """Effective number of positions, and the largest weight."""
    return series_chart(
        series,
        ChartTexts(
            "concentration",
            "Concentration",
            finding,
            "One over the Herfindahl index of the weights held: k equal positions are k. Below, "
            "the largest of them.",
        ),
        (
            SeriesPanel(
                "effective positions",
                (SeriesLine("effective_positions", "Effective positions", "hue-0"),),
                formatting.NumberFormat(1),
            ),
            SeriesPanel(
                "largest weight, per cent of the equity",
                (SeriesLine("largest_weight_pct", "Largest weight", "hue-0"),),
                formatting.PERCENT,
                "short",
            ),
        ),
    )


def rank_ic_chart(
    series: pd.DataFrame, finding: str, window_bars: int
) -> time_chart.TimeChart | None:
    """Mean rank IC of the last bars."""
    return series_chart(
        series,
        ChartTexts(
            "rank-ic",
            "Rolling rank IC",
            finding,
            "Spearman's correlation of forecasts and outcomes over the symbols of a bar, mean "
            f"over the last {formatting.BARS(window_bars)}, or half of them at least; 0 is no "
            "skill.",
        ),
        (
            SeriesPanel(
                "rank IC",
                (SeriesLine("rank_ic_mean", "Rank IC", "hue-0"),),
                formatting.FINE_SIGNED_RATIO,
            ),
        ),
    )


_FAN_HUES = ("hue-2", "hue-5", "hue-1", "hue-4", "hue-0")
"""Of five groups, the lowest first."""


def quantile_fan(series: pd.DataFrame, finding: str, horizon: int) -> time_chart.TimeChart | None:
    """Growth of each group of forecasts against all symbols, and of the spread."""
    columns = [name for name in map(str, series) if name.startswith("group_")]
    count = len(columns)
    ends = {1: " (lowest forecasts)", count: " (highest forecasts)"}
    places = np.rint(np.linspace(0, len(_FAN_HUES) - 1, count)).astype(int).tolist()
    groups = tuple(
        SeriesLine(column, f"Group {number}{ends.get(number, '')}", _FAN_HUES[places[number - 1]])
        for number, column in enumerate(columns, start=1)
    )
    return series_chart(
        series,
        ChartTexts(
            "quantile-fan",
            "Growth by group of forecasts",
            finding,
            "At each close the symbols are put into groups of equal number by their forecasts, "
            f"and each group is held in equal parts for {formatting.count_of(horizon, 'bar')}, "
            "before costs and at closes. Growth is relative to all symbols in equal parts; below, "
            "that of the highest group less the lowest. Lines that fan out in their order are an "
            "edge; the book itself pays costs and holds other weights.",
        ),
        (
            SeriesPanel(
                "growth relative to all symbols, start = 1",
                tuple(reversed(groups)),
                formatting.GROWTH,
                "tall",
                growth=True,
            ),
            SeriesPanel(
                "highest less lowest, start = 1",
                (SeriesLine("spread", "Highest less lowest", "hue-0"),),
                formatting.GROWTH,
                "short",
                growth=True,
            ),
        ),
    )
