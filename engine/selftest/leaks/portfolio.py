"""Leaks in the division of a book: shares of later returns, and closes of later calendars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.core.types import WideFrame
    from engine.selftest.leaks.planting import Function, Plant

_FOLD = "engine.signals.target_weights.fold_portfolio"
_RULE = "engine.signals.benchmarks.fold_universe_rule"

_SEVERAL = {"data": {"dataset": "generated", "targets": "all"}}


def _with_portfolio(**portfolio: Any) -> Mapping[str, Any]:
    return {**_SEVERAL, "portfolio": portfolio, "sizing": {"kind": "fixed"}}


def _next_close(honest: Function, _: Plant) -> Function:
    def fold(forecasts: WideFrame, held: Any, sizes: Any, close: WideFrame, *rest: Any) -> Any:
        return honest(forecasts, held, sizes, close.shift(-1).ffill(), *rest)

    return fold


def _next_close_of_rules(honest: Function, _: Plant) -> Function:
    def fold(rule: Any, close: WideFrame, *rest: Any) -> Any:
        return honest(rule, close.shift(-1).ffill(), *rest)

    return fold


@dataclass(frozen=True, eq=False)
class _NextBarCalendar:
    """Says that a bar is the last of its period where the next bar is of another one."""

    bars: pd.DatetimeIndex

    def ends_period(self, _: datetime, bar: datetime, kind: str) -> bool:
        following = self.bars[self.bars > pd.Timestamp(bar)]
        if not len(following):
            return False
        code = "M" if kind == "month_end" else "W"
        own, later = pd.DatetimeIndex([bar, following[0]]).tz_localize(None).to_period(code)
        return bool(own != later)


def _next_bar_ends(honest: Function, _: Plant) -> Function:
    def fold(forecasts: WideFrame, held: Any, sizes: Any, close: WideFrame, *rest: Any) -> Any:
        calendar = _NextBarCalendar(pd.DatetimeIndex(close.index))
        spec, *others = rest
        return honest(forecasts, held, sizes, close, replace(spec, calendar=calendar), *others)

    return fold


PORTFOLIO: tuple[Leak, ...] = (
    Leak(
        "portfolio: next close",
        "the covariance that shares are an optimum of includes the next bar",
        "positions",
        _FOLD,
        _next_close,
        _with_portfolio(
            allocation={"kind": "min_variance", "window": 20, "covariance": "sample"},
            rebalance=20,
        ),
    ),
    Leak(
        "portfolio: next volatility",
        "the volatility that the book is scaled by includes the next bar",
        "positions",
        _FOLD,
        _next_close,
        _with_portfolio(volatility_target={"annual": 0.05, "window": 20}, rebalance="weekly"),
    ),
    Leak(
        "portfolio: next bar's month",
        "the last close of a month is that before a bar of the next month",
        "positions",
        _FOLD,
        _next_bar_ends,
        _with_portfolio(
            allocation={"kind": "inverse_volatility", "window": 20}, rebalance="month_end"
        ),
    ),
    Leak(
        "portfolio: rules, next close",
        "a benchmark of several symbols that is rebalanced monthly knows the next close",
        "positions",
        _RULE,
        _next_close_of_rules,
        {
            **_SEVERAL,
            "benchmarks": [
                {"kind": "short_term_reversal", "rebalance": "monthly", "side": "long_short"}
            ],
        },
    ),
)
"""Shares of one book that know later bars, of the strategy and of benchmarks."""
