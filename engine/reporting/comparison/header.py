"""What stands above everything else: what is compared, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.header import GRADE_LABELS

if TYPE_CHECKING:
    from engine.comparison import RunComparison


@dataclass(frozen=True)
class ComparisonHeader:
    """The head of the page.

    Attributes:
        name: How many runs.
        symbols: What was traded.
        interval: Length of a bar.
        span: The bars that all of them have.
        grade: Of the evidence for the best of them.
        grade_label: The grade in words.
        sentence: The claim, and the figures for it.
        remarks: What else the answer says.
        notices: What is not the same of all runs, and matters.
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
    """The head of a comparison."""
    first, *others = (formatting.typeset(sentence) for sentence in comparison.sentences)
    targets = dict.fromkeys(symbol for each in comparison.runs for symbol in each.targets)
    return ComparisonHeader(
        name=f"{formatting.count_of(len(comparison.labels), 'run')} compared",
        symbols=", ".join(targets),
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
    most = max(comparison.bars_left_out.values())
    if not most:
        return ""
    runs = sum(1 for left in comparison.bars_left_out.values() if left)
    return (
        "The runs do not have the same out-of-sample bars. All figures are those of the bars that "
        f"every run has: {formatting.count_of(runs, 'run')} lost up to "
        f"{formatting.count_of(most, 'bar')}, and their own pages show other figures."
    )


def _different_symbols_notice(comparison: RunComparison) -> str:
    if len({each.targets for each in comparison.runs}) == 1:
        return ""
    return (
        "The runs do not trade the same symbols. A difference between two of them is one of "
        "markets as much as of strategies, and there is no buy and hold to compare all with."
    )
