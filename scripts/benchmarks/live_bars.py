"""Program: from a bar to a decision, by the bar loop and by the plain way, bar by bar in turn.

Both rehearse before each bar: the loop as a paper account does while it waits, the plain way by a
forecast of the bars so far. So neither meets its bar with the caches of the other.
Arguments: name of a model, bars of the loop, bars of the plain way, milliseconds from a rehearsal
to the bar. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from live_plain import PlainForecaster
from live_workload import (
    HISTORY,
    LOOKBACK,
    MODELS,
    WARMUP,
    following_bars,
    make_market,
    make_spec,
    start_loop,
)

from engine.core.lazy_imports import relax_gc, settle_gc
from engine.training.store import FitStore

if TYPE_CHECKING:
    from engine.data import Market
    from engine.live.loop.bar_loop import BarLoop

WARM_UP_BARS = 20
"""Bars of each way that are not counted: the first calls compile and import."""


def main() -> None:
    """Moves over the bars and prints milliseconds and the difference of the forecasts."""
    name, count, plain_count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pause_s = float(sys.argv[4]) / 1e3
    market = make_market(HISTORY + WARM_UP_BARS + count)
    loop, plain = _make_ways(name, market)
    table = market.bars.set_index("timestamp")
    taken: dict[str, list[tuple[float, float]]] = {"loop": [], "plain": []}
    forecasts: dict[str, list[float]] = {"loop": [], "plain": []}
    relax_gc()  # these two as in `backtest paper run`
    settle_gc()
    for number, bar in enumerate(following_bars(market)):
        loop.prepare_next()
        loop.rehearse()
        start = _clocks_after(pause_s)
        outcome = loop.advance(bar)
        taken["loop"].append(_since(start))
        forecasts["loop"].append(next(iter(outcome.row.predicted.values())))
        if number < WARM_UP_BARS + plain_count:
            end = HISTORY + number + 1
            plain.forecast(table.iloc[end - 1 - WARMUP - LOOKBACK : end - 1])
            start = _clocks_after(pause_s)
            forecast = plain.forecast(table.iloc[end - WARMUP - LOOKBACK : end])
            decided = 1.0 if forecast > 0 else 0.0
            taken["plain"].append(_since(start))
            forecasts["plain"].append(forecast)
            assert decided in {0.0, 1.0}
    sys.stdout.write(json.dumps(_summarise(taken, forecasts)))


def _make_ways(name: str, market: Market) -> tuple[BarLoop, PlainForecaster]:
    """The loop after the history, and the network of its fit in Keras."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        home = Path(folder)
        loop = start_loop(make_spec(MODELS[name]), market, home)
        store = FitStore(home / "fits")
        fitted = store.get(store.find_keys("")[0])
        assert fitted is not None
    return loop, PlainForecaster(fitted)


def _clocks_after(pause_s: float) -> tuple[float, float]:
    """After a sleep, as a process waits for a bar: the system then gives it a core at once."""
    time.sleep(pause_s)
    return _clocks()


def _clocks() -> tuple[float, float]:
    """Wall time, and CPU time of all threads."""
    return time.perf_counter(), time.process_time()


def _since(start: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = _clocks()
    return wall - start[0], cpu - start[1]


def _summarise(
    taken: dict[str, list[tuple[float, float]]], forecasts: dict[str, list[float]]
) -> dict[str, Any]:
    """Milliseconds of each way, and how far their forecasts are apart."""
    shared = len(forecasts["plain"])
    loop, plain = np.array(forecasts["loop"]), np.array(forecasts["plain"])
    summary: dict[str, Any] = {
        way: {"bars": len(seconds) - WARM_UP_BARS, **_quantiles(np.array(seconds[WARM_UP_BARS:]))}
        for way, seconds in taken.items()
    }
    difference = np.abs(loop[:shared] - plain).max() / loop.std()
    return summary | {"largest_difference_over_sd": float(difference)}


def _quantiles(seconds: np.ndarray) -> dict[str, float]:
    """p50 and p99 in milliseconds: of wall time, and of CPU time, which other work spares."""
    return {
        f"{name}{clock}_ms": 1e3 * float(np.quantile(seconds[:, column], share))
        for column, clock in enumerate(("", "_cpu"))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }


if __name__ == "__main__":
    main()
