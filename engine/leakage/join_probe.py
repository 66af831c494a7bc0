"""Joins the bars of several exchanges again, from other bars after a decision.

A row of a market is decided at an instant: the close of the target, or of a book the last close of
the date. Every bar that closes later, whatever its date, is replaced, exchange rates among them;
the rows up to it must not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.randomness import derive_seed
from engine.data import VALUE_COLUMNS
from engine.data.bars import utc_datetime64
from engine.leakage.comparison import OutputPair

if TYPE_CHECKING:
    from engine.core.types import BarsFrame, BoolVector, Matrix
    from engine.data import Market
    from engine.data.assembly import Assembly
    from engine.leakage.comparison import OutputComparison

JOIN_CUTS = 64
"""Rows after whose decision bars are replaced."""


def probe_join(market: Market, seed: int, comparison: OutputComparison) -> None:
    """Refuses rows that depend on bars which close after they are decided.

    Args:
        market: Of the run; nothing is compared where all symbols have one calendar and currency.
        seed: Of the strategy.
        comparison: Receives the joined bars.

    Raises:
        LookaheadError: The first value that differs.
    """
    if market.assembly is None:
        return
    stamps = pd.DatetimeIndex(market.present.index)
    rng = np.random.default_rng(derive_seed(seed, "certificate", "join"))
    count = len(stamps) - 1
    rows = np.sort(rng.choice(count, size=min(JOIN_CUTS, count), replace=False))
    real = _as_rows(market.bars, len(market.symbols))
    names = tuple(f"{symbol} {name}" for symbol in market.symbols for name in VALUE_COLUMNS)
    for row in rows.tolist():
        altered = _replace_after(market.assembly, int(market.decided_at[row]), rng)
        bars, _ = altered.join()
        kept = (bars["timestamp"] <= stamps[row]).to_numpy()
        pair = OutputPair(
            "joined bars",
            names,
            stamps[: row + 1],
            real[: row + 1],
            _as_rows(bars[kept], len(market.symbols)),
            pd.DatetimeIndex(bars["timestamp"][kept].iloc[:: len(market.symbols)]),
        )
        comparison.require_equal(pair, stamps[row])


def _as_rows(bars: BarsFrame, symbols: int) -> Matrix:
    """(n, symbols x 5) prices and volumes of each row."""
    values = bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64)
    return values.reshape(-1, symbols * len(VALUE_COLUMNS))


def _replace_after(assembly: Assembly, instant: int, rng: np.random.Generator) -> Assembly:
    """The bars as they are up to an instant, and others that close after it."""
    frames = {}
    for symbol, frame in assembly.frames.items():
        closes = assembly.times[symbol].closes(utc_datetime64(frame).astype(np.int64))
        frames[symbol] = _with_others(frame, closes > instant, rng)
    return assembly.with_frames(frames)


def _with_others(frame: BarsFrame, later: BoolVector, rng: np.random.Generator) -> BarsFrame:
    changed = frame.copy()
    count = int(later.sum())
    level = np.exp(rng.choice([-1.0, 1.0], count) * rng.uniform(0.2, 0.7, count))
    for name in ("open", "high", "low", "close"):
        changed.loc[later, name] = frame.loc[later, name].to_numpy() * level
    changed.loc[later, "volume"] = frame.loc[later, "volume"].to_numpy() * rng.uniform(
        1.5, 3.0, count
    )
    return changed
