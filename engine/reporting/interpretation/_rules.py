"""Whether the model is a simple rule, whether attributions add up, and one forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.question_section import QuestionSection
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents.interpretation import BarAttribution, Interpretation

_FORMS = {"linear": "linear", "tree": "tree of depth 3"}


def rules_section(document: Interpretation) -> list[QuestionSection]:
    """Simple rules and how much of the forecasts each repeats."""
    if not document.rules:
        return []
    closest = document.rules[0]
    return [
        QuestionSection(
            key="rules",
            label="Simple rules",
            question="Is the model a simple rule?",
            answer=f"The closest is a {_FORMS[closest.form]} function of the {closest.rule}: it "
            f"repeats {formatting.PERCENT(100 * closest.r2)} of the forecasts' variation.",
            description="Each rule is fitted to the model's forecasts of train rows, and judged "
            "on test rows that it was not fitted to. A share near 100 % means that the model is "
            "this rule; a negative one, that its mean is closer.",
            source="surrogate models as in Craven and Shavlik 1996",
            tables=(
                PlainTable(
                    ("Rule of the", "Form", "Share repeated"),
                    tuple(
                        (each.rule, _FORMS[each.form], formatting.PERCENT(100 * each.r2))
                        for each in document.rules
                    ),
                ),
            ),
        )
    ]


def completeness_section(document: Interpretation) -> QuestionSection:
    """Errors of the attributions themselves."""
    figures = document.completeness
    rows = [
        ("Shapley values: largest gap to the forecast", f"{figures.shapley_error:.1e}"),
    ]
    if figures.gradient_error is not None:
        rows += [
            ("Gradients: largest gap", f"{figures.gradient_error:.1e}"),
            ("Gradients: forecasts with a gap above 0.001", _percent(figures.gradient_above_pct)),
        ]
    told = figures.gradient_above_pct
    if figures.no_gradients:
        answer = f"Shapley values do. There are no gradients: {figures.no_gradients}."
    elif told:
        answer = (
            f"Shapley values do. Gradients do not at {_percent(told)} of the forecasts: the "
            "network has kinks, and the sum over the line from the baseline is too coarse there."
        )
    else:
        answer = "Yes, of every forecast."
    return QuestionSection(
        key="completeness",
        label="Adding up",
        question="Do the attributions add up to the forecasts?",
        answer=answer,
        description="Gaps in standard deviations of the forecasts. The baseline of the gradients "
        "is the mean of the train rows.",
        source="efficiency of Shapley 1953; completeness of Sundararajan, Taly and Yan 2017",
        tables=(PlainTable(("Largest error", ""), tuple(rows)),),
    )


def bar_section(document: Interpretation) -> list[QuestionSection]:
    """The forecast that was asked for; none where none was."""
    bar = document.bar
    if bar is None:
        return []
    with_gradients = any(each.gradient_bps is not None for each in bar.features)
    rows = tuple(
        (
            each.name,
            formatting.full_precision(each.value) if each.value is not None else "",
            formatting.SIGNED_BPS(each.shapley_bps),
            *((formatting.SIGNED_BPS(each.gradient_bps),) if with_gradients else ()),
        )
        for each in bar.features
    )
    return [
        QuestionSection(
            key="bar",
            label="One forecast",
            question=f"Why the forecast of {bar.symbol} at {formatting.timestamp(bar.timestamp)}?",
            answer=_bar_answer(bar),
            description=f"Of {formatting.SIGNED_BPS(bar.base_bps)}, the mean forecast of train "
            "rows, to the forecast: what each input adds.",
            source="as for the inputs",
            tables=(
                PlainTable(
                    (
                        *("Input", "Value", "Shapley value"),
                        *(("Integrated gradient",) if with_gradients else ()),
                    ),
                    rows,
                ),
            ),
        )
    ]


def _bar_answer(bar: BarAttribution) -> str:
    largest = bar.features[0]
    realised = (
        f"realised were {formatting.SIGNED_BPS(bar.realised_bps)}"
        if bar.realised_bps is not None
        else "the outcome is not known yet"
    )
    return (
        f"The forecast was {formatting.SIGNED_BPS(bar.forecast_bps)}, {realised}. {largest.name} "
        f"adds most: {formatting.SIGNED_BPS(largest.shapley_bps)}."
    )


def _percent(value: float | None) -> str:
    return formatting.PERCENT(value)
