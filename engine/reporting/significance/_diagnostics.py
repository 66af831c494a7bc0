"""Diagnostics of the model: autocorrelation of the residuals and unit roots of the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.name_lists import join_names
from engine.reporting import formatting
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    count_p_values,
    holm_note,
    is_significant,
)
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runs.documents import Significance
    from engine.runs.documents.significance_models import (
        ResidualTestFigures,
        StatisticalTestFigures,
    )

DIAGNOSTICS_SOURCE = (
    "Ljung & Box 1978; Breusch 1978 and Godfrey 1978; Said & Dickey 1984 with the p-values of "
    "MacKinnon 1994; Holm 1979"
)


def diagnostic_sections(significance: Significance) -> SignificanceSections:
    """Autocorrelation of the residuals and unit roots of the inputs; folded on the page."""
    confidence = significance.method.confidence
    residuals = significance.residuals
    inputs = significance.inputs.adf if significance.inputs else {}
    if not residuals and not inputs:
        return []
    tables = ([_residual_table(residuals)] if residuals else []) + (
        [_unit_root_table(inputs)] if inputs else []
    )
    return [
        QuestionSection(
            key="diagnostics",
            label="Diagnostics",
            question="Are the residuals uncorrelated and the inputs stationary?",
            answer=f"{_residuals_answer(residuals, confidence)} "
            f"{_stationarity_answer(inputs, confidence)}",
            description=(
                "Autocorrelated residuals contain structure that the model did not forecast; "
                "volatility clustering alone makes both tests reject too often. An input with a "
                "unit root drifts away from the range on which the model was trained: a small p "
                "rejects the unit root."
            ),
            source=DIAGNOSTICS_SOURCE,
            tables=tuple(tables),
            is_collapsed=True,
        )
    ]


def _residual_table(residuals: ResidualTestFigures) -> PlainTable:
    return PlainTable(
        ("Residuals", "Statistic", "Lags", "p"),
        tuple(
            (
                label,
                formatting.RATIO(test.statistic),
                formatting.COUNT(test.lags),
                formatting.p_value(test.p_value),
            )
            for label, test in (
                ("Ljung-Box", residuals.ljung_box),
                ("Breusch-Godfrey", residuals.breusch_godfrey),
            )
        ),
        title="Autocorrelation of the residuals",
    )


def _unit_root_table(inputs: Mapping[str, StatisticalTestFigures]) -> PlainTable:
    return PlainTable(
        ("Input", "Augmented Dickey-Fuller", "Lags", "p", "p after Holm"),
        tuple(
            (
                name,
                formatting.SIGNED_RATIO(test.statistic),
                formatting.COUNT(test.lags),
                formatting.p_value(test.p_value),
                formatting.p_value(test.p_value_holm),
            )
            for name, test in sorted(inputs.items())
        ),
        note=holm_note(count_p_values(inputs.values()), "input"),
        title="Unit roots of the inputs",
    )


def _residuals_answer(residuals: ResidualTestFigures | None, confidence: float) -> str:
    tests = (residuals.ljung_box, residuals.breusch_godfrey) if residuals else ()
    if all(test.p_value is None for test in tests):
        return "The residuals cannot be tested."
    if any(is_significant(test.p_value, confidence) for test in tests):
        return "The residuals are autocorrelated: the model may have missed some structure."
    return "The residuals show no autocorrelation."


def _stationarity_answer(inputs: Mapping[str, StatisticalTestFigures], confidence: float) -> str:
    if not inputs:
        return ""
    rooted = [
        name
        for name, test in sorted(inputs.items())
        if not is_significant(test.p_value_holm, confidence)
    ]
    if not rooted:
        return "No input seems to have a unit root."
    return (
        f"{formatting.count_of(len(rooted), 'input')} of {len(inputs)} may have a unit root: "
        f"{join_names(rooted[:5])}{' and others' if len(rooted) > 5 else ''}."
    )
