"""Functions of bars, honest and looking ahead, that probes of several tools are given.

Only pandas and NumPy: the environment of another tool runs it too.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

BARS = 3_000
DRAWS = 20
SHARES = (0.10, 0.05, 0.02, 0.01)


def make_bars() -> pd.DataFrame:
    """Daily bars of a random walk."""
    rng = np.random.default_rng(1)
    close = 100.0 * np.cumprod(1.0 + rng.normal(0.0, 0.01, BARS))
    prices = {"open": close, "high": 1.01 * close, "low": 0.99 * close, "close": close}
    index = pd.bdate_range("2010-01-01", periods=BARS)
    return pd.DataFrame({**prices, "volume": rng.uniform(100.0, 1_000.0, BARS)}, index=index)


def _month(bars: pd.DataFrame) -> np.ndarray:
    return np.asarray(bars.index.year * 12 + bars.index.month)


HONEST = {
    "rolling mean": lambda bars: bars["close"].rolling(20).mean(),
    "rolling deviation": lambda bars: bars["close"].pct_change().rolling(30).std(),
    "exponential mean": lambda bars: bars["close"].ewm(span=20).mean(),
    "expanding mean": lambda bars: bars["close"].expanding().mean(),
    "cumulative sum": lambda bars: bars["close"].cumsum(),
    "rolling rank": lambda bars: bars["close"].rolling(100).rank(),
    "rolling correlation": lambda bars: bars["close"].rolling(30).corr(bars["volume"]),
    "highest of the month so far": lambda bars: bars["close"].groupby(_month(bars)).cummax(),
    "crossover": lambda bars: (bars["close"] > bars["close"].rolling(50).mean()).astype(float),
    "month": lambda bars: pd.Series(bars.index.month.astype(float), bars.index),
}
LEAKY = {
    "next close": lambda bars: bars["close"].shift(-1),
    "standardised by all bars": lambda bars: bars["close"] / bars["close"].std(),
    "centred mean": lambda bars: bars["close"].rolling(11, center=True).mean(),
    "filled backwards": lambda bars: bars["close"].where(bars.index.day == 1).bfill(),
    "share of the highest": lambda bars: bars["close"] / bars["close"].max(),
    "rank in all bars": lambda bars: bars["close"].rank(pct=True),
    "mean of the month": lambda bars: bars["close"].groupby(_month(bars)).transform("mean"),
    "interpolated": lambda bars: bars["close"].where(bars["volume"] > 500).interpolate(),
    "above the median": lambda bars: (bars["close"] > bars["close"].median()).astype(float),
    "smoothed both ways": lambda bars: pd.Series(
        np.convolve(bars["close"], np.ones(5) / 5, "same"), bars.index
    ),
}


def leak_at(share: float, draw: int) -> Callable[[pd.DataFrame], pd.Series]:
    """A mean of past changes that at a random share of the bars is the next change."""
    index = make_bars().index
    chosen = pd.Series(np.random.default_rng(draw).random(BARS) < share, index)

    def feature(bars: pd.DataFrame) -> pd.Series:
        change = bars["close"].pct_change()
        return change.rolling(10).mean().where(~chosen.reindex(bars.index), change.shift(-1))

    return feature


def report(probe: Callable[[Callable, pd.DataFrame], bool]) -> None:
    """Writes what a probe finds, as one JSON object.

    Args:
        probe: Whether a function looks ahead on these bars.
    """
    bars = make_bars()
    probe(HONEST["month"], bars)  # what is imported and compiled once
    results: dict[str, object] = {}
    for kind, functions in (("honest", HONEST), ("leaky", LEAKY)):
        rows = {}
        for name, function in functions.items():
            begin = time.perf_counter()
            found = probe(function, bars)
            rows[name] = {"found": found, "seconds": time.perf_counter() - begin}
        results[kind] = rows
    results["shares"] = {
        f"{share:g}": sum(probe(leak_at(share, draw), bars) for draw in range(DRAWS))
        for share in SHARES
    }
    sys.stdout.write(json.dumps(results) + "\n")
