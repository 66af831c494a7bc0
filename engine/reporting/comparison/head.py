"""What stands above everything else: what is compared, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts.drawing import span_of
from engine.reporting.heading import GRADES

if TYPE_CHECKING:
    from engine.evaluation.comparison import Comparison


@dataclass(frozen=True)
class Head:
    """The head of the page.

    Attributes:
        name: How many runs.
        symbols: What was traded.
        interval: Length of a bar.
        span: The bars that all of them have.
        grade: Of the evidence for the best of them.
        badge: The grade in words.
        sentence: The claim, and the figures for it.
        remarks: What else the answer says.
        notices: What is not the same of all runs, and matters.
    """

    name: str
    symbols: str
    interval: str
    span: str
    grade: str
    badge: str
    sentence: str
    remarks: str
    notices: tuple[str, ...]


def head(found: Comparison) -> Head:
    """The head of a comparison."""
    first, *others = (_unbroken(sentence) for sentence in found.sentences)
    targets = dict.fromkeys(symbol for each in found.candidates for symbol in each.targets)
    return Head(
        name=f"{formatting.count_of(len(found.labels), 'run')} compared",
        symbols=", ".join(targets),
        interval=found.candidates[0].interval,
        span=span_of(pd.DatetimeIndex(found.returns.index)),
        grade=found.grade,
        badge=GRADES[found.grade],
        sentence=first,
        remarks=" ".join(others),
        notices=tuple(filter(None, (_cut(found), _other_targets(found)))),
    )


def _unbroken(sentence: str) -> str:
    """Each number on one line with its unit."""
    return sentence.replace(" %", f"{formatting.NO_BREAK}%")


def _cut(found: Comparison) -> str:
    most = max(found.left_out.values())
    if not most:
        return ""
    runs = sum(1 for left in found.left_out.values() if left)
    return (
        "The runs do not have the same out-of-sample bars. All figures are those of the bars that "
        f"every run has: {formatting.count_of(runs, 'run')} lost up to "
        f"{formatting.count_of(most, 'bar')}, and their own pages show other figures."
    )


def _other_targets(found: Comparison) -> str:
    if len({each.targets for each in found.candidates}) == 1:
        return ""
    return (
        "The runs do not trade the same symbols. A difference between two of them is one of "
        "markets as much as of strategies, and there is no buy and hold to compare all with."
    )
