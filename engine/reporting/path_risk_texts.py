"""Sentences and table of the path risk, for the tearsheet and the significance page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.runs.documents.significance_paths import (
        BookPathFigures,
        HorizonFigures,
        PathRiskFigures,
    )


def path_risk_sentence(risk: PathRiskFigures) -> str:
    """Loss, lag behind holding and drawdown over the shortest horizon; empty without one."""
    if not risk.horizons or STRATEGY not in risk.horizons[0].books:
        return ""
    horizon = risk.horizons[0]
    book = horizon.books[STRATEGY]
    behind = horizon.behind_probability.get(BUY_AND_HOLD)
    lag = (
        "" if behind is None else f" and behind buy and hold in {formatting.PERCENT(100 * behind)}"
    )
    return (
        f"Over {horizon_label(horizon)} the strategy ends with a loss in "
        f"{formatting.PERCENT(100 * book.loss_probability)} of the resampled paths{lag}. "
        + _drawdown_sentence(-book.max_drawdown_pct.p50, -book.max_drawdown_pct.p5)
    )


def _drawdown_sentence(median: float, worst: float) -> str:
    """How deep the max drawdown is in half of the paths and in one of twenty, in per cent."""
    if worst <= 0:
        return "At least 95 % of them have no drawdown."
    deepest = f"deeper than {formatting.PERCENT(worst)} in one of twenty"
    if median <= 0:
        return f"At least half of them have no drawdown; the max drawdown is {deepest}."
    return (
        f"Its max drawdown is deeper than {formatting.PERCENT(median)} in half of them, and "
        f"{deepest}."
    )


def realised_sentence(risk: PathRiskFigures) -> str:
    """Where the run's own max drawdown lies among those over its length."""
    own = risk.realised.get(STRATEGY)
    if own is None:
        return ""
    return (
        f"The run's own max drawdown was {formatting.PERCENT(-own.max_drawdown_pct)}: "
        f"{formatting.PERCENT(100 * own.deeper_probability)} of the paths of its length have one "
        "at least as deep."
    )


def horizon_label(horizon: HorizonFigures) -> str:
    """`1 year`, `3 years`, on one line."""
    return formatting.count_of(round(horizon.years), "year")


def path_risk_table(risk: PathRiskFigures, book: str, title: str) -> PlainTable:
    """The figures of one book, a column a horizon."""
    depths = sorted(
        {depth for each in risk.horizons for depth in each.books[book].drawdown_probability},
        key=float,
    )
    rows: list[tuple[str, Callable[[BookPathFigures], str]]] = [
        ("Probability of a loss", lambda each: _share(each.loss_probability)),
        ("Max drawdown, median", lambda each: formatting.PERCENT(each.max_drawdown_pct.p50)),
        (
            "Max drawdown, worst 5 % of paths",
            lambda each: formatting.PERCENT(each.max_drawdown_pct.p5),
        ),
        *(
            (
                f"Probability of a max drawdown beyond {depth} %",
                lambda each, depth=depth: _share(each.drawdown_probability.get(depth)),
            )
            for depth in depths
        ),
        (
            "Longest time under water, median",
            lambda each: formatting.BARS(each.longest_drawdown_bars.p50),
        ),
        (
            "Longest time under water, worst 5 % of paths",
            lambda each: formatting.BARS(each.longest_drawdown_bars.p95),
        ),
        (
            "Total return, 5 % to 95 % of paths",
            lambda each: formatting.SIGNED_PERCENT.interval(
                each.total_return_pct.p5, each.total_return_pct.p95
            ),
        ),
        (
            "Total return, median",
            lambda each: formatting.SIGNED_PERCENT(each.total_return_pct.p50),
        ),
    ]
    table = [
        (name, *(form(horizon.books[book]) for horizon in risk.horizons)) for name, form in rows
    ]
    if book == STRATEGY and any(BUY_AND_HOLD in h.behind_probability for h in risk.horizons):
        behind = (_share(h.behind_probability.get(BUY_AND_HOLD)) for h in risk.horizons)
        table.insert(1, ("Probability of less than buy and hold", *behind))
    return PlainTable(
        ("Over", *(horizon_label(horizon) for horizon in risk.horizons)), tuple(table), title=title
    )


def _share(value: float | None) -> str:
    return formatting.MISSING if value is None else formatting.PERCENT(100.0 * value)
