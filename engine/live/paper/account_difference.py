"""How a paper account differs from the backtest, and the causes that a difference can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSED, DEFERRED = "order missed", "order deferred"
REVISED, ABSENT, ADDED = "bar revised", "bar absent", "bar withdrawn"
FUNDING = "funding late"
UNEXPLAINED = "unexplained"
_BAR_CAUSES = {REVISED, ABSENT, ADDED}

_SHOWN_BARS = 10

Causes: TypeAlias = Mapping[str, tuple[pd.Timestamp, ...]]
"""Cause -> its bars, ascending."""


@dataclass(frozen=True)
class ExpectedBar:
    """One bar of the expected account.

    Attributes:
        targets: Symbol -> target weight of the run.
        equity: Of the expected account, 1 at the start.
    """

    targets: Mapping[str, float]
    equity: float


@dataclass(frozen=True)
class Difference:
    """How the paper account differs from the backtest over some bars.

    Attributes:
        bars: Bars that were compared.
        targets: Of these, those at which another weight was decided.
        equity: Those at which the equity is another.
        first: The first bar with a difference; None where there is none.
        account_equity: Of the paper account at the last of them, 1 at the start.
        expected_equity: Of the backtest there.
        causes: Cause -> the bars that it came from.
    """

    bars: int
    targets: int
    equity: int
    first: pd.Timestamp | None
    account_equity: float
    expected_equity: float
    causes: Causes

    def as_json(self) -> dict[str, Any]:
        """For an event; of each cause the number of bars, and the first of them."""
        return {
            "bars": self.bars,
            "targets_differ": self.targets,
            "equity_differs": self.equity,
            "first": None if self.first is None else self.first.isoformat(),
            "account_equity": self.account_equity,
            "expected_equity": self.expected_equity,
            "causes": {
                cause: {
                    "bars": len(bars),
                    "first": [bar.isoformat() for bar in bars[:_SHOWN_BARS]],
                }
                for cause, bars in self.causes.items()
            },
        }


def explain_difference(
    targets: Sequence[pd.Timestamp], equity: Sequence[pd.Timestamp], causes: Causes
) -> dict[str, tuple[pd.Timestamp, ...]]:
    """The causes of differences; one that begins before every possible cause has none.

    An order that is missed changes the equity, and no later decision.
    """
    if not targets and not equity:
        return {}
    found = {cause: bars for cause, bars in causes.items() if bars}
    of_bars = [bars[0] for cause, bars in found.items() if cause in _BAR_CAUSES]
    of_all = [bars[0] for bars in found.values()]
    unexplained = tuple(
        wrong[0]
        for wrong, begins in ((targets, of_bars), (equity, of_all))
        if wrong and (not begins or min(begins) > wrong[0])
    )
    return {**found, **({UNEXPLAINED: unexplained} if unexplained else {})}


def has_same_targets(decided: Mapping[str, float], expected: ExpectedBar | None) -> bool:
    """Whether the run decides the same weights at the bar."""
    return expected is not None and dict(decided) == dict(expected.targets)


def has_same_equity(equity: float, expected: ExpectedBar | None) -> bool:
    """Whether the account of the run has the same equity at the bar, to the last bit."""
    return expected is not None and equity == expected.equity
