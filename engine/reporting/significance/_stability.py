"""Stability over time: a structural break, and decay after the first window."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from engine.reporting import formatting
from engine.reporting.question_section import (
    QuestionSection,
    UnansweredQuestion,
    is_significant,
    p_value_equation,
)
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runs.documents.significance_paths import StabilityFigures

_Figures = TypeVar("_Figures")

STABILITY_SOURCE = (
    "sup-LM test of Andrews 1993, p-values by the dependent wild bootstrap of Shao 2010; HAC "
    "errors of Andrews 1991"
)
BREAK_LABELS = {"sharpe": "Sharpe ratio", "lead": "Lead over buy and hold"}
CHANGED = {"sharpe": "Sharpe ratio", "lead": "lead over buy and hold"}
FALLING = {"return": "mean return", "lead": "lead over buy and hold"}
DECAY_LABELS = {"return": "Mean return a year", "lead": "Lead over buy and hold a year"}


def stability_section(
    stability: StabilityFigures | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "Is the edge stable over time?"
    if not stability:
        return UnansweredQuestion(question, "it needs 120 bars of returns that vary")
    tests = [
        *(
            (
                f"the {CHANGED[name]} changed, most likely at {formatting.timestamp(each.bar)}",
                each.p_value_holm,
            )
            for name, each in _in_order(stability.breaks, BREAK_LABELS)
        ),
        *(
            (f"the {FALLING[name]} is lower after the first window", each.p_value_holm)
            for name, each in _in_order(stability.decay, DECAY_LABELS)
        ),
        *(
            (f"the {FALLING[name]} falls over time", each.slope_p_value_holm)
            for name, each in _in_order(stability.decay, DECAY_LABELS)
        ),
    ]
    found = [
        f"{text} ({p_value_equation(p_value)})"
        for text, p_value in tests
        if is_significant(p_value, confidence)
    ]
    answer = (
        f"No: {'; '.join(found)}."
        if found
        else "There is no evidence of a change. On this many bars only large changes are found."
    )
    return QuestionSection(
        key="stability",
        label="Stability",
        question=question,
        answer=answer,
        description=(
            "A break is one change at an unknown bar in the middle 70 % of the run; before and "
            "after are annualised Sharpe ratios, or the difference of two. Decay is a first "
            "walk-forward window above the later ones, and a slope below zero. All tests allow "
            "for autocorrelation and volatility clustering, those of a break also for a "
            "volatility that changed for good."
        ),
        source=STABILITY_SOURCE,
        tables=(_break_table(stability), _decay_table(stability)),
    )


def _in_order(
    figures: Mapping[str, _Figures], labels: Mapping[str, str]
) -> list[tuple[str, _Figures]]:
    """The figures in the order of their labels, whatever order a JSON file has them in."""
    return [(name, figures[name]) for name in labels if name in figures]


def _break_table(stability: StabilityFigures) -> PlainTable:
    return PlainTable(
        ("Break in", "Most likely at", "Before", "After", "p", "p after Holm"),
        tuple(
            (
                BREAK_LABELS[name],
                formatting.timestamp(each.bar),
                formatting.SIGNED_RATIO(each.before),
                formatting.SIGNED_RATIO(each.after),
                formatting.p_value(each.p_value),
                formatting.p_value(each.p_value_holm),
            )
            for name, each in _in_order(stability.breaks, BREAK_LABELS)
        ),
        title="Break",
    )


def _decay_table(stability: StabilityFigures) -> PlainTable:
    return PlainTable(
        (
            *("Decay of", "First window", "Later", "p", "p after Holm"),
            *("Change a year", "p", "p after Holm"),
        ),
        tuple(
            (
                DECAY_LABELS[name],
                formatting.SIGNED_PERCENT(each.first_window_pct),
                formatting.SIGNED_PERCENT(each.later_pct),
                formatting.p_value(each.p_value),
                formatting.p_value(each.p_value_holm),
                formatting.SIGNED_PERCENT(each.slope_pct),
                formatting.p_value(each.slope_p_value),
                formatting.p_value(each.slope_p_value_holm),
            )
            for name, each in _in_order(stability.decay, DECAY_LABELS)
        ),
        title="Decay",
        note=f"p after Holm: adjusted for the {_count_tests(stability)} tests of both tables, so "
        "that the probability of one or more false positives in them stays below the level.",
    )


def _count_tests(stability: StabilityFigures) -> int:
    p_values = [
        *(each.p_value for each in stability.breaks.values()),
        *(each.p_value for each in stability.decay.values()),
        *(each.slope_p_value for each in stability.decay.values()),
    ]
    return sum(p_value is not None for p_value in p_values)
