"""Whether forecasts and positions know anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.significance.rank_tests import NO_CHANGE, forecaster_label, ranks_section
from engine.reporting.significance.section import (
    PlainTable,
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
    count_p_values,
    holm_note,
    join_names,
    p_value_equation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMING_SOURCE = "Aronson 2006, ch. 5; circular shifts as in Harris 2020"
FORECASTS_SOURCE = (
    "Diebold & Mariano 1995, corrected as in Harvey, Leybourne & Newbold 1997; Pesaran & "
    "Timmermann 1992; Holm 1979"
)
LEVEL_TRAP_SOURCE = "Granger & Newbold 1974"
DIAGNOSTICS_SOURCE = (
    "Ljung & Box 1978; Breusch 1978 and Godfrey 1978; Said & Dickey 1984 with the p-values of "
    "MacKinnon 1994; Holm 1979"
)
STATISTIC_FORMAT = formatting.SIGNED_RATIO
R2_LABEL = "R\N{SUPERSCRIPT TWO}"


def forecast_sections(significance: Mapping[str, Any]) -> SignificanceSections:
    """Timing of the positions, skill of the forecasts, the level-forecast trap."""
    confidence = significance["method"]["confidence"]
    told: SignificanceSections = []
    if "timing" in significance:
        told.append(_timing_section(significance["timing"], confidence))
    if "forecasts" in significance:
        told.append(_forecast_section(significance["forecasts"], confidence))
    if "ranks" in significance:
        told.append(ranks_section(significance["ranks"], confidence))
    if "level_trap" in significance:
        told.append(_level_trap_section(significance["level_trap"]))
    return told


def diagnostic_sections(significance: Mapping[str, Any]) -> SignificanceSections:
    """What the forecasts left over and what they were made from; shown when asked for."""
    confidence = significance["method"]["confidence"]
    residuals, inputs = (
        significance.get("residuals"),
        (significance.get("inputs") or {}).get("adf"),
    )
    if not residuals and not inputs:
        return []
    tables = ([_residual_table(residuals)] if residuals else []) + (
        [_unit_root_table(inputs)] if inputs else []
    )
    return [
        QuestionSection(
            key="diagnostics",
            label="Diagnostics",
            question="Is anything left in the errors, and are the inputs stationary?",
            answer=f"{_residuals_answer(residuals or {}, confidence)} "
            f"{_stationarity_answer(inputs or {}, confidence)}",
            description=(
                "Errors that hang together could have been forecast; changing volatility alone "
                "makes both tests reject too often. An input with a unit root wanders off what "
                "the model was trained on: a small p says that it does not."
            ),
            source=DIAGNOSTICS_SOURCE,
            tables=tuple(tables),
            is_collapsed=True,
        )
    ]


def _timing_section(
    timing: Mapping[str, Any] | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "Were the positions held at the right time?"
    if not timing or timing.get("p_value") is None:
        return UnansweredQuestion(question, "always in the market, or never, is no timing")
    p_value, shifts = timing["p_value"], formatting.count_of(timing["shifts"], "shift")
    answer = (
        "More than by chance" if p_value < 1.0 - confidence else "Not more than by chance"
    ) + (
        f": of {shifts} of the same positions to other times, "
        f"{formatting.PERCENT(100 * p_value)} did at least as well."
    )
    return QuestionSection(
        key="timing",
        label="Timing",
        question=question,
        answer=answer,
        description=(
            "The positions as they were, moved against the returns by every number of bars but "
            "the smallest, what falls off the end coming back at the start. Number, length and "
            "size of the positions stay; only their timing is lost. Before costs."
        ),
        source=TIMING_SOURCE,
        tables=(
            PlainTable(
                ("Timing", "Value"),
                (
                    ("p, one-sided", formatting.p_value(p_value)),
                    (
                        "Sharpe ratio of the positions, before costs",
                        formatting.RATIO(timing.get("sharpe")),
                    ),
                    ("Shifts compared with", formatting.COUNT(timing["shifts"])),
                    (
                        "Shifts left out, either way",
                        _nearest_shift_text(timing.get("nearest_bars")),
                    ),
                ),
            ),
        ),
    )


def _nearest_shift_text(bars: int | None) -> str:
    return formatting.MISSING if bars is None else f"below {formatting.BARS(bars)}"


def _forecast_section(
    forecast_tests: Mapping[str, Any] | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "Do the forecasts know more than others do, or than no forecast?"
    if not forecast_tests:
        return UnansweredQuestion(question, "it takes forecasts whose outcome is known")
    errors = forecast_tests.get("diebold_mariano") or {}
    direction = forecast_tests.get("pesaran_timmermann") or {}
    return QuestionSection(
        key="skill",
        label="Forecasts",
        question=question,
        answer=f"{_errors_answer(errors, confidence)} {_direction_answer(direction, confidence)}",
        description=(
            "Squared errors on the same bars; below zero the strategy's are smaller. No change is "
            "the forecast that the price stays, which needs no model. Direction is tested against "
            "what as many ups and downs would hit by chance."
        ),
        source=FORECASTS_SOURCE,
        tables=(
            PlainTable(
                ("Errors against", "Diebold-Mariano", "p, two-sided", "p after Holm"),
                tuple(
                    (
                        forecaster_label(name),
                        STATISTIC_FORMAT(test.get("statistic")),
                        formatting.p_value(test.get("p_value")),
                        formatting.p_value(test.get("p_value_holm")),
                    )
                    for name, test in sorted(
                        errors.items(), key=lambda item: (item[0] != NO_CHANGE, item[0])
                    )
                ),
                note=holm_note(count_p_values(errors), "comparison"),
            ),
            PlainTable(
                ("Direction", "Value"),
                (
                    ("Pesaran-Timmermann", STATISTIC_FORMAT(direction.get("statistic"))),
                    ("p, one-sided", formatting.p_value(direction.get("p_value"))),
                ),
            ),
        ),
    )


def _errors_answer(errors: Mapping[str, Mapping[str, Any]], confidence: float) -> str:
    def named(sign: int) -> list[str]:
        return [
            forecaster_label(name).lower()
            for name, test in sorted(errors.items())
            if _is_significant(test.get("p_value_holm"), confidence)
            and sign * test["statistic"] > 0
        ]

    smaller, larger = named(-1), named(1)
    told = (
        f"Its errors are smaller than those of {join_names(smaller)}."
        if smaller
        else "Its errors are not smaller than anyone's, no change included."
    )
    return told + (f" They are larger than those of {join_names(larger)}." if larger else "")


def _direction_answer(direction: Mapping[str, Any], confidence: float) -> str:
    p_value = direction.get("p_value")
    if p_value is None:
        return "Its direction cannot be tested: it always says the same."
    more = (
        "is right more often than" if _is_significant(p_value, confidence) else "is no better than"
    )
    return f"Its direction {more} chance ({p_value_equation(p_value)})."


def _is_significant(p_value: float | None, confidence: float) -> bool:
    return p_value is not None and p_value < 1.0 - confidence


def _level_trap_section(
    level_trap: Mapping[str, Any] | None,
) -> QuestionSection | UnansweredQuestion:
    question = "Do the forecasts only look good because prices change little from bar to bar?"
    if not level_trap:
        return UnansweredQuestion(question, "it takes forecasts whose outcome is known")
    present = level_trap.get("present")
    answer = (
        f"Yes. "
        f"{formatting.typeset(level_trap.get('sentence') or 'This is the level-forecast trap.')}"
        if present
        else "No: the level-forecast trap is not present."
    )
    rows = [
        (f"{R2_LABEL} on prices", formatting.FINE_RATIO(level_trap.get("r2_prices"))),
        (f"{R2_LABEL} on prices of the last price", level_trap.get("r2_prices_persistence")),
        (f"{R2_LABEL} of returns against no change", level_trap.get("r2_vs_persistence")),
        (f"{R2_LABEL} of returns against the train drift", level_trap.get("r2_vs_drift")),
    ]
    told = [
        (name, value if isinstance(value, str) else formatting.FINE_RATIO(value))
        for name, value in rows
        if value is not None
    ]
    return QuestionSection(
        key="trap",
        label="Level trap",
        question=question,
        answer=answer,
        description=(
            f"A price is nearly the one before it, so that repeating that one has a high "
            f"{R2_LABEL} on "
            "prices too. What counts is the error of the return, and the direction against always "
            "saying up."
        ),
        source=LEVEL_TRAP_SOURCE,
        tables=(
            PlainTable(
                ("Level-forecast trap", "Value"),
                (
                    *told,
                    ("Direction right", formatting.PERCENT(level_trap.get("direction_pct"))),
                    ("Right by always saying up", formatting.PERCENT(level_trap.get("up_pct"))),
                ),
            ),
        ),
    )


def _residual_table(residuals: Mapping[str, Any]) -> PlainTable:
    return PlainTable(
        ("Errors", "Statistic", "Lags", "p"),
        tuple(
            (
                label,
                formatting.RATIO((residuals.get(key) or {}).get("statistic")),
                formatting.COUNT((residuals.get(key) or {}).get("lags")),
                formatting.p_value((residuals.get(key) or {}).get("p_value")),
            )
            for label, key in (("Ljung-Box", "ljung_box"), ("Breusch-Godfrey", "breusch_godfrey"))
        ),
        title="Autocorrelation of the errors",
    )


def _unit_root_table(inputs: Mapping[str, Mapping[str, Any]]) -> PlainTable:
    return PlainTable(
        ("Input", "Augmented Dickey-Fuller", "Lags", "p", "p after Holm"),
        tuple(
            (
                name,
                formatting.SIGNED_RATIO(test.get("statistic")),
                formatting.COUNT(test.get("lags")),
                formatting.p_value(test.get("p_value")),
                formatting.p_value(test.get("p_value_holm")),
            )
            for name, test in sorted(inputs.items())
        ),
        note=holm_note(count_p_values(inputs), "input"),
        title="Unit roots of the inputs",
    )


def _residuals_answer(residuals: Mapping[str, Any], confidence: float) -> str:
    tests = [residuals.get(name) or {} for name in ("ljung_box", "breusch_godfrey")]
    if all(test.get("p_value") is None for test in tests):
        return "The errors cannot be tested."
    if any(_is_significant(test.get("p_value"), confidence) for test in tests):
        return "The errors hang together over time: something forecastable may be left in them."
    return "The errors show no pattern over time."


def _stationarity_answer(inputs: Mapping[str, Mapping[str, Any]], confidence: float) -> str:
    if not inputs:
        return ""
    rooted = [
        name
        for name, test in sorted(inputs.items())
        if not _is_significant(test.get("p_value_holm"), confidence)
    ]
    if not rooted:
        return "No input looks like one with a unit root."
    return (
        f"{formatting.count_of(len(rooted), 'input')} of {len(inputs)} may have a unit root: "
        f"{join_names(rooted[:5])}{' and others' if len(rooted) > 5 else ''}."
    )
