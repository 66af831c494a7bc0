"""Distribution of the returns of single bars, and their tail risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, book_style
from engine.reporting.charts.distribution import compared_books, histogram_plot, tail_plot
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.tables import PlainTable
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.documents.analysis_returns import DistributionFigures, TailFigures
    from engine.runs.run import Run

RETURN_FORMAT = formatting.FINE_PERCENT

TAIL_SIGNIFICANCE = 0.05
"""p-value below which so many large losses are unlikely in a normal distribution."""


@dataclass(frozen=True)
class DistributionContent:
    """Histogram, tails, and the table of their figures."""

    plots: tuple[XYPlot, ...]
    table: PlainTable


def distribution_section(run: Run) -> TearsheetSection | None:
    """Histogram, tails and their figures, of the strategy and of buy and hold.

    None for a span of fewer than two bars.
    """
    analysis = run.analysis
    if analysis.histogram is None or STRATEGY not in analysis.distribution:
        return None
    span = describe_span(run.returns.index)
    strategy = analysis.distribution[STRATEGY]
    return TearsheetSection(
        "distribution",
        "Distribution",
        DistributionContent(
            plots=(
                histogram_plot(
                    analysis.histogram,
                    finding=_tail_loss_finding(analysis.distribution),
                    span=span,
                    notes=_zero_return_notes(analysis.distribution),
                ),
                tail_plot(analysis.tails, finding=_outlier_finding(strategy), span=span),
            ),
            table=_distribution_table(analysis.distribution),
        ),
    )


def _zero_return_notes(distribution: Mapping[str, DistributionFigures]) -> tuple[str, ...]:
    counts = [
        f"{book_style(book).label} {formatting.COUNT(distribution[book].zero_return_bars)}"
        for book in compared_books(distribution)
        if distribution[book].zero_return_bars
    ]
    if not counts:
        return ()
    return (
        "Not drawn: bars with a return of exactly 0, such as those without a position: "
        f"{', '.join(counts)}. The figures and the normal distribution include them.",
    )


def _tail_loss_finding(distribution: Mapping[str, DistributionFigures]) -> str:
    strategy, benchmark = distribution[STRATEGY], distribution.get(BUY_AND_HOLD)
    if strategy.zero_return_bars == strategy.bars:
        return "The strategy held no position: every bar has a return of 0."
    worst = strategy.tails[0]
    share = formatting.confidence_level(worst.level)
    sentence = f"The worst {share} of the strategy's bars {_tail_loss_text(worst)}"
    if benchmark is None:
        return f"{sentence}."
    return f"{sentence}; those of buy and hold {_tail_loss_text(benchmark.tails[0])}."


def _tail_loss_text(tail: TailFigures) -> str:
    if tail.value_at_risk_pct >= 0:
        return f"returned {RETURN_FORMAT(tail.expected_shortfall_pct)} on average"
    return (
        f"lost {RETURN_FORMAT(-tail.value_at_risk_pct)} or more, "
        f"{RETURN_FORMAT(-tail.expected_shortfall_pct)} on average"
    )


def _outlier_finding(strategy: DistributionFigures) -> str:
    if strategy.standard_deviation_pct == 0:
        return "The strategy's returns do not vary: they have no tails."
    expected = formatting.PERCENT.without_suffix(strategy.expected_lower_outliers)
    were = "bar was" if strategy.lower_outliers == 1 else "bars were"
    sentence = (
        f"{formatting.COUNT(strategy.lower_outliers)} {were} worse than "
        f"{strategy.outlier_deviations:g} standard deviations below the mean; a normal "
        f"distribution would have {expected}"
    )
    if strategy.lower_outliers_p_value < TAIL_SIGNIFICANCE:
        return f"{sentence}. The lower tail is fat."
    return f"{sentence}. There is no evidence of a fat lower tail."


def _distribution_table(distribution: Mapping[str, DistributionFigures]) -> PlainTable:
    rows: list[tuple[str, Callable[[DistributionFigures], str]]] = [
        ("Mean of a bar", lambda each: RETURN_FORMAT(each.mean_pct)),
        (
            "Standard deviation of a bar",
            lambda each: RETURN_FORMAT(each.standard_deviation_pct),
        ),
        ("Skewness (0: symmetric)", lambda each: formatting.SIGNED_RATIO(each.skewness)),
        (
            "Excess kurtosis (0: normal)",
            lambda each: formatting.SIGNED_RATIO(each.excess_kurtosis),
        ),
        ("Worst bar", lambda each: RETURN_FORMAT(each.worst_pct)),
        ("Day of the worst bar", lambda each: formatting.timestamp(each.worst_bar)),
        ("Best bar", lambda each: RETURN_FORMAT(each.best_pct)),
        ("Day of the best bar", lambda each: formatting.timestamp(each.best_bar)),
        *(
            row
            for index, tail in enumerate(distribution[STRATEGY].tails)
            for row in _tail_risk_rows(index, tail.level)
        ),
        (
            "Tail ratio (95th over 5th percentile)",
            lambda each: formatting.RATIO(each.tail_ratio),
        ),
        ("Bars with a return of 0", lambda each: formatting.COUNT(each.zero_return_bars)),
    ]
    books = compared_books(distribution)
    labels = (book_style(book).label for book in books)
    return PlainTable(
        ("Of one bar, after costs", *labels),
        tuple(
            (name, *(format_figure(distribution[book]) for book in books))
            for name, format_figure in rows
        ),
        note="Value at risk: this share of the bars lost at least as much. Expected shortfall: "
        "the mean return of those bars. Both are empirical; the share of bars is rounded up to "
        "whole bars.",
    )


def _tail_risk_rows(
    index: int, level: float
) -> list[tuple[str, Callable[[DistributionFigures], str]]]:
    share = formatting.confidence_level(level)
    return [
        (
            f"Value at risk, worst {share} of bars",
            lambda each: RETURN_FORMAT(each.tails[index].value_at_risk_pct),
        ),
        (
            f"Expected shortfall, worst {share} of bars",
            lambda each: RETURN_FORMAT(each.tails[index].expected_shortfall_pct),
        ),
    ]
