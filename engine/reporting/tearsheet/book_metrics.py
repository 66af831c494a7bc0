"""The table of the metrics of every book, and the strategy's headline figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, get_book_styles
from engine.reporting.tearsheet.metrics_table import MetricDefinition, MetricsRow, metrics_row
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.book_styles import BookStyle
    from engine.runs.run import Run

_SHARPE = MetricDefinition(
    "sharpe", "Sharpe ratio", formatting.RATIO, "annualised, risk-free rate 0", "high"
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
            _SHARPE,
            MetricDefinition(
                "sortino", "Sortino ratio", formatting.RATIO, "downside risk only", "high"
            ),
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


def book_metrics_section(run: Run) -> TearsheetSection:
    """Every figure of every book, the intervals of the Sharpe ratios below them."""
    books = get_book_styles(run)
    return TearsheetSection(
        "books",
        "Books",
        {
            "books": books,
            "groups": _metric_groups(run.metrics, run.significance, books),
            "confidence": formatting.confidence_level(
                run.significance.get("method", {}).get("confidence")
            ),
        },
    )


def headline_metrics(
    metrics: Mapping[str, Any], significance: Mapping[str, Any]
) -> list[HeadlineMetric]:
    """The strategy's main figures, each with that of buy and hold on the same bars."""
    definitions = {metric.key: metric for _, group in METRIC_GROUPS for metric in group}
    strategy = metrics["books"].get(STRATEGY, {})
    benchmark = metrics["books"].get(BUY_AND_HOLD)

    def subtext(metric: MetricDefinition) -> str:
        if metric is _SHARPE:
            interval = _sharpe_interval(significance.get("sharpe", {}).get(STRATEGY))
            level = formatting.confidence_level(significance.get("method", {}).get("confidence"))
            return f"{level} interval {interval}"
        if benchmark is None:
            return ""
        return f"buy and hold {metric.number_format(benchmark.get(metric.key))}"

    return [
        HeadlineMetric(
            metric.label, metric.number_format(strategy.get(metric.key)), subtext(metric)
        )
        for metric in map(definitions.__getitem__, HEADLINE_KEYS)
    ]


def _metric_groups(
    metrics: Mapping[str, Any], significance: Mapping[str, Any], books: Sequence[BookStyle]
) -> list[tuple[str, list[MetricsRow]]]:
    """Groups of rows, a column for each book; a figure that no book has is left out."""
    columns = [metrics["books"].get(book.key, {}) for book in books]
    intervals = [_sharpe_interval(significance.get("sharpe", {}).get(book.key)) for book in books]
    return [
        (
            title,
            [
                metrics_row(metric, columns, intervals if metric is _SHARPE else ())
                for metric in group
                if any(metric.key in column for column in columns)
            ],
        )
        for title, group in METRIC_GROUPS
    ]


def _sharpe_interval(figures: Mapping[str, Any] | None) -> str:
    figures = figures or {}
    return formatting.RATIO.interval(figures.get("low"), figures.get("high"))
