"""Whether forecasts and positions know anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.significance.ranks import NO_CHANGE, ranks_section, rival
from engine.reporting.significance.section import (
    Section,
    Table,
    Told,
    Unasked,
    equals,
    found_by_test,
    holm_note,
    listed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMING = "Aronson 2006, ch. 5; circular shifts as in Harris 2020"
FORECASTS = (
    "Diebold & Mariano 1995, corrected as in Harvey, Leybourne & Newbold 1997; Pesaran & "
    "Timmermann 1992; Holm 1979"
)
TRAP = "Granger & Newbold 1974"
RESIDUALS = (
    "Ljung & Box 1978; Breusch 1978 and Godfrey 1978; Said & Dickey 1984 with the p-values of "
    "MacKinnon 1994; Holm 1979"
)
STATISTIC = formatting.SIGNED_RATIO
R2 = "R\N{SUPERSCRIPT TWO}"


def told_of_forecasts(found: Mapping[str, Any]) -> Told:
    """Timing of the positions, skill of the forecasts, the level-forecast trap."""
    confidence = found["method"]["confidence"]
    told: Told = []
    if "timing" in found:
        told.append(_timing(found["timing"], confidence))
    if "forecasts" in found:
        told.append(_forecasts(found["forecasts"], confidence))
    if "ranks" in found:
        told.append(ranks_section(found["ranks"], confidence))
    if "level_trap" in found:
        told.append(_trap(found["level_trap"]))
    return told


def told_of_diagnostics(found: Mapping[str, Any]) -> Told:
    """What the forecasts left over and what they were made from; shown when asked for."""
    confidence = found["method"]["confidence"]
    residuals, inputs = found.get("residuals"), (found.get("inputs") or {}).get("adf")
    if not residuals and not inputs:
        return []
    tables = ([_residuals(residuals)] if residuals else []) + ([_inputs(inputs)] if inputs else [])
    return [
        Section(
            key="diagnostics",
            label="Diagnostics",
            question="Is anything left in the errors, and are the inputs stationary?",
            answer=f"{_left(residuals or {}, confidence)} {_stationary(inputs or {}, confidence)}",
            says=(
                "Errors that hang together could have been forecast; changing volatility alone "
                "makes both tests reject too often. An input with a unit root wanders off what "
                "the model was trained on: a small p says that it does not."
            ),
            source=RESIDUALS,
            tables=tuple(tables),
            folded=True,
        )
    ]


def _timing(found: Mapping[str, Any] | None, confidence: float) -> Section | Unasked:
    question = "Were the positions held at the right time?"
    if not found or found.get("p_value") is None:
        return Unasked(question, "always in the market, or never, is no timing")
    p_value, shifts = found["p_value"], formatting.count_of(found["shifts"], "shift")
    answer = (
        "More than by chance" if p_value < 1.0 - confidence else "Not more than by chance"
    ) + (
        f": of {shifts} of the same positions to other times, "
        f"{formatting.PERCENT(100 * p_value)} did at least as well."
    )
    return Section(
        key="timing",
        label="Timing",
        question=question,
        answer=answer,
        says=(
            "The positions as they were, moved against the returns by every number of bars but "
            "the smallest, what falls off the end coming back at the start. Number, length and "
            "size of the positions stay; only their timing is lost. Before costs."
        ),
        source=TIMING,
        tables=(
            Table(
                ("Timing", "Value"),
                (
                    ("p, one-sided", formatting.p_value(p_value)),
                    (
                        "Sharpe ratio of the positions, before costs",
                        formatting.RATIO(found.get("sharpe")),
                    ),
                    ("Shifts compared with", formatting.COUNT(found["shifts"])),
                    ("Shifts left out, either way", _nearest(found.get("nearest_bars"))),
                ),
            ),
        ),
    )


def _nearest(bars: int | None) -> str:
    return formatting.MISSING if bars is None else f"below {formatting.BARS(bars)}"


def _forecasts(found: Mapping[str, Any] | None, confidence: float) -> Section | Unasked:
    question = "Do the forecasts know more than others do, or than no forecast?"
    if not found:
        return Unasked(question, "it takes forecasts whose outcome is known")
    errors = found.get("diebold_mariano") or {}
    direction = found.get("pesaran_timmermann") or {}
    return Section(
        key="skill",
        label="Forecasts",
        question=question,
        answer=f"{_errors_answer(errors, confidence)} {_direction_answer(direction, confidence)}",
        says=(
            "Squared errors on the same bars; below zero the strategy's are smaller. No change is "
            "the forecast that the price stays, which needs no model. Direction is tested against "
            "what as many ups and downs would hit by chance."
        ),
        source=FORECASTS,
        tables=(
            Table(
                ("Errors against", "Diebold-Mariano", "p, two-sided", "p after Holm"),
                tuple(
                    (
                        rival(name),
                        STATISTIC(test.get("statistic")),
                        formatting.p_value(test.get("p_value")),
                        formatting.p_value(test.get("p_value_holm")),
                    )
                    for name, test in sorted(
                        errors.items(), key=lambda item: (item[0] != NO_CHANGE, item[0])
                    )
                ),
                note=holm_note(found_by_test(errors), "comparison"),
            ),
            Table(
                ("Direction", "Value"),
                (
                    ("Pesaran-Timmermann", STATISTIC(direction.get("statistic"))),
                    ("p, one-sided", formatting.p_value(direction.get("p_value"))),
                ),
            ),
        ),
    )


def _errors_answer(errors: Mapping[str, Mapping[str, Any]], confidence: float) -> str:
    def named(sign: int) -> list[str]:
        return [
            rival(name).lower()
            for name, test in sorted(errors.items())
            if _found(test.get("p_value_holm"), confidence) and sign * test["statistic"] > 0
        ]

    smaller, larger = named(-1), named(1)
    told = (
        f"Its errors are smaller than those of {listed(smaller)}."
        if smaller
        else "Its errors are not smaller than anyone's, no change included."
    )
    return told + (f" They are larger than those of {listed(larger)}." if larger else "")


def _direction_answer(direction: Mapping[str, Any], confidence: float) -> str:
    p_value = direction.get("p_value")
    if p_value is None:
        return "Its direction cannot be tested: it always says the same."
    more = "is right more often than" if _found(p_value, confidence) else "is no better than"
    return f"Its direction {more} chance ({equals(p_value)})."


def _found(p_value: float | None, confidence: float) -> bool:
    return p_value is not None and p_value < 1.0 - confidence


def _trap(found: Mapping[str, Any] | None) -> Section | Unasked:
    question = "Do the forecasts only look good because prices change little from bar to bar?"
    if not found:
        return Unasked(question, "it takes forecasts whose outcome is known")
    present = found.get("present")
    answer = (
        f"Yes. {formatting.prose(found.get('sentence') or 'This is the level-forecast trap.')}"
        if present
        else "No: the level-forecast trap is not present."
    )
    rows = [
        (f"{R2} on prices", formatting.FINE_RATIO(found.get("r2_prices"))),
        (f"{R2} on prices of the last price", found.get("r2_prices_persistence")),
        (f"{R2} of returns against no change", found.get("r2_vs_persistence")),
        (f"{R2} of returns against the train drift", found.get("r2_vs_drift")),
    ]
    told = [
        (name, value if isinstance(value, str) else formatting.FINE_RATIO(value))
        for name, value in rows
        if value is not None
    ]
    return Section(
        key="trap",
        label="Level trap",
        question=question,
        answer=answer,
        says=(
            f"A price is nearly the one before it, so that repeating that one has a high {R2} on "
            "prices too. What counts is the error of the return, and the direction against always "
            "saying up."
        ),
        source=TRAP,
        tables=(
            Table(
                ("Level-forecast trap", "Value"),
                (
                    *told,
                    ("Direction right", formatting.PERCENT(found.get("direction_pct"))),
                    ("Right by always saying up", formatting.PERCENT(found.get("up_pct"))),
                ),
            ),
        ),
    )


def _residuals(found: Mapping[str, Any]) -> Table:
    return Table(
        ("Errors", "Statistic", "Lags", "p"),
        tuple(
            (
                label,
                formatting.RATIO((found.get(key) or {}).get("statistic")),
                formatting.COUNT((found.get(key) or {}).get("lags")),
                formatting.p_value((found.get(key) or {}).get("p_value")),
            )
            for label, key in (("Ljung-Box", "ljung_box"), ("Breusch-Godfrey", "breusch_godfrey"))
        ),
        title="Autocorrelation of the errors",
    )


def _inputs(found: Mapping[str, Mapping[str, Any]]) -> Table:
    return Table(
        ("Input", "Augmented Dickey-Fuller", "Lags", "p", "p after Holm"),
        tuple(
            (
                name,
                formatting.SIGNED_RATIO(test.get("statistic")),
                formatting.COUNT(test.get("lags")),
                formatting.p_value(test.get("p_value")),
                formatting.p_value(test.get("p_value_holm")),
            )
            for name, test in sorted(found.items())
        ),
        note=holm_note(found_by_test(found), "input"),
        title="Unit roots of the inputs",
    )


def _left(residuals: Mapping[str, Any], confidence: float) -> str:
    tests = [residuals.get(name) or {} for name in ("ljung_box", "breusch_godfrey")]
    if all(test.get("p_value") is None for test in tests):
        return "The errors cannot be tested."
    if any(_found(test.get("p_value"), confidence) for test in tests):
        return "The errors hang together over time: something forecastable may be left in them."
    return "The errors show no pattern over time."


def _stationary(inputs: Mapping[str, Mapping[str, Any]], confidence: float) -> str:
    if not inputs:
        return ""
    rooted = [
        name
        for name, test in sorted(inputs.items())
        if not _found(test.get("p_value_holm"), confidence)
    ]
    if not rooted:
        return "No input looks like one with a unit root."
    return (
        f"{formatting.count_of(len(rooted), 'input')} of {len(inputs)} may have a unit root: "
        f"{listed(rooted[:5])}{' and others' if len(rooted) > 5 else ''}."
    )
