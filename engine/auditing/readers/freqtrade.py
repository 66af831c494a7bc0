"""freqtrade's exported backtest: JSON, or the zip that newer versions write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.auditing.closed_trades import ClosedTrades
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.json_text import Json

_NEEDED = {"open_date", "close_date", "profit_abs", "profit_ratio"}


def recognises(document: Json) -> bool:
    """Whether a JSON document is one of freqtrade."""
    strategies = document.get("strategy") if isinstance(document, dict) else None
    return isinstance(strategies, dict) and all(
        isinstance(each, dict) and "trades" in each for each in strategies.values()
    )


def read(document: Json, path: Path) -> ClosedTrades:
    """The trades of the one strategy of an export, and its starting balance.

    Raises:
        UsageError: It has several strategies, or no trade.
    """
    strategies = document["strategy"]
    trades = next(iter(strategies.values()))["trades"] if len(strategies) == 1 else []
    rows = [each for each in trades if isinstance(each, dict) and set(each) >= _NEEDED]
    if not rows:
        raise UsageError(
            "the export of freqtrade has no trades of one strategy",
            expected="one strategy with closed trades",
            found=f"{len(strategies)} strategies: {', '.join(map(str, strategies))[:200]}; "
            f"{len(trades):,} trades",
            where=str(path),
            fix="export the backtest of one strategy: freqtrade backtesting --export trades",
        )
    frame = pd.DataFrame(
        {
            "entry": pd.to_datetime([row["open_date"] for row in rows], utc=True),
            "exit": pd.to_datetime([row["close_date"] for row in rows], utc=True),
            "profit": [float(row["profit_abs"]) for row in rows],
            "returned": [float(row["profit_ratio"]) for row in rows],
        }
    )
    if all({"amount", "open_rate", "pair"} <= set(row) for row in rows):
        signs = [-1.0 if row.get("is_short") else 1.0 for row in rows]
        amounts = [float(row["amount"]) for row in rows]
        frame["size"] = [sign * amount for sign, amount in zip(signs, amounts, strict=True)]
        frame["price"] = [float(row["open_rate"]) for row in rows]
        frame["symbol"] = [str(row["pair"]) for row in rows]
    balance = next(iter(strategies.values())).get("starting_balance")
    capital = float(balance) if isinstance(balance, int | float) else None
    return ClosedTrades("freqtrade", frame, str(path), capital=capital)
