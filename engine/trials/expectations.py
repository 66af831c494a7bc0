"""What is expected of a strategy before it is run: `sharpe > 0.5`, one figure and one number."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

FIGURES = (
    *("sharpe", "sortino", "calmar", "cagr_pct", "total_return_pct", "volatility_pct"),
    *("max_drawdown_pct", "exposure_pct", "hit_rate_pct", "turnover_per_year"),
    *("break_even_cost_bps", "trades"),
)
"""Figures of `metrics.json`; those in percent may be written without `_pct`."""

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_RULE = re.compile(
    r"\s*(?P<figure>[a-z_]+)\s*(?:-\s*(?P<book>[a-zA-Z][\w.]*)\s*)?(?P<operator>>=|<=|>|<)\s*"
    r"(?P<number>[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*%?\s*"
)
_EXPECTED = (
    "FIGURE OP NUMBER, such as `sharpe > 0.5` or `max_drawdown > -20` (percent), or the lead over "
    "a benchmark, such as `sharpe - buy_and_hold > 0`"
)


@dataclass(frozen=True)
class Expectation:
    """One figure that is expected to be above or below a number.

    Attributes:
        figure: Key of a book in `metrics.json`.
        benchmark: Book whose figure is subtracted; None for the strategy's own figure.
        operator: `>`, `>=`, `<` or `<=`.
        number: In the unit of the figure.
    """

    figure: str
    benchmark: str | None
    operator: str
    number: float

    @property
    def rule(self) -> str:
        """The one text of the expectation, whatever it was written like."""
        lead = "" if self.benchmark is None else f" - {self.benchmark}"
        return f"{self.figure}{lead} {self.operator} {self.number:g}"

    def value(self, books: Mapping[str, Mapping[str, Any]]) -> float | None:
        """The figure of a run; None where it is not defined.

        Args:
            books: Book -> its figures, as in `metrics.json`.
        """
        own = books.get(STRATEGY_BOOK, {}).get(self.figure)
        if own is None or self.benchmark is None:
            return None if own is None else float(own)
        other = books.get(self.benchmark, {}).get(self.figure)
        return None if other is None else float(own) - float(other)

    def is_met(self, value: float | None) -> bool:
        """Whether a figure is as expected; one that is not defined is not."""
        return value is not None and _OPERATORS[self.operator](value, self.number)


def parse_expectation(text: str, benchmarks: Collection[str] | None = None) -> Expectation:
    """Reads `FIGURE OP NUMBER` or `FIGURE - BENCHMARK OP NUMBER`.

    Args:
        text: The rule.
        benchmarks: Books that may be named; None for any.

    Raises:
        UsageError: It has another form, or names no figure or book; or it expects of a drawdown
            what every run has, as it is 0 or below.
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise _wrong(text, _EXPECTED)
    figure = found["figure"]
    figure = figure if figure in FIGURES else f"{figure}_pct"
    if figure not in FIGURES:
        names = ", ".join(name.removesuffix("_pct") for name in FIGURES)
        raise _wrong(found["figure"], f"one of {names}")
    book = found["book"]
    if book is not None and benchmarks is not None and book not in benchmarks:
        raise _wrong(book, f"a benchmark of the strategy: {', '.join(benchmarks)}")
    number = float(found["number"])
    if figure == "max_drawdown_pct" and book is None and number > 0:
        raise _wrong(text, f"a drawdown as it is told, 0 or below: `max_drawdown > -{number:g}`")
    return Expectation(figure, book, found["operator"], number)


def _wrong(found: str, expected: str) -> UsageError:
    return UsageError(
        "this is no expectation",
        expected=expected,
        found=found,
        where="--expect",
        fix='write it in quotes: --expect "sharpe > 0.5"',
    )
