"""Tests of the forecasts and of the timing of the positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.name_lists import join_names
from engine.reporting import formatting
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
    count_p_values,
    holm_note,
    is_significant,
    p_value_equation,
    split_by_sign,
)
from engine.reporting.significance._cross_section import cross_section_section
from engine.reporting.significance._rank_tests import NO_CHANGE, forecaster_label, ranks_section
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runs.documents import Significance
    from engine.runs.documents.significance_models import (
        ForecastTestFigures,
        PriceLevelFigures,
        StatisticalTestFigures,
        TimingFigures,
    )

TIMING_SOURCE = "Aronson 2006, ch. 5; circular shifts as in Harris 2020"
FORECASTS_SOURCE = (
    "Diebold & Mariano 1995, corrected as in Harvey, Leybourne & Newbold 1997; Clark & West 2007; "
    "Pesaran & Timmermann 1992; Holm 1979"
)
LEVEL_TRAP_SOURCE = "Granger & Newbold 1974"
STATISTIC_FORMAT = formatting.SIGNED_RATIO
R2_LABEL = "R\N{SUPERSCRIPT TWO}"


def forecast_sections(significance: Significance) -> SignificanceSections:
    """Market timing of the positions, forecast accuracy, rank tests, the level-forecast trap."""
    confidence = significance.method.confidence
    sections: SignificanceSections = []
    if "timing" in significance:
        sections.append(_timing_section(significance.timing, confidence))
    if "forecasts" in significance:
        sections.append(_forecast_section(significance.forecasts, confidence))
    if "ranks" in significance:
        sections.append(ranks_section(significance.ranks, confidence))
    if significance.cross_section is not None:
        sections.append(cross_section_section(significance.cross_section, confidence))
    if "level_trap" in significance:
        sections.append(_level_trap_section(significance.price_level))
    return sections


def _timing_section(
    timing: TimingFigures | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "Do the positions have market timing?"
    if not timing or timing.p_value is None:
        return UnansweredQuestion(
            question, "a strategy that is always or never in the market has no timing to test"
        )
    p_value, shifts = timing.p_value, formatting.count_of(timing.shifts or 0, "shift")
    answer = (
        "More than chance explains"
        if p_value < 1.0 - confidence
        else "Not more than chance explains"
    ) + (
        f": of {shifts} of the same positions in time, {formatting.PERCENT(100 * p_value)} have "
        "at least as high a Sharpe ratio."
    )
    return QuestionSection(
        key="timing",
        label="Timing",
        question=question,
        answer=answer,
        description=(
            "The series of positions is shifted circularly against the returns by every number "
            "of bars but the smallest ones. Number, duration and size of the positions stay the "
            "same; only their timing changes. Before costs."
        ),
        source=TIMING_SOURCE,
        tables=(
            PlainTable(
                ("Timing", "Value"),
                (
                    ("p, one-sided", formatting.p_value(p_value)),
                    (
                        "Sharpe ratio of the positions, before costs",
                        formatting.RATIO(timing.sharpe),
                    ),
                    ("Shifts compared", formatting.COUNT(timing.shifts)),
                    (
                        "Shifts left out, in either direction",
                        _nearest_shift_text(timing.nearest_bars),
                    ),
                ),
            ),
        ),
    )


def _nearest_shift_text(bars: int | None) -> str:
    return formatting.MISSING if bars is None else f"below {formatting.BARS(bars)}"


def _forecast_section(
    forecast_tests: ForecastTestFigures | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "Are the forecasts more accurate than other forecasts, or than no change?"
    if not forecast_tests:
        return UnansweredQuestion(question, "it needs forecasts of returns whose outcome is known")
    errors = forecast_tests.diebold_mariano
    direction = forecast_tests.pesaran_timmermann
    direction_label = (
        "Pesaran-Timmermann" if forecast_tests.symbols == 1 else "Direction test, panel"
    )
    return QuestionSection(
        key="skill",
        label="Forecasts",
        question=question,
        answer=f"{_errors_answer(errors, confidence)} {_direction_answer(direction, confidence)}",
        description=(
            "Squared errors on the same bars; a negative statistic means that those of the "
            "strategy are smaller. No change is the random-walk forecast, which needs no model. "
            "Direction is tested against independence of forecast and outcome, given the shares "
            "of ups and downs in both."
        ),
        source=FORECASTS_SOURCE,
        tables=(
            PlainTable(
                ("Compared with", "Diebold-Mariano", "p, two-sided", "p after Holm"),
                tuple(
                    (
                        forecaster_label(name),
                        STATISTIC_FORMAT(test.statistic),
                        formatting.p_value(test.p_value),
                        formatting.p_value(test.p_value_holm),
                    )
                    for name, test in sorted(
                        errors.items(), key=lambda item: (item[0] != NO_CHANGE, item[0])
                    )
                ),
                note=holm_note(count_p_values(errors.values()), "comparison"),
            ),
            *_nested_tables(forecast_tests.clark_west),
            PlainTable(
                ("Direction", "Value"),
                (
                    (direction_label, STATISTIC_FORMAT(direction.statistic)),
                    ("p, one-sided", formatting.p_value(direction.p_value)),
                ),
            ),
        ),
    )


def _nested_tables(tests: Mapping[str, StatisticalTestFigures]) -> tuple[PlainTable, ...]:
    """The Clark-West tests; none in documents of earlier versions."""
    if not tests:
        return ()
    rows = tuple(
        (
            forecaster_label(name),
            STATISTIC_FORMAT(test.statistic),
            formatting.p_value(test.p_value),
        )
        for name, test in sorted(tests.items(), key=lambda item: (item[0] != NO_CHANGE, item[0]))
    )
    note = (
        "Whether the model adds anything to a simpler forecast that it contains, whatever its own "
        "errors cost."
    )
    return (PlainTable(("Adds to", "Clark-West", "p, one-sided"), rows, note=note),)


def _errors_answer(errors: Mapping[str, StatisticalTestFigures], confidence: float) -> str:
    larger, smaller = split_by_sign(
        (
            (forecaster_label(name).lower(), test.statistic, test.p_value_holm)
            for name, test in sorted(errors.items())
        ),
        confidence,
    )
    answer = (
        f"Its errors are smaller than those of {join_names(smaller)}."
        if smaller
        else "Its errors are not significantly smaller than those of any other forecast."
    )
    return answer + (f" They are larger than those of {join_names(larger)}." if larger else "")


def _direction_answer(direction: StatisticalTestFigures, confidence: float) -> str:
    p_value = direction.p_value
    if p_value is None:
        return "Its direction cannot be tested: it is always the same."
    more = (
        "is right more often than"
        if is_significant(p_value, confidence)
        else "is right no more often than"
    )
    return f"Its direction {more} chance ({p_value_equation(p_value)})."


def _level_trap_section(
    level_trap: PriceLevelFigures | None,
) -> QuestionSection | UnansweredQuestion:
    question = "Do the forecasts only look accurate because prices change little from bar to bar?"
    if not level_trap:
        return UnansweredQuestion(question, "it needs forecasts of returns whose outcome is known")
    present = level_trap.present
    answer = (
        f"Yes. "
        f"{formatting.typeset(level_trap.get('sentence') or 'This is the level-forecast trap.')}"
        if present
        else "No: the level-forecast trap is not present."
    )
    rows = [
        (f"{R2_LABEL} on prices", formatting.FINE_RATIO(level_trap.r2_prices)),
        (f"{R2_LABEL} on prices of the last price", level_trap.r2_prices_persistence),
        (f"{R2_LABEL} of returns against no change", level_trap.r2_vs_persistence),
        (f"{R2_LABEL} of returns against the train drift", level_trap.r2_vs_drift),
    ]
    known = [
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
            "A price is close to the price before it, so that repeating the last price has a "
            f"high {R2_LABEL} on prices too. Skill shows in the error of the return, and in the "
            "direction compared with always forecasting up."
        ),
        source=LEVEL_TRAP_SOURCE,
        tables=(
            PlainTable(
                ("Level-forecast trap", "Value"),
                (
                    *known,
                    ("Direction right", formatting.PERCENT(level_trap.direction_pct)),
                    (
                        "Direction right by always forecasting up",
                        formatting.PERCENT(level_trap.up_pct),
                    ),
                ),
            ),
        ),
    )
