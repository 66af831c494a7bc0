"""The replay of a run's newest bars, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runs.documents.live_path import LivePath


def describe_live_path(live_path: LivePath) -> str:
    """What was replayed, and that it is equal, or which value differs."""
    bars = formatting.count_of(live_path.bars, "bar")
    if fault := describe_live_fault(live_path):
        return fault
    return (
        f"Equal on {bars}: the newest ones, traded one by one as a paper account trades them, "
        "have the forecasts, weights, orders, fills and equity of this run, bit for bit."
    )


def describe_live_fault(live_path: LivePath) -> str:
    """The first value that differs; empty where all are equal."""
    first = live_path.first_difference
    if first is None:
        return ""
    symbol = f" of {first.symbol}" if first.symbol else ""
    live, backtest = (
        "missing" if value is None else repr(value) for value in (first.live, first.backtest)
    )
    where = f"{formatting.timestamp(first.bar)}: {first.name}{symbol} ({first.kind})"
    return (
        f"{describe_cause(live_path.own_parts)}: on the live path "
        f"{live_path.differing.total} values differ from those of this run, the first at {where} "
        f"is {live} there and {backtest} here."
    )


def describe_cause(own_parts: Sequence[str]) -> str:
    """Whose fault a difference is: the engine's, unless the strategy has parts of a user's own.

    Args:
        own_parts: Their kinds.
    """
    if not own_parts:
        return "A fault of the engine"
    return (
        f"A fault of a part of your own ({', '.join(own_parts)}), whose streaming form or warm-up "
        "is not that of its batch form, or of the engine"
    )
