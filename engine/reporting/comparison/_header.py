"""The head of the comparison page: what is compared, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.name_lists import list_symbols
from engine.reporting import formatting
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.header import GRADE_LABELS

if TYPE_CHECKING:
    from engine.comparison import RunComparison


@dataclass(frozen=True)
class ComparisonHeader:
    """The head of the page.

    Attributes:
        name: Title: the number of runs.
        symbols: Traded symbols.
        interval: Length of a bar.
        span: Span of the bars that all runs have.
        grade: Grade of the evidence for the best run.
        grade_label: The grade in words.
        sentence: First sentence of the verdict: the claim with its figures.
        remarks: The other sentences of the verdict.
        notices: Warnings: unequal spans, different symbols.
    """

    name: str
    symbols: str
    interval: str
    span: str
    grade: str
    grade_label: str
    sentence: str
    remarks: str
    notices: tuple[str, ...]


def make_comparison_header(comparison: RunComparison) -> ComparisonHeader:
    """The head of the page of a comparison."""
    first, *others = (formatting.typeset(sentence) for sentence in comparison.sentences)
    targets = dict.fromkeys(symbol for each in comparison.runs for symbol in each.targets)
    return ComparisonHeader(
        name=f"{formatting.count_of(len(comparison.labels), 'run')} compared",
        symbols=list_symbols(tuple(targets)),
        interval=comparison.runs[0].interval,
        span=describe_span(pd.DatetimeIndex(comparison.returns.index)),
        grade=comparison.grade,
        grade_label=GRADE_LABELS[comparison.grade],
        sentence=first,
        remarks=" ".join(others),
        notices=tuple(
            filter(
                None, (_unequal_spans_notice(comparison), _different_symbols_notice(comparison))
            )
        ),
    )


def _unequal_spans_notice(comparison: RunComparison) -> str:
    most_excluded = max(comparison.bars_left_out.values())
    if not most_excluded:
        return ""
    runs = sum(1 for left in comparison.bars_left_out.values() if left)
    return (
        "The runs do not have the same out-of-sample bars. All figures are computed on the bars "
        f"that every run has: {formatting.count_of(runs, 'run')} lost up to "
        f"{formatting.count_of(most_excluded, 'bar')}, and their own pages show other figures."
    )


def _different_symbols_notice(comparison: RunComparison) -> str:
    if len({each.targets for each in comparison.runs}) == 1:
        return ""
    return (
        "The runs do not trade the same symbols. A difference between two of them may come from "
        "the market as well as from the strategy, and there is no common buy and hold benchmark."
    )
