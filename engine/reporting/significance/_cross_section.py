"""Whether the forecasts order the symbols of a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.question_section import (
    QuestionSection,
    UnansweredQuestion,
    p_value_equation,
)
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents.significance_cross_section import (
        CrossSectionFigures,
        MeanFigures,
    )

CROSS_SECTION_SOURCE = "Grinold & Kahn 2000; HAC standard errors: Andrews & Monahan 1992"
IC_FORMAT = formatting.FINE_SIGNED_RATIO
BPS_FORMAT = formatting.NumberFormat(1, signed=True)


def cross_section_section(
    figures: CrossSectionFigures, confidence: float
) -> QuestionSection | UnansweredQuestion:
    """Rank IC by horizon, and returns by group of forecasts.

    Args:
        figures: `cross_section` of significance.json.
        confidence: Level of the test.
    """
    question = "Do the forecasts order the symbols?"
    if figures.rank_ic.mean is None or figures.rank_ic.p_value is None:
        return UnansweredQuestion(
            question, "it takes 30 bars at which three symbols have different forecasts"
        )
    return QuestionSection(
        key="cross_section",
        label="Rank IC",
        question=question,
        answer=_answer(figures, confidence),
        description=(
            "Rank IC is Spearman's correlation of forecasts and outcomes over the symbols of a "
            "bar, averaged over the bars; 0 is no skill, and 0.02 to 0.05 is good. It says "
            "nothing about the direction of the market."
        ),
        source=CROSS_SECTION_SOURCE,
        tables=(_horizons_table(figures), _groups_table(figures)),
    )


def _answer(figures: CrossSectionFigures, confidence: float) -> str:
    rank_ic = figures.rank_ic
    assert rank_ic.mean is not None
    assert rank_ic.p_value is not None
    symbols = f"{figures.symbols:.0f} symbols"
    found = f"the mean rank IC over {symbols} is {IC_FORMAT(rank_ic.mean)} "
    found += f"({p_value_equation(rank_ic.p_value)})"
    if rank_ic.p_value >= 1.0 - confidence:
        return f"Not more than chance explains: {found}."
    if rank_ic.mean < 0:
        return f"In the wrong order: {found}."
    return f"More than chance explains: {found}."


def _horizons_table(figures: CrossSectionFigures) -> PlainTable:
    def row(bars: int, mean: MeanFigures) -> tuple[str, ...]:
        name = formatting.count_of(bars, "bar") + (", traded" if bars == figures.horizon else "")
        return (
            name,
            IC_FORMAT(mean.mean),
            formatting.SIGNED_RATIO(mean.t),
            formatting.p_value(mean.p_value),
            formatting.COUNT(mean.bars),
        )

    return PlainTable(
        ("Return over the next", "Rank IC", "t", "p", "Bars"),
        tuple(row(int(bars), mean) for bars, mean in figures.rank_ic_by_horizon.items()),
        note="t from HAC standard errors; the p-values are not adjusted for the horizons.",
    )


def _groups_table(figures: CrossSectionFigures) -> PlainTable:
    def bps(value: float | None) -> str:
        return BPS_FORMAT(None if value is None else 10_000 * value)

    count = len(figures.group_returns)
    rows = [
        (f"{number} of {count}" + _end(number, count), bps(value))
        for number, value in enumerate(figures.group_returns, start=1)
    ]
    spread = figures.spread
    test = "" if spread.p_value is None else f", {p_value_equation(spread.p_value)}"
    return PlainTable(
        ("Group of forecasts", "Mean return, bps"),
        (*rows, ("Highest less lowest", bps(spread.mean))),
        note=f"Before costs, over the traded horizon{test} for the difference.",
    )


def _end(number: int, count: int) -> str:
    return {1: ", lowest", count: ", highest"}.get(number, "")
