"""How large the returns of single bars were, and how bad the worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.metrics.distribution import (
    OUTLIER_DEVIATIONS,
    TAIL_LEVELS,
    DistributionStatistics,
    distribution_statistics,
)
from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY, book_style
from engine.reporting.charts.distribution import ReturnSample, histogram_plot, tail_plot
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.significance.section import PlainTable
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.runs.run import Run

RETURN_FORMAT = formatting.FINE_PERCENT

TAIL_SIGNIFICANCE = 0.05
"""Chance below which so many large losses are not a normal distribution's."""


def distribution_section(run: Run) -> TearsheetSection | None:
    """Histogram, tails and their figures, the strategy's beside those of holding.

    Nothing of a span of less than two bars.
    """
    keys = [key for key in (STRATEGY, BUY_AND_HOLD) if key in run.returns]
    found = {
        key: distribution_statistics(run.returns[key].to_numpy(dtype=np.float64)) for key in keys
    }
    known = {key: each for key, each in found.items() if each is not None}
    if STRATEGY not in known:
        return None
    index = pd.DatetimeIndex(run.returns.index)
    samples = [_return_sample(run, key) for key in known]
    mine, other = samples[0], samples[1] if len(samples) > 1 else None
    span = describe_span(index)
    return TearsheetSection(
        "distribution",
        "Distribution",
        {
            "plots": (
                histogram_plot(mine, other, finding=_worst_bars_finding(known), span=span),
                tail_plot(mine, other, finding=_tail_finding(known[STRATEGY]), span=span),
            ),
            "table": _tails_table(known, index),
        },
    )


def _return_sample(run: Run, key: str) -> ReturnSample:
    named = book_style(key)
    return ReturnSample(
        named.label, named.hue, 100.0 * run.returns[key].to_numpy(dtype=np.float64)
    )


def _worst_bars_finding(tails_by_book: dict[str, DistributionStatistics]) -> str:
    mine, other = tails_by_book[STRATEGY], tails_by_book.get(BUY_AND_HOLD)
    if mine.zero_return_bars == mine.bars:
        return "Nothing was held: every bar returned nothing."
    told = (
        f"The worst 5{formatting.NO_BREAK_SPACE}% of the strategy's bars {_tail_loss_text(mine)}"
    )
    return f"{told}." if other is None else f"{told}; of holding, they {_tail_loss_text(other)}."


def _tail_loss_text(book_tails: DistributionStatistics) -> str:
    worst = book_tails.tail_losses[0]
    mildest, average = worst.value_at_risk, worst.expected_shortfall
    if mildest >= 0:
        return f"returned {RETURN_FORMAT(100 * average)} on average"
    return (
        f"lost {RETURN_FORMAT(-100 * mildest)} or more, {RETURN_FORMAT(-100 * average)} on average"
    )


def _tail_finding(strategy_tails: DistributionStatistics) -> str:
    if strategy_tails.standard_deviation == 0:
        return "The strategy's returns do not vary: they have no tails."
    normal = formatting.PERCENT.without_suffix(strategy_tails.expected_lower_outliers)
    were = "bar was" if strategy_tails.lower_outliers == 1 else "bars were"
    told = (
        f"{formatting.COUNT(strategy_tails.lower_outliers)} {were} worse than "
        f"{OUTLIER_DEVIATIONS:g} standard deviations "
        f"below the mean, where a normal distribution would have {normal}"
    )
    if strategy_tails.lower_outliers_p_value < TAIL_SIGNIFICANCE:
        return f"{told}: large losses came more often than volatility suggests."
    return f"{told}: no sign of a fat lower tail."


def _tails_table(
    tails_by_book: dict[str, DistributionStatistics], index: pd.DatetimeIndex
) -> PlainTable:
    def percent(
        pick: Callable[[DistributionStatistics], float],
    ) -> Callable[[DistributionStatistics], str]:
        return lambda each: RETURN_FORMAT(100.0 * pick(each))

    rows: list[tuple[str, Callable[[DistributionStatistics], str]]] = [
        ("Mean of a bar", percent(lambda each: each.mean)),
        ("Standard deviation of a bar", percent(lambda each: each.standard_deviation)),
        ("Skewness (0: symmetric)", lambda each: formatting.SIGNED_RATIO(each.skewness)),
        (
            "Excess kurtosis (0: normal)",
            lambda each: formatting.SIGNED_RATIO(each.excess_kurtosis),
        ),
        ("Worst bar", percent(lambda each: each.worst)),
        ("Day of the worst bar", lambda each: formatting.timestamp(index[each.worst_row])),
        ("Best bar", percent(lambda each: each.best)),
        ("Day of the best bar", lambda each: formatting.timestamp(index[each.best_row])),
        *(row for place in range(len(TAIL_LEVELS)) for row in _tail_risk_rows(place)),
        (
            "Tail ratio (95th over 5th percentile)",
            lambda each: formatting.RATIO(each.tail_ratio),
        ),
        ("Bars that returned nothing", lambda each: formatting.COUNT(each.zero_return_bars)),
    ]
    labels = (book_style(key).label for key in tails_by_book)
    return PlainTable(
        ("Of one bar, after costs", *labels),
        tuple((name, *(write(each) for each in tails_by_book.values())) for name, write in rows),
        note="Value at risk: so many of the bars lost as much or more. Expected shortfall: what "
        "those bars lost on average. Both from the bars as they came, with the share of bars "
        "rounded up to whole ones.",
    )


def _tail_risk_rows(level_index: int) -> list[tuple[str, Callable[[DistributionStatistics], str]]]:
    level = formatting.confidence_level(TAIL_LEVELS[level_index])
    return [
        (
            f"Value at risk, worst {level} of bars",
            lambda each: RETURN_FORMAT(100.0 * each.tail_losses[level_index].value_at_risk),
        ),
        (
            f"Expected shortfall, worst {level} of bars",
            lambda each: RETURN_FORMAT(100.0 * each.tail_losses[level_index].expected_shortfall),
        ),
    ]
