"""Tables of figures: which rows, in which words and units; the cells are text already."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, STRATEGY, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.books import Book
    from engine.reporting.formatting import Unit


@dataclass(frozen=True)
class Figure:
    """One figure of metrics.json.

    Attributes:
        key: Its key there.
        label: In the table.
        unit: How it is written.
        means: What it is, in one line.
        best: Which end of the row is the good one; empty where neither is.
    """

    key: str
    label: str
    unit: Unit
    means: str
    best: str = ""


GROUPS: tuple[tuple[str, tuple[Figure, ...]], ...] = (
    (
        "Return",
        (
            Figure(
                "total_return_pct",
                "Total return",
                formatting.SIGNED_PERCENT,
                "over the whole span, after costs",
                "high",
            ),
            Figure(
                "cagr_pct", "Growth a year", formatting.SIGNED_PERCENT, "compound (CAGR)", "high"
            ),
        ),
    ),
    (
        "Risk",
        (
            Figure("volatility_pct", "Volatility", formatting.PERCENT, "a year"),
            Figure("max_drawdown_pct", "Deepest drawdown", formatting.PERCENT, "from a peak"),
            Figure(
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
            Figure("sharpe", "Sharpe ratio", formatting.RATIO, "a year, risk-free rate 0", "high"),
            Figure("sortino", "Sortino ratio", formatting.RATIO, "downside risk only", "high"),
            Figure("calmar", "Calmar ratio", formatting.RATIO, "growth / drawdown", "high"),
        ),
    ),
    (
        "Trading",
        (
            Figure("exposure_pct", "Exposure", formatting.PERCENT, "share of bars in the market"),
            Figure("trades", "Fills", formatting.COUNT, "orders filled"),
            Figure(
                "turnover_per_year",
                "Turnover",
                formatting.TIMES_A_YEAR,
                "value traded / equity",
            ),
            Figure(
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
            Figure(
                "cost_paid_pct",
                "Costs paid",
                formatting.PERCENT,
                "fees and slippage, of equity, summed",
            ),
            Figure(
                "break_even_cost_bps",
                "Break-even cost",
                formatting.BPS,
                "one way, at which the total return is zero",
            ),
        ),
    ),
)

HEADLINES = (
    "total_return_pct",
    "cagr_pct",
    "sharpe",
    "max_drawdown_pct",
    "exposure_pct",
    "trades",
)

FORECAST_FIGURES = (
    Figure("bars", "Forecasts", formatting.COUNT, "bars with a known outcome"),
    Figure("mae_bps", "MAE", formatting.BPS, "mean absolute error", "low"),
    Figure("persistence_mae_bps", "MAE of no change", formatting.BPS, "the price stays"),
    Figure("rmse_bps", "RMSE", formatting.BPS, "root mean squared error", "low"),
    Figure("persistence_rmse_bps", "RMSE of no change", formatting.BPS, "the price stays"),
    Figure("r2", "R\N{SUPERSCRIPT TWO}", formatting.FINE_RATIO, "against the mean", "high"),
    Figure(
        "r2_vs_persistence",
        "R\N{SUPERSCRIPT TWO} against no change",
        formatting.FINE_RATIO,
        "above 0: better than saying the price stays",
        "high",
    ),
    Figure(
        "directional_accuracy_pct", "Direction right", formatting.PERCENT, "of forecasts", "high"
    ),
    Figure("up_share_pct", "Always up", formatting.PERCENT, "right by saying up each time"),
    Figure("auc", "AUC", formatting.RATIO, "0.50 is a coin", "high"),
)


@dataclass(frozen=True)
class Cell:
    """A cell: its text, a second smaller line, and whether it is the best of its row."""

    text: str
    below: str = ""
    best: bool = False


@dataclass(frozen=True)
class Row:
    """A row: label, what it means, one cell a column."""

    label: str
    means: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Headline:
    """A figure of the strategy, large, with the benchmark's beside it."""

    label: str
    text: str
    below: str


def books_table(
    metrics: Mapping[str, Any], significance: Mapping[str, Any], books: Sequence[Book]
) -> list[tuple[str, list[Row]]]:
    """Groups of rows, a column a book; the Sharpe ratios carry their intervals."""
    figures = metrics["books"]
    sharpe = significance.get("sharpe", {})

    def row(figure: Figure) -> Row:
        below = [""] * len(books)
        if figure.key == "sharpe":
            below = [_interval(sharpe.get(book.key)) for book in books]
        return _row(figure, [figures.get(book.key, {}) for book in books], below)

    return [(group, [row(figure) for figure in rows]) for group, rows in GROUPS]


def headlines(metrics: Mapping[str, Any], significance: Mapping[str, Any]) -> list[Headline]:
    """The strategy's main figures, each with what buy and hold made of the same bars."""
    figures = {figure.key: figure for _, rows in GROUPS for figure in rows}
    mine = metrics["books"].get(STRATEGY, {})
    other = metrics["books"].get(BUY_AND_HOLD)

    def below(figure: Figure) -> str:
        if figure.key == "sharpe":
            interval = _interval(significance.get("sharpe", {}).get(STRATEGY))
            at = formatting.level(significance.get("method", {}).get("confidence"))
            return f"{at} interval {interval}"
        return "" if other is None else f"buy and hold {figure.unit(other.get(figure.key))}"

    return [
        Headline(figure.label, figure.unit(mine.get(key)), below(figure))
        for key, figure in ((key, figures[key]) for key in HEADLINES)
    ]


def forecast_table(metrics: Mapping[str, Any]) -> tuple[list[str], list[Row]]:
    """Labels of the forecasters, the strategy first, and a row a score."""
    scores = metrics.get("forecasts", {})
    forecasters = in_order(scores)
    columns = [scores[book.key] for book in forecasters]
    rows = [_row(figure, columns, [""] * len(columns)) for figure in FORECAST_FIGURES]
    return [book.label for book in forecasters], rows


def horizons_table(metrics: Mapping[str, Any], traded: int) -> tuple[list[str], list[Row]]:
    """Labels of the strategy's horizons, ascending, and a row a score; nothing of a single one.

    No cell is the best of its row: errors grow with the horizon whoever forecasts.
    """
    scores = metrics.get("forecasts", {}).get(STRATEGY, {}).get("horizons", {})
    horizons = sorted(map(int, scores))
    columns = [scores[str(bars)] for bars in horizons]
    rows = [
        _row(replace(figure, best=""), columns, [""] * len(columns)) for figure in FORECAST_FIGURES
    ]
    labels = [
        formatting.count_of(bars, "bar") + (", traded" if bars == traded else "")
        for bars in horizons
    ]
    return labels, rows if horizons else []


def intervals(metrics: Mapping[str, Any]) -> list[str]:
    """A sentence for each interval that the strategy forecast, and one on the quantiles' loss."""
    scores = metrics.get("forecasts", {}).get(STRATEGY, {})
    told = [
        f"The {formatting.level(interval['nominal_pct'] / 100)} interval held "
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


def _row(figure: Figure, columns: Sequence[Mapping[str, Any]], below: Sequence[str]) -> Row:
    values = [column.get(figure.key) for column in columns]
    known = [value for value in values if value is not None and formatting.exists(value)]
    pick = {"high": max, "low": min}.get(figure.best)
    # Equal figures are no contest: nobody is best where two are.
    best = pick(known) if pick and len(known) > 1 else math.nan
    best = math.nan if known.count(best) > 1 else best
    cells = tuple(
        Cell(figure.unit(value), under, value == best)
        for value, under in zip(values, below, strict=True)
    )
    return Row(figure.label, figure.means, cells)


def _interval(figures: Mapping[str, Any] | None) -> str:
    figures = figures or {}
    return formatting.RATIO.interval(figures.get("low"), figures.get("high"))
