"""What a section of the page is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.charts.forest import Forest
    from engine.reporting.charts.heat import Heat

PROBABILITY = formatting.Unit(3)


@dataclass(frozen=True)
class Table:
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
    def narrow(self) -> bool:
        """Whether it has one column of figures, so that two tables fit beside each other."""
        return len(self.columns) == 2


@dataclass(frozen=True)
class Section:
    """One question.

    Attributes:
        key: Its id in the page.
        label: In the list of sections.
        question: What is asked.
        answer: What was found, in a sentence or two.
        says: What the figures show, and how to read them.
        source: Who described the method.
        forest: Estimates with their intervals, if drawn so.
        heat: Maps of one figure over two settings, if drawn so.
        tables: The figures.
        folded: Whether figures are shown only when asked for.
    """

    key: str
    label: str
    question: str
    answer: str
    says: str
    source: str
    forest: Forest | None = None
    heat: tuple[Heat, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Unasked:
    """A question that this run cannot answer, and why."""

    question: str
    why: str


Told = list[Section | Unasked]
"""What one family of tests has to say; nothing of tests that the run's version did not know."""


def probability(value: float | None) -> str:
    """Three decimals, so that 0.949 does not pass for 0.95."""
    return PROBABILITY(value)


def equals(p_value: float | None) -> str:
    """`p = 0.031`, `p < 0.001`, on one line."""
    told = formatting.p_value(p_value)
    return ("p " if told.startswith("<") else "p = ").replace(" ", formatting.NO_BREAK) + told


def holm_note(count: int, what: str) -> str:
    """Said below every table whose p-values are adjusted."""
    return (
        f"p after Holm: adjusted for the {formatting.count_of(count, what)} of this table, so "
        "that asking them all finds something by chance no more often than asking one."
    )


def found_by_test(tests: Mapping[str, Mapping[str, Any]]) -> int:
    """How many have a p-value to adjust."""
    return sum(test.get("p_value") is not None for test in tests.values())


def listed(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
