"""Arguments of the functions for use from Python: a strategy or its file, and a market."""

from __future__ import annotations

from pathlib import Path

from engine.core.errors import UsageError
from engine.data import Market
from engine.strategy import Strategy, load_strategy


def resolve_strategy(strategy: Strategy | Path | str) -> Strategy:
    """The strategy, read from its file where a path is given.

    Raises:
        UsageError: It is neither, or there is no such file.
        StrategyError: The file is wrong.
    """
    if isinstance(strategy, Strategy):
        return strategy
    if isinstance(strategy, Path | str):
        return load_strategy(Path(strategy))
    raise UsageError(
        "the strategy is of another type",
        expected="an engine.Strategy, or the path of a strategy file",
        found=type(strategy).__name__,
        where="spec",
        fix='give "strategies/ridge.yaml", or what engine.strategy.load_strategy returns',
    )


def require_market(market: object) -> None:
    """Refuses what is no market.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(market, Market):
        raise UsageError(
            "the bars are of another type",
            expected="an engine.data.Market",
            found=type(market).__name__,
            where="market",
            fix="give what engine.load_market(strategy) returns",
        )
