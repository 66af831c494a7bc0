"""The table of the metrics of every book, and the strategy's headline figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, get_book_styles
from engine.reporting.tearsheet._metrics_table import MetricDefinition, MetricsRow, metrics_row
from engine.reporting.tearsheet.section import TearsheetSection
from engine.runs.documents.metrics import BookMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.book_styles import BookStyle
    from engine.runs.run import Run

SHARPE = MetricDefinition("sharpe", "Sharpe ratio", formatting.RATIO, "annualised", "high")
SORTINO = MetricDefinition(
    "sortino", "Sortino ratio", formatting.RATIO, "downside risk only", "high"
)

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
                "cagr_pct",
                "CAGR",
                formatting.SIGNED_PERCENT,
                "compound annual growth rate",
                "high",
            ),
        ),
    ),
    (
        "Risk",
        (
            MetricDefinition("volatility_pct", "Volatility", formatting.PERCENT, "annualised"),
            MetricDefinition(
                "max_drawdown_pct", "Max drawdown", formatting.PERCENT, "largest loss from a peak"
            ),
            MetricDefinition(
                "max_drawdown_bars",
                "Duration of max drawdown",
                formatting.BARS,
                "from its peak to recovery",
            ),
            MetricDefinition(
                "longest_drawdown_bars",
                "Longest drawdown",
                formatting.BARS,
                "longest time under water",
            ),
        ),
    ),
    (
        "Risk-adjusted",
        (
            SHARPE,
            SORTINO,
            MetricDefinition(
                "calmar", "Calmar ratio", formatting.RATIO, "CAGR / max drawdown", "high"
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
                "hit_rate_pct", "Hit rate", formatting.PERCENT, "round trips with a profit"
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

NO_METRICS = BookMetrics()
"""Figures of a book that the document does not have."""

HEADLINE_KEYS = (
    "total_return_pct",
    "cagr_pct",
    "sharpe",
    "max_drawdown_pct",
    "exposure_pct",
    "trades",
)


@dataclass(frozen=True)
class HeadlineMetric:
    """A figure of the strategy in large type, with that of buy and hold below it."""

    label: str
    text: str
    subtext: str


@dataclass(frozen=True)
class BookMetricsContent:
    """Columns, groups of rows, and the level of the intervals."""

    books: tuple[BookStyle, ...]
    groups: tuple[tuple[str, tuple[MetricsRow, ...]], ...]
    confidence: str


def book_metrics_section(run: Run) -> TearsheetSection:
    """Every figure of every book, the intervals of the Sharpe ratios below them."""
    books = get_book_styles(run)
    return TearsheetSection(
        "books",
        "Books",
        BookMetricsContent(
            books=books,
            groups=_metric_groups(run, books),
            confidence=formatting.confidence_level(run.significance.method.confidence),
        ),
    )


def headline_metrics(run: Run) -> list[HeadlineMetric]:
    """The strategy's main figures, each with that of buy and hold on the same bars."""
    definitions = {metric.key: metric for _, group in METRIC_GROUPS for metric in group}
    strategy = run.metrics.books.get(STRATEGY, NO_METRICS)
    benchmark = run.metrics.books.get(BUY_AND_HOLD)

    def subtext(metric: MetricDefinition) -> str:
        if metric is SHARPE:
            level = formatting.confidence_level(run.significance.method.confidence)
            return f"{level} interval {_sharpe_interval(run, STRATEGY)}"
        if benchmark is None:
            return ""
        return f"buy and hold {metric.number_format(getattr(benchmark, metric.key))}"

    return [
        HeadlineMetric(
            metric.label, metric.number_format(getattr(strategy, metric.key)), subtext(metric)
        )
        for metric in map(definitions.__getitem__, HEADLINE_KEYS)
    ]


def _metric_groups(
    run: Run, books: Sequence[BookStyle]
) -> tuple[tuple[str, tuple[MetricsRow, ...]], ...]:
    """Groups of rows, a column for each book; a figure that no book has is left out."""
    columns = [run.metrics.books.get(book.key, NO_METRICS) for book in books]
    intervals = [_sharpe_interval(run, book.key) for book in books]
    return tuple(
        (
            title,
            tuple(
                metrics_row(
                    _with_risk_free(metric, run), columns, intervals if metric is SHARPE else ()
                )
                for metric in group
                if any(metric.key in column for column in columns)
            ),
        )
        for title, group in METRIC_GROUPS
    )


def _with_risk_free(metric: MetricDefinition, run: Run) -> MetricDefinition:
    """The definition of a ratio with the risk-free rate that it is above."""
    if metric not in (SHARPE, SORTINO):
        return metric
    stated = run.metrics.risk_free_rate.as_risk_free
    return replace(metric, description=f"{metric.description}, {stated}")


def _sharpe_interval(run: Run, book: str) -> str:
    figures = run.significance.sharpe.get(book)
    return (
        formatting.MISSING
        if figures is None
        else formatting.RATIO.interval(figures.low, figures.high)
    )
