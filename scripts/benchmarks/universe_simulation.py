"""Program: the simulation of one book by this engine, and by bare vectorbt on the same orders."""

from __future__ import annotations

import json
import statistics
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.signals.orders import schedule_orders
from engine.simulation import Costs, Execution, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import WideFrame


def main() -> None:
    """Prints the median seconds of both, in alternation, and the return of both."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--folder", type=Path, required=True)
    arguments.add_argument("--fee-bps", type=float, required=True)
    arguments.add_argument("--slippage-bps", type=float, required=True)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    with np.load(options.folder / "book.npz") as file:
        stamps = pd.DatetimeIndex(file["timestamp"], tz="UTC")
        weights, opens, closes = (
            pd.DataFrame(file[name], stamps, [str(name) for name in file["symbols"]])
            for name in ("weights", "open", "close")
        )
    costs = Costs(fee_bps=options.fee_bps, slippage_bps=options.slippage_bps)

    def by_engine() -> float:
        result = simulate(weights, opens, closes, costs=costs, execution=Execution())
        return float((1.0 + result.returns).prod())

    orders = schedule_orders(weights, 1)
    contenders: dict[str, Callable[[], float]] = {
        "engine": by_engine,
        "vectorbt": lambda: by_vectorbt(
            orders, opens, closes, options.fee_bps / 1e4, options.slippage_bps / 1e4
        ),
    }
    growth = {name: call() for name, call in contenders.items()}  # imports, and compiles
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(options.rounds):
        for name, call in contenders.items():
            began = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - began)
    summary = {
        name: {
            "seconds": statistics.median(seconds[name]),
            "return_pct": 100.0 * (growth[name] - 1.0),
        }
        for name in contenders
    }
    sys.stdout.write(json.dumps(summary) + "\n")


def by_vectorbt(
    orders: WideFrame, opens: WideFrame, closes: WideFrame, fee: float, slippage: float
) -> float:
    """The growth of the book that vectorbt makes of the orders, as its users call it."""
    import vectorbt

    portfolio = vectorbt.Portfolio.from_orders(
        closes,
        size=orders,
        size_type="targetpercent",
        price=opens,
        val_price=opens,
        fees=fee,
        slippage=slippage,
        init_cash=1.0e6,
        group_by=True,
        cash_sharing=True,
        call_seq="auto",
        freq="1D",
    )
    return float((1.0 + portfolio.returns()).prod())


if __name__ == "__main__":
    main()
