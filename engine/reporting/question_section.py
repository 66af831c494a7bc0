"""A section with a question: its answer, figures, tables and source, and their wording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.reporting.charts.forest import ForestPlot
    from engine.reporting.charts.heatmap import Heatmap
    from engine.reporting.charts.xy_plot import XYPlot
    from engine.reporting.tables import PlainTable
    from engine.runs.documents.significance import SharpeFigures
    from engine.runs.documents.significance_models import StatisticalTestFigures

PROBABILITY_FORMAT = formatting.NumberFormat(3)


@dataclass(frozen=True)
class QuestionSection:
    """One question with its answer.

    Attributes:
        key: Id of the section in the page.
        label: Name in the list of sections.
        question: The question, as the heading.
        answer: The result, in a sentence or two.
        description: What the figures show, and how to read them.
        source: The publications of the method.
        forest: Forest plot of estimates with their intervals, if there is one.
        heatmaps: Heatmaps of one figure over two settings, if there are any.
        plots: Plots of the figures, if there are any.
        tables: The figures.
        is_collapsed: Whether the figures are folded until the reader opens them.
        span: First bar, last bar and number of bars; empty for those of the run.
    """

    key: str
    label: str
    question: str
    answer: str
    description: str
    source: str
    forest: ForestPlot | None = None
    heatmaps: tuple[Heatmap, ...] = ()
    plots: tuple[XYPlot, ...] = ()
    tables: tuple[PlainTable, ...] = ()
    is_collapsed: bool = False
    span: str = ""


@dataclass(frozen=True)
class UnansweredQuestion:
    """A question that this run cannot answer, and why."""

    question: str
    reason: str


SignificanceSections = list[QuestionSection | UnansweredQuestion]
"""Sections of one group of tests; tests unknown to the version that made the run are absent."""


def format_probability(value: float | None) -> str:
    """Three decimals, so that 0.949 is not shown as 0.95."""
    return PROBABILITY_FORMAT(value)


def p_value_equation(p_value: float | None) -> str:
    """`p = 0.031`, `p < 0.001`, on one line."""
    text = formatting.p_value(p_value)
    relation = "p " if text.startswith("<") else "p = "
    return relation.replace(" ", formatting.NO_BREAK_SPACE) + text


def holm_note(count: int, what: str) -> str:
    """The note below a table whose p-values are adjusted for multiple testing."""
    return (
        f"p after Holm: adjusted for the {formatting.count_of(count, what)} of this table, so "
        "that the probability of one or more false positives in it stays below the level."
    )


def count_p_values(tests: Iterable[SharpeFigures | StatisticalTestFigures]) -> int:
    """Number of tests that have a p-value."""
    return sum(test.p_value is not None for test in tests)


def split_by_sign(
    tests: Iterable[tuple[str, float | None, float | None]], confidence: float
) -> tuple[list[str], list[str]]:
    """Names of the significant tests with a positive estimate, and of those with a negative one.

    Args:
        tests: Name, estimate and p-value of each.
        confidence: Level of the tests.
    """
    significant = [
        (name, estimate or 0.0)
        for name, estimate, p_value in tests
        if is_significant(p_value, confidence)
    ]
    return (
        [name for name, estimate in significant if estimate > 0],
        [name for name, estimate in significant if estimate < 0],
    )


def is_significant(p_value: float | None, confidence: float) -> bool:
    """Whether a p-value is below one minus the confidence; False where there is none."""
    return p_value is not None and p_value < 1.0 - confidence
