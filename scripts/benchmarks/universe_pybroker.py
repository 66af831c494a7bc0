"""Program, run by the Python of an environment with PyBroker: one rebalanced book, simulated."""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pybroker
from pybroker import FeeMode, PriceType, Strategy, StrategyConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pybroker import ExecContext, TestResult

CASH = 1e8
WARM_BARS, WARM_SYMBOLS = 60, 4


def make_frame(book: dict[str, np.ndarray], bars: int, symbols: int) -> pd.DataFrame:
    """Long bars of the first bars and symbols."""
    days = pd.to_datetime(book["timestamp"][:bars])
    names = book["symbols"][:symbols]
    columns = {
        name: book[name][:bars, :symbols].ravel()
        for name in ("open", "high", "low", "close", "volume")
    }
    return pd.DataFrame({"date": days.repeat(symbols), "symbol": np.tile(names, bars), **columns})


def simulate(
    frame: pd.DataFrame, weights: np.ndarray, names: list[str], cost_pct: float
) -> TestResult:
    """Fills the changed weights of each close at the next open.

    Args:
        frame: Long bars.
        weights: (n, k) decided at each close.
        names: The k symbols.
        cost_pct: Of the value of an order.
    """
    config = StrategyConfig(
        initial_cash=CASH,
        fee_mode=FeeMode.ORDER_PERCENT,
        fee_amount=cost_pct,
        enable_fractional_shares=True,
        round_fill_price=False,
        leverage=4.0,
    )
    before = np.vstack([np.zeros(weights.shape[1]), weights[:-1]])
    changed = weights != before

    def rebalance(contexts: Mapping[str, ExecContext]) -> None:
        bar = next(iter(contexts.values())).bars - 1
        for place in np.flatnonzero(changed[bar]).tolist():
            context, weight = contexts[names[place]], weights[bar, place]
            long, short = context.long_pos(), context.short_pos()
            held = (long.shares if long else 0) - (short.shares if short else 0)
            due = context.calc_target_shares(abs(weight), cash=float(context.total_equity))
            order = (due if weight > 0 else -due) - held
            if order > 0:
                context.buy_shares, context.buy_fill_price = order, PriceType.OPEN
            elif order < 0:
                context.sell_shares, context.sell_fill_price = -order, PriceType.OPEN

    strategy = Strategy(frame, frame["date"].min(), frame["date"].max(), config)
    strategy.add_execution(None, names)
    strategy.set_after_exec(rebalance)
    return strategy.backtest(calc_bootstrap=False, warmup=None)


def main() -> None:
    """Times the simulation alone, after a small one that compiles what is compiled."""
    pybroker.disable_logging()
    pybroker.disable_progress_bar()
    folder, cost_pct = Path(sys.argv[1]), float(sys.argv[2])
    with np.load(folder / "book.npz") as file:
        book = dict(file)
    weights, names = book["weights"], [str(name) for name in book["symbols"]]
    simulate(
        make_frame(book, WARM_BARS, WARM_SYMBOLS),
        weights[:WARM_BARS, :WARM_SYMBOLS],
        names[:WARM_SYMBOLS],
        cost_pct,
    )
    frame = make_frame(book, *weights.shape)
    began, own = time.perf_counter(), time.process_time()
    result = simulate(frame, weights, names, cost_pct)
    seconds, cpu = time.perf_counter() - began, time.process_time() - own
    value = float(result.portfolio["equity"].iloc[-1])
    summary = {
        "version": version("lib-pybroker"),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "orders": len(result.orders),
        "return_pct": 100.0 * (value / CASH - 1.0),
    }
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
