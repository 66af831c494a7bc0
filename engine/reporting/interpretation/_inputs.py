"""Which inputs move the forecasts, and which of them go with the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import BookStyle
from engine.reporting.charts.forest import make_forest_plot
from engine.reporting.question_section import QuestionSection, UnansweredQuestion
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents.interpretation import FeatureAttribution, Interpretation


@dataclass(frozen=True)
class _Estimate:
    """Implements `charts.forest.IntervalEstimate`."""

    estimate: float | None
    low: float | None
    high: float | None


def movers_section(document: Interpretation) -> QuestionSection:
    """Shapley values and gradients of the inputs."""
    with_gradients = document.completeness.gradient_error is not None
    sampled = any(each.shapley_error_bps > 0 for each in document.features)
    columns = (
        *("Input", "Share", "Shapley value"),
        *(("Error of sampling",) if sampled else ()),
        *(("Integrated gradient",) if with_gradients else ()),
        *("Use", "Use by window", "Spread of seeds"),
    )
    rows = tuple(
        (
            each.name,
            formatting.PERCENT(each.share_pct),
            formatting.FINE_BPS(each.shapley_bps),
            *((formatting.FINE_BPS(each.shapley_error_bps),) if sampled else ()),
            *((formatting.FINE_BPS(each.gradient_bps),) if with_gradients else ()),
            formatting.FINE_BPS(each.use_bps),
            formatting.FINE_BPS.interval(each.use_low_bps, each.use_high_bps),
            formatting.PERCENT(each.seed_spread_pct),
        )
        for each in document.features
    )
    largest = document.features[0]
    return QuestionSection(
        key="inputs",
        label="Inputs",
        question="Which inputs move the forecasts?",
        answer=f"{largest.name} moves them most: {formatting.PERCENT(largest.share_pct)} of all "
        f"Shapley values. The standard deviation of the forecasts is "
        f"{formatting.FINE_BPS(document.forecast_deviation_bps)}.",
        description="The Shapley value of an input is what it moves a forecast away from the mean "
        f"forecast of {document.background_rows} train rows, shared fairly with the other inputs; "
        f"the mean size at {formatting.count_of(document.shapley_bars, 'forecast')}. Use is the "
        "mean change of the forecast when the input is taken from other bars of the same window, "
        "in blocks. None of this says that the input predicts anything.",
        source="Shapley values: Janzing, Minorics and Bloebaum 2020; integrated gradients: "
        "Sundararajan, Taly and Yan 2017; permutation: Breiman 2001",
        tables=(PlainTable(columns, rows),),
        span=_span(document),
    )


def outcome_section(document: Interpretation) -> QuestionSection | UnansweredQuestion:
    """What every input adds to the correlation with the outcome."""
    question = "Which inputs matter more than noise would?"
    tested = [each for each in document.features if each.p_value is not None]
    if not tested:
        return UnansweredQuestion(question, "it needs 30 bars whose outcome is known and varies")
    found = [each.name for each in tested if each.matters]
    level = formatting.confidence_level(1 - document.confidence)
    answer = (
        f"{', '.join(found)}: at a false discovery rate of {level}."
        if found
        else f"None, at a false discovery rate of {level}."
    )
    return QuestionSection(
        key="outcome",
        label="Outcome",
        question=question,
        answer=answer,
        description="What an input adds to the correlation of forecast and outcome, with its "
        f"interval at {formatting.confidence_level(document.confidence)}: the change of the "
        "forecast by the input, times the outcome. An input that is noise adds 0, however much "
        "the model uses it.",
        source="HAC errors of Andrews 1991; false discovery rate of Benjamini and Hochberg 1995",
        forest=make_forest_plot(
            [
                (BookStyle(each.name, each.name, "", _hue(each), ""), _estimate(each))
                for each in tested
            ]
        ),
        tables=(
            PlainTable(
                ("Input", "Added correlation", "Interval", "p", "p for the false discovery rate"),
                tuple(
                    (
                        each.name,
                        formatting.FINE_SIGNED_RATIO(each.added_correlation),
                        formatting.FINE_SIGNED_RATIO.interval(each.low, each.high),
                        formatting.p_value(each.p_value),
                        formatting.p_value(each.p_adjusted),
                    )
                    for each in tested
                ),
                note=f"Adjusted over the {formatting.count_of(len(tested), 'input')} of this "
                "table: of the inputs at or below the level, at most that share is noise in "
                "expectation.",
            ),
        ),
        span=_span(document),
    )


def _estimate(figures: FeatureAttribution) -> _Estimate:
    return _Estimate(figures.added_correlation, figures.low, figures.high)


def _hue(figures: FeatureAttribution) -> str:
    return "hue-0" if figures.matters else "hue-1"


def _span(document: Interpretation) -> str:
    return (
        f"{formatting.date_range(document.first, document.last)}, "
        f"{formatting.count_of(document.bars, 'forecast')}"
    )
