"""How large the returns of single bars were, and how bad the worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.tails import DEVIATIONS, LEVELS, Tails, tails
from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, STRATEGY, book
from engine.reporting.charts.distribution import Sample, histogram, tail_plot
from engine.reporting.charts.drawing import span_of
from engine.reporting.significance.section import Table
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.artifacts import Run

FINEST = formatting.FINE_PERCENT

UNLIKELY = 0.05
"""Chance below which so many large losses are not a normal distribution's."""


def distribution(run: Run) -> Section | None:
    """Histogram, tails and their figures, the strategy's beside those of holding.

    Nothing of a span of less than two bars.
    """
    keys = [key for key in (STRATEGY, BUY_AND_HOLD) if key in run.returns]
    found = {key: tails(run.returns[key].to_numpy(dtype=np.float64)) for key in keys}
    known = {key: each for key, each in found.items() if each is not None}
    if STRATEGY not in known:
        return None
    index = pd.DatetimeIndex(run.returns.index)
    samples = [_sample(run, key) for key in known]
    mine, other = samples[0], samples[1] if len(samples) > 1 else None
    span = span_of(index)
    return Section(
        "distribution",
        "Distribution",
        {
            "plots": (
                histogram(mine, other, finding=_finding(known), span=span),
                tail_plot(mine, other, finding=_tail_finding(known[STRATEGY]), span=span),
            ),
            "table": _table(known, index),
        },
    )


def _sample(run: Run, key: str) -> Sample:
    named = book(key)
    return Sample(named.label, named.hue, 100.0 * run.returns[key].to_numpy(dtype=np.float64))


def _finding(known: dict[str, Tails]) -> str:
    mine, other = known[STRATEGY], known.get(BUY_AND_HOLD)
    if mine.flat == mine.bars:
        return "Nothing was held: every bar returned nothing."
    told = f"The worst 5{formatting.NO_BREAK}% of the strategy's bars {_lost(mine)}"
    return f"{told}." if other is None else f"{told}; of holding, they {_lost(other)}."


def _lost(each: Tails) -> str:
    worst = each.losses[0]
    mildest, average = worst.value_at_risk, worst.expected_shortfall
    if mildest >= 0:
        return f"returned {FINEST(100 * average)} on average"
    return f"lost {FINEST(-100 * mildest)} or more, {FINEST(-100 * average)} on average"


def _tail_finding(mine: Tails) -> str:
    if mine.deviation == 0:
        return "The strategy's returns do not vary: they have no tails."
    normal = formatting.PERCENT.bare(mine.beyond_normal)
    were = "bar was" if mine.beyond == 1 else "bars were"
    told = (
        f"{formatting.COUNT(mine.beyond)} {were} worse than {DEVIATIONS:g} standard deviations "
        f"below the mean, where a normal distribution would have {normal}"
    )
    if mine.beyond_chance < UNLIKELY:
        return f"{told}: large losses came more often than volatility suggests."
    return f"{told}: no sign of a fat lower tail."


def _table(known: dict[str, Tails], index: pd.DatetimeIndex) -> Table:
    def percent(pick: Callable[[Tails], float]) -> Callable[[Tails], str]:
        return lambda each: FINEST(100.0 * pick(each))

    rows: list[tuple[str, Callable[[Tails], str]]] = [
        ("Mean of a bar", percent(lambda each: each.mean)),
        ("Standard deviation of a bar", percent(lambda each: each.deviation)),
        ("Skewness (0: symmetric)", lambda each: formatting.SIGNED_RATIO(each.skewness)),
        (
            "Excess kurtosis (0: normal)",
            lambda each: formatting.SIGNED_RATIO(each.excess_kurtosis),
        ),
        ("Worst bar", percent(lambda each: each.worst)),
        ("Day of the worst bar", lambda each: formatting.moment(index[each.worst_at])),
        ("Best bar", percent(lambda each: each.best)),
        ("Day of the best bar", lambda each: formatting.moment(index[each.best_at])),
        *(row for place in range(len(LEVELS)) for row in _loss_rows(place)),
        (
            "Tail ratio (95th over 5th percentile)",
            lambda each: formatting.RATIO(each.tail_ratio),
        ),
        ("Bars that returned nothing", lambda each: formatting.COUNT(each.flat)),
    ]
    labels = (book(key).label for key in known)
    return Table(
        ("Of one bar, after costs", *labels),
        tuple((name, *(write(each) for each in known.values())) for name, write in rows),
        note="Value at risk: so many of the bars lost as much or more. Expected shortfall: what "
        "those bars lost on average. Both from the bars as they came, with the share of bars "
        "rounded up to whole ones.",
    )


def _loss_rows(place: int) -> list[tuple[str, Callable[[Tails], str]]]:
    level = formatting.level(LEVELS[place])
    return [
        (
            f"Value at risk, worst {level} of bars",
            lambda each: FINEST(100.0 * each.losses[place].value_at_risk),
        ),
        (
            f"Expected shortfall, worst {level} of bars",
            lambda each: FINEST(100.0 * each.losses[place].expected_shortfall),
        ),
    ]
