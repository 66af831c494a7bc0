"""Tables of figures: which rows, in which words and units; the cells are text already."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, ordered_book_styles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.book_styles import BookStyle
    from engine.reporting.formatting import NumberFormat


@dataclass(frozen=True)
class MetricDefinition:
    """One figure of metrics.json.

    Attributes:
        key: Its key there.
        label: In the table.
        number_format: How it is written.
        description: What it is, in one line.
        better_when: Which end of the row is the good one; empty where neither is.
    """

    key: str
    label: str
    number_format: NumberFormat
    description: str
    better_when: str = ""


METRIC_GROUPS: tuple[tuple[str, tuple[MetricDefinition, ...]], ...] = (
    (
        "Return",
        (
            MetricDefinition(
                "total_return_pct",
                "Total return",
                formatting.SIGNED_PERCENT,
                "over the whole span, after costs",
                "high",
            ),
            MetricDefinition(
                "cagr_pct", "Growth a year", formatting.SIGNED_PERCENT, "compound (CAGR)", "high"
            ),
        ),
    ),
    (
        "Risk",
        (
            MetricDefinition("volatility_pct", "Volatility", formatting.PERCENT, "a year"),
            MetricDefinition(
                "max_drawdown_pct", "Deepest drawdown", formatting.PERCENT, "from a peak"
            ),
            MetricDefinition(
                "max_drawdown_bars",
                "Longest drawdown",
                formatting.BARS,
                "below an earlier peak",
            ),
        ),
    ),
    (
        "Return for risk",
        (
            MetricDefinition(
                "sharpe", "Sharpe ratio", formatting.RATIO, "a year, risk-free rate 0", "high"
            ),
            MetricDefinition(
                "sortino", "Sortino ratio", formatting.RATIO, "downside risk only", "high"
            ),
            MetricDefinition(
                "calmar", "Calmar ratio", formatting.RATIO, "growth / drawdown", "high"
            ),
        ),
    ),
    (
        "Trading",
        (
            MetricDefinition(
                "exposure_pct", "Exposure", formatting.PERCENT, "share of bars in the market"
            ),
            MetricDefinition("trades", "Fills", formatting.COUNT, "orders filled"),
            MetricDefinition(
                "turnover_per_year",
                "Turnover",
                formatting.TIMES_PER_YEAR,
                "value traded / equity",
            ),
            MetricDefinition(
                "hit_rate_pct",
                "Hit rate",
                formatting.PERCENT,
                "round trips that made money",
            ),
        ),
    ),
    (
        "Costs",
        (
            MetricDefinition(
                "cost_paid_pct",
                "Costs paid",
                formatting.PERCENT,
                "fees and slippage, of equity, summed",
            ),
            MetricDefinition(
                "break_even_cost_bps",
                "Break-even cost",
                formatting.BPS,
                "one way, at which the total return is zero",
            ),
        ),
    ),
)

HEADLINE_KEYS = (
    "total_return_pct",
    "cagr_pct",
    "sharpe",
    "max_drawdown_pct",
    "exposure_pct",
    "trades",
)

FORECAST_METRICS = (
    MetricDefinition("bars", "Forecasts", formatting.COUNT, "bars with a known outcome"),
    MetricDefinition("mae_bps", "MAE", formatting.BPS, "mean absolute error", "low"),
    MetricDefinition("persistence_mae_bps", "MAE of no change", formatting.BPS, "the price stays"),
    MetricDefinition("rmse_bps", "RMSE", formatting.BPS, "root mean squared error", "low"),
    MetricDefinition(
        "persistence_rmse_bps", "RMSE of no change", formatting.BPS, "the price stays"
    ),
    MetricDefinition(
        "r2", "R\N{SUPERSCRIPT TWO}", formatting.FINE_RATIO, "against the mean", "high"
    ),
    MetricDefinition(
        "r2_vs_persistence",
        "R\N{SUPERSCRIPT TWO} against no change",
        formatting.FINE_RATIO,
        "above 0: better than saying the price stays",
        "high",
    ),
    MetricDefinition(
        "directional_accuracy_pct", "Direction right", formatting.PERCENT, "of forecasts", "high"
    ),
    MetricDefinition(
        "up_share_pct", "Always up", formatting.PERCENT, "right by saying up each time"
    ),
    MetricDefinition("auc", "AUC", formatting.RATIO, "0.50 is a coin", "high"),
)


@dataclass(frozen=True)
class MetricsCell:
    """A cell: its text, a second smaller line, and whether it is the best of its row."""

    text: str
    subtext: str = ""
    is_best: bool = False


@dataclass(frozen=True)
class MetricsRow:
    """A row: label, what it means, one cell a column."""

    label: str
    description: str
    cells: tuple[MetricsCell, ...]


@dataclass(frozen=True)
class HeadlineMetric:
    """A figure of the strategy, large, with the benchmark's beside it."""

    label: str
    text: str
    subtext: str


def book_metrics_table(
    metrics: Mapping[str, Any], significance: Mapping[str, Any], books: Sequence[BookStyle]
) -> list[tuple[str, list[MetricsRow]]]:
    """Groups of rows, a column a book; the Sharpe ratios carry their intervals."""
    figures = metrics["books"]
    sharpe = significance.get("sharpe", {})

    def row(figure: MetricDefinition) -> MetricsRow:
        below = [""] * len(books)
        if figure.key == "sharpe":
            below = [_sharpe_interval(sharpe.get(book.key)) for book in books]
        return _metrics_row(figure, [figures.get(book.key, {}) for book in books], below)

    return [(group, [row(figure) for figure in rows]) for group, rows in METRIC_GROUPS]


def headline_metrics(
    metrics: Mapping[str, Any], significance: Mapping[str, Any]
) -> list[HeadlineMetric]:
    """The strategy's main figures, each with what buy and hold made of the same bars."""
    figures = {figure.key: figure for _, rows in METRIC_GROUPS for figure in rows}
    mine = metrics["books"].get(STRATEGY, {})
    other = metrics["books"].get(BUY_AND_HOLD)

    def below(figure: MetricDefinition) -> str:
        if figure.key == "sharpe":
            interval = _sharpe_interval(significance.get("sharpe", {}).get(STRATEGY))
            at = formatting.confidence_level(significance.get("method", {}).get("confidence"))
            return f"{at} interval {interval}"
        return (
            "" if other is None else f"buy and hold {figure.number_format(other.get(figure.key))}"
        )

    return [
        HeadlineMetric(figure.label, figure.number_format(mine.get(key)), below(figure))
        for key, figure in ((key, figures[key]) for key in HEADLINE_KEYS)
    ]


def forecast_score_table(metrics: Mapping[str, Any]) -> tuple[list[str], list[MetricsRow]]:
    """Labels of the forecasters, the strategy first, and a row a score."""
    scores = metrics.get("forecasts", {})
    forecasters = ordered_book_styles(scores)
    columns = [scores[book.key] for book in forecasters]
    rows = [_metrics_row(figure, columns, [""] * len(columns)) for figure in FORECAST_METRICS]
    return [book.label for book in forecasters], rows


def horizon_score_table(
    metrics: Mapping[str, Any], traded_horizon: int
) -> tuple[list[str], list[MetricsRow]]:
    """Labels of the strategy's horizons, ascending, and a row a score; nothing of a single one.

    No cell is the best of its row: errors grow with the horizon whoever forecasts.
    """
    scores = metrics.get("forecasts", {}).get(STRATEGY, {}).get("horizons", {})
    horizons = sorted(map(int, scores))
    columns = [scores[str(bars)] for bars in horizons]
    rows = [
        _metrics_row(replace(figure, better_when=""), columns, [""] * len(columns))
        for figure in FORECAST_METRICS
    ]
    labels = [
        formatting.count_of(bars, "bar") + (", traded" if bars == traded_horizon else "")
        for bars in horizons
    ]
    return labels, rows if horizons else []


def describe_intervals(metrics: Mapping[str, Any]) -> list[str]:
    """A sentence for each interval that the strategy forecast, and one on the quantiles' loss."""
    scores = metrics.get("forecasts", {}).get(STRATEGY, {})
    told = [
        f"The {formatting.confidence_level(interval['nominal_pct'] / 100)} interval held "
        f"{formatting.PERCENT(interval['coverage_pct'])} of the outcomes; it was "
        f"{formatting.BPS(interval['mean_width_bps'])} wide on average."
        for interval in scores.get("intervals", ())
    ]
    if "pinball_bps" in scores:
        told.append(
            f"Pinball loss of the quantiles: {formatting.BPS(scores['pinball_bps'])}; "
            "of the train rows' own quantiles, which need no model: "
            f"{formatting.BPS(scores.get('unconditional_pinball_bps'))}."
        )
    return told


def _metrics_row(
    metric: MetricDefinition, columns: Sequence[Mapping[str, Any]], subtexts: Sequence[str]
) -> MetricsRow:
    values = [column.get(metric.key) for column in columns]
    known = [value for value in values if value is not None and formatting.is_finite(value)]
    pick = {"high": max, "low": min}.get(metric.better_when)
    # Equal figures are no contest: nobody is best where two are.
    best = pick(known) if pick and len(known) > 1 else math.nan
    best = math.nan if known.count(best) > 1 else best
    cells = tuple(
        MetricsCell(metric.number_format(value), under, value == best)
        for value, under in zip(values, subtexts, strict=True)
    )
    return MetricsRow(metric.label, metric.description, cells)


def _sharpe_interval(figures: Mapping[str, Any] | None) -> str:
    figures = figures or {}
    return formatting.RATIO.interval(figures.get("low"), figures.get("high"))
