"""The significance page: each test as question, answer, figure and source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.books import STRATEGY, Book, in_order
from engine.reporting.charts.forest import Forest, forest
from engine.reporting.heading import heading
from engine.reporting.rendering import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.artifacts import Run

Estimates = list[tuple[Book, dict[str, Any]]]


@dataclass(frozen=True)
class Test:
    """One test, told.

    Attributes:
        key: Its id in the page.
        question: What it asks.
        answer: What it found, in a sentence or two.
        says: What the figure shows.
        forest: The figure.
        columns: Heads of the table.
        rows: Its rows, the book first.
    """

    key: str
    question: str
    answer: str
    says: str
    forest: Forest
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def significance_page(run: Run) -> str:
    """The page, self-contained, from the run alone."""
    found = run.significance
    confidence = found["method"]["confidence"]
    tests = [_sharpe_test(_estimates(found.get("sharpe", {})), formatting.level(confidence))]
    differences = _estimates(found.get("differences", {}))
    if differences:
        tests.append(_difference_test(differences, confidence))
    method = found["method"]
    return render(
        "significance.html.j2",
        page="significance",
        heading=heading(run),
        tests=tests,
        level=formatting.level(confidence),
        bootstrap=method.get("bootstrap") or formatting.MISSING,
        resamples=formatting.COUNT(method.get("resamples")),
        source=method.get("source") or formatting.MISSING,
        comparisons=formatting.count_of(len(differences), "comparison"),
        seed=str(run.manifest.get("seeds", {}).get("seed", formatting.MISSING)),
    )


def _estimates(figures: Mapping[str, dict[str, Any]]) -> Estimates:
    return [(book, figures[book.key]) for book in in_order(figures)]


def _sharpe_test(estimates: Estimates, level: str) -> Test:
    mine = next((figures for book, figures in estimates if book.key == STRATEGY), {})
    return Test(
        key="sharpe",
        question="Did the strategy make money for the risk it took?",
        answer=_sharpe_answer(mine, level),
        says=f"Annualised Sharpe ratio of each book after costs, with its {level} interval.",
        forest=forest(estimates),
        columns=("Book", "Sharpe ratio", f"{level} interval", "p, one-sided", "Block length"),
        rows=_rows(estimates, holm=False),
    )


def _sharpe_answer(mine: Mapping[str, Any], level: str) -> str:
    low, high = mine.get("low"), mine.get("high")
    if not (formatting.exists(low) and formatting.exists(high)):
        return "There is no interval: the strategy's returns did not vary, or it never traded."
    told = (
        f"Its Sharpe ratio is {formatting.RATIO(mine.get('estimate'))}, "
        f"{level} interval {formatting.RATIO.interval(low, high)}"
    )
    if low is not None and low > 0:
        return f"{told}: all of it above zero."
    if high is not None and high < 0:
        return f"{told}: all of it below zero, it lost money for the risk it took."
    return f"{told}: zero lies inside, so luck alone could have made this result."


def _difference_test(estimates: Estimates, confidence: float) -> Test:
    level = formatting.level(confidence)
    return Test(
        key="differences",
        question="Did it beat each opponent on the same bars?",
        answer=_difference_answer(estimates, confidence),
        says=(
            f"Sharpe ratio of the strategy less that of each opponent, with its {level} interval; "
            "right of zero the strategy was better. Both books are resampled together, so what "
            "moved them both cancels."
        ),
        forest=forest(estimates),
        columns=(
            "Opponent",
            "Difference",
            f"{level} interval",
            "p, two-sided",
            "p after Holm",
            "Block length",
        ),
        rows=_rows(estimates, holm=True),
    )  # fmt: skip


def _difference_answer(estimates: Estimates, confidence: float) -> str:
    def named(sign: int) -> list[str]:
        return [
            book.label
            for book, figures in estimates
            if _significant(figures, confidence) and sign * figures["estimate"] > 0
        ]

    beaten, lost_to = named(1), named(-1)
    total = formatting.COUNT(len(estimates))
    told = (
        f"Better than {_listed(beaten)}: {len(beaten)} of {total} opponents, after Holm's "
        "correction for asking several times."
        if beaten
        else f"Better than none of {total} opponents once Holm's correction is made for asking "
        "several times."
    )
    return told + (f" Worse than {_listed(lost_to)}." if lost_to else "")


def _significant(figures: Mapping[str, Any], confidence: float) -> bool:
    p_value = figures.get("p_value_holm")
    return p_value is not None and formatting.exists(p_value) and p_value < 1.0 - confidence


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _rows(estimates: Estimates, *, holm: bool) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            book.label,
            formatting.SIGNED_RATIO(figures.get("estimate")),
            formatting.SIGNED_RATIO.interval(figures.get("low"), figures.get("high")),
            formatting.p_value(figures.get("p_value")),
            *([formatting.p_value(figures.get("p_value_holm"))] if holm else []),
            formatting.Unit(1, formatting.BARS.suffix)(figures.get("block_length_bars")),
        )
        for book, figures in estimates
    )
