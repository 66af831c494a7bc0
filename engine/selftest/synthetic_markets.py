"""Markets made of a known truth: one symbol of daily bars, as the data stage would hand it on.

A bar's way from open to close is the planted `move`; from the last close to the open there is a
small gap that nobody can know. On noise both have mean 0 whatever came before, so that every
position that was decided beforehand earns exactly 0 on average before costs, bar by bar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.data import ALWAYS_OPEN, Market, normalise_bars, periods_per_year, symbol_provenance
from engine.selftest.return_processes import ar1, garch11, iid_normal

if TYPE_CHECKING:
    from engine.core.types import Vector

SYMBOL = "MADE-UP"
BARS = 1_150
"""Of one market: with the windows of the self-test's strategies 786 are out of sample."""

MOVE_VOLATILITY = 0.01
"""Of a bar's move; a gap's is a tenth of it."""


def random_walk_market(rng: np.random.Generator, bars: int = BARS) -> Market:
    """Independent normal moves: nothing to be found."""
    return _market_from_moves(iid_normal(rng, bars, MOVE_VOLATILITY), rng)


def garch_market(rng: np.random.Generator, bars: int = BARS) -> Market:
    """Moves with calm and wild spells, whose direction nobody can know: nothing to be found."""
    return _market_from_moves(garch11(rng, bars, MOVE_VOLATILITY), rng)


def ar1_market(rng: np.random.Generator, coefficient: float, bars: int = BARS) -> Market:
    """A known edge: `coefficient` of each move comes again on the next bar.

    Whoever knows it and holds the sign of the last move earns coefficient x sqrt(2 / pi) of a
    deviation a bar, and needs one trade for every turn.
    """
    return _market_from_moves(ar1(rng, bars, MOVE_VOLATILITY, coefficient), rng)


def mean_reverting_market(
    rng: np.random.Generator, reversion_speed: float = 0.1, bars: int = BARS
) -> Market:
    """A mean-reverting price: its logarithm is an AR(1), coefficient 1 - `reversion_speed`."""
    logarithm = ar1(rng, bars, MOVE_VOLATILITY / (2 * reversion_speed) ** 0.5, 1 - reversion_speed)
    return _market_from_closes(np.asarray(np.exp(logarithm), dtype=np.float64), rng)


def trending_market(rng: np.random.Generator, drift: float = 0.4, bars: int = BARS) -> Market:
    """A drift up or down that lasts: an AR(1) with coefficient 0.99, hidden under noise.

    Args:
        rng: The only randomness.
        drift: Standard deviation of the drift, in deviations of the noise.
        bars: How many.
    """
    hidden = ar1(rng, bars, drift * MOVE_VOLATILITY, 0.99)
    return _market_from_moves(hidden + iid_normal(rng, bars, MOVE_VOLATILITY), rng)


def _market_from_moves(moves: Vector, rng: np.random.Generator) -> Market:
    """Open to close as given."""
    growth = (1 + _opening_gaps(len(moves), rng)) * (1 + moves)
    close = np.asarray(np.cumprod(growth), dtype=np.float64)
    return _build_market(close / (1 + moves), close, rng)


def _market_from_closes(close: Vector, rng: np.random.Generator) -> Market:
    """Closes as given, opens a gap away from the close before."""
    before = np.concatenate([close[:1], close[:-1]])
    return _build_market(before * (1 + _opening_gaps(len(close), rng)), close, rng)


def _opening_gaps(bars: int, rng: np.random.Generator) -> Vector:
    return iid_normal(rng, bars, MOVE_VOLATILITY / 10)


def _build_market(open_prices: Vector, close: Vector, rng: np.random.Generator) -> Market:
    bars = len(close)
    above, below = 1 + MOVE_VOLATILITY / 2 * rng.random((2, bars))
    table = pd.DataFrame(
        {
            "timestamp": pd.date_range("1990-01-01", periods=bars, freq="D", tz="UTC"),
            "open": 100 * open_prices,
            "high": 100 * np.maximum(open_prices, close) * above,
            "low": 100 * np.minimum(open_prices, close) / below,
            "close": 100 * close,
            "volume": rng.lognormal(10.0, 0.5, bars),
        }
    )
    made = normalise_bars(table, SYMBOL)
    return Market(
        bars=made,
        symbols=(SYMBOL,),
        interval="1d",
        calendar=ALWAYS_OPEN,
        periods_per_year=periods_per_year(ALWAYS_OPEN, "1d"),
        provenance=_dataset_identity(made),
    )


def _dataset_identity(bars: pd.DataFrame) -> dict[str, Any]:
    return {
        "name": "self-test",
        "note": "generated",
        "interval": "1d",
        "calendar": ALWAYS_OPEN,
        "offline": False,
        "notices": [],
        "symbols": {SYMBOL: symbol_provenance(bars, "generated", "1d")},
    }
