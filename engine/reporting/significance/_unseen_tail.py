"""The loss of one bar that has not been seen yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
    format_probability,
)
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents import Significance
    from engine.runs.documents.significance import UnseenTailFigures

QUESTION = "Could a loss that has not been seen yet end it?"


def unseen_tail_sections(significance: Significance) -> SignificanceSections:
    """The losses that would erase the profit and end the grade, and whether they may be unseen."""
    if "unseen_tail" not in significance:
        return []
    tail = significance.unseen_tail
    if not tail:
        return [UnansweredQuestion(QUESTION, "it needs 30 bars of returns that vary")]
    return [
        QuestionSection(
            key="tail",
            label="Unseen tail",
            question=QUESTION,
            answer=tail.warning or _plain_answer(tail),
            description="A book of many small gains and rare large losses looks best before the "
            "first of them. No test of the returns finds a loss that is not among them.",
            source="Hanley & Lippman-Hand 1983 (rule of three)",
            tables=(_table(tail),),
        )
    ]


def _plain_answer(tail: UnseenTailFigures) -> str:
    largest = formatting.PERCENT(100 * tail.largest_loss)
    erasing = tail.erasing_loss
    if erasing is None:
        return f"There is no profit to lose; the largest loss of a bar is {largest}."
    return (
        f"A loss of {formatting.PERCENT(100 * erasing)} in one bar would erase the whole profit; "
        f"the largest seen is {largest}. The returns do not have the profile of many small gains."
    )


def _table(tail: UnseenTailFigures) -> PlainTable:
    def share(value: float | None) -> str:
        return formatting.PERCENT(None if value is None else 100 * value)

    rows = (
        ("Largest loss of a bar", share(tail.largest_loss)),
        ("Loss of one bar that would erase the profit", share(tail.erasing_loss)),
        ("Loss of one bar that would take the interval to zero", share(tail.grade_ending_loss)),
        ("Bars with a gain, of those with a return", share(tail.gaining_share)),
        ("A loss of once in so many bars was seen with 95 %",
         formatting.COUNT(tail.rarest_seen_bars)),
        ("Unseen: probability of a loss of once in 500 bars",
         format_probability(tail.unseen_probability)),
        ("Skewness of the returns", formatting.RATIO(tail.skewness)),
    )  # fmt: skip
    return PlainTable(("Unseen tail", "Value"), rows)
