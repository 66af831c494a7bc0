"""What a section of the page is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.charts.forest import ForestPlot
    from engine.reporting.charts.heatmap import Heatmap

PROBABILITY_FORMAT = formatting.NumberFormat(3)


@dataclass(frozen=True)
class PlainTable:
    """A table.

    Attributes:
        columns: Heads, that of the rows' names first.
        rows: The name of each, then its cells as text.
        note: Below it: whether its p-values are adjusted, and over what.
        title: Above it; empty where the section has one table only.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    title: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether it has one column of figures, so that two tables fit beside each other."""
        return len(self.columns) == 2


@dataclass(frozen=True)
class QuestionSection:
    """One question.

    Attributes:
        key: Its id in the page.
        label: In the list of sections.
        question: What is asked.
        answer: What was found, in a sentence or two.
        description: What the figures show, and how to read them.
        source: Who described the method.
        forest: Estimates with their intervals, if drawn so.
        heatmaps: Maps of one figure over two settings, if drawn so.
        tables: The figures.
        is_collapsed: Whether figures are shown only when asked for.
    """

    key: str
    label: str
    question: str
    answer: str
    description: str
    source: str
    forest: ForestPlot | None = None
    heatmaps: tuple[Heatmap, ...] = ()
    tables: tuple[PlainTable, ...] = ()
    is_collapsed: bool = False


@dataclass(frozen=True)
class UnansweredQuestion:
    """A question that this run cannot answer, and why."""

    question: str
    reason: str


SignificanceSections = list[QuestionSection | UnansweredQuestion]
"""What one family of tests has to say; nothing of tests that the run's version did not know."""


def format_probability(value: float | None) -> str:
    """Three decimals, so that 0.949 does not pass for 0.95."""
    return PROBABILITY_FORMAT(value)


def p_value_equation(p_value: float | None) -> str:
    """`p = 0.031`, `p < 0.001`, on one line."""
    told = formatting.p_value(p_value)
    return ("p " if told.startswith("<") else "p = ").replace(
        " ", formatting.NO_BREAK_SPACE
    ) + told


def holm_note(count: int, what: str) -> str:
    """Said below every table whose p-values are adjusted."""
    return (
        f"p after Holm: adjusted for the {formatting.count_of(count, what)} of this table, so "
        "that asking them all finds something by chance no more often than asking one."
    )


def count_p_values(tests: Mapping[str, Mapping[str, Any]]) -> int:
    """How many have a p-value to adjust."""
    return sum(test.get("p_value") is not None for test in tests.values())


def join_names(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
