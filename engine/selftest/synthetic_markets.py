"""Generated markets with a known property: one symbol of daily bars, as the data stage returns it.

The return of a bar from open to close is the generated `move`; the return from the previous close
to the open is a small random gap. On noise both have conditional mean 0, so that every position
that is decided beforehand has an expected return of exactly 0 before costs, bar by bar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from engine.data import ALWAYS_OPEN, Market, normalise_bars, periods_per_year, symbol_provenance
from engine.selftest.return_processes import ar1, garch11, iid_normal

if TYPE_CHECKING:
    from engine.core.types import Vector

SYMBOL = "MADE-UP"
BARS = 1_150
"""Bars of one market; with the windows of the self-test strategies 786 are out of sample."""

MOVE_VOLATILITY = 0.01
"""Standard deviation of a move; that of a gap is a tenth of it."""


CAUSE_SHARE = 0.33
"""Deviation of the part of a move that a planted input explains, of that of the rest."""


def random_walk_market(rng: np.random.Generator, bars: int = BARS) -> Market:
    """Independent normal moves: no edge."""
    return _market_from_moves(iid_normal(rng, bars, MOVE_VOLATILITY), rng)


def garch_market(rng: np.random.Generator, bars: int = BARS) -> Market:
    """Moves with volatility clustering and an unpredictable direction: no edge."""
    return _market_from_moves(garch11(rng, bars, MOVE_VOLATILITY), rng)


def ar1_market(rng: np.random.Generator, coefficient: float, bars: int = BARS) -> Market:
    """A known edge: the moves are an AR(1) with this coefficient.

    A position in the direction of the last move earns coefficient x sqrt(2 / pi) standard
    deviations a bar, and trades once for each change of sign.
    """
    return _market_from_moves(ar1(rng, bars, MOVE_VOLATILITY, coefficient), rng)


def mean_reverting_market(
    rng: np.random.Generator, reversion_speed: float = 0.1, bars: int = BARS
) -> Market:
    """A mean-reverting price: its logarithm is an AR(1), coefficient 1 - `reversion_speed`."""
    logarithm = ar1(rng, bars, MOVE_VOLATILITY / (2 * reversion_speed) ** 0.5, 1 - reversion_speed)
    return _market_from_closes(np.asarray(np.exp(logarithm), dtype=np.float64), rng)


def trending_market(rng: np.random.Generator, drift: float = 0.4, bars: int = BARS) -> Market:
    """A persistent drift, up or down: an AR(1) with coefficient 0.99 plus noise.

    Args:
        rng: Source of all randomness.
        drift: Standard deviation of the drift, in standard deviations of the noise.
        bars: Number of bars.
    """
    drifts = ar1(rng, bars, drift * MOVE_VOLATILITY, 0.99)
    return _market_from_moves(drifts + iid_normal(rng, bars, MOVE_VOLATILITY), rng)


def lagged_market(
    rng: np.random.Generator, cause: Literal["return", "volume"], lag: int, bars: int = BARS
) -> Market:
    """One input at one lag explains a tenth of the variance of the next move; nothing else does.

    Args:
        rng: Source of all randomness.
        cause: The move itself, or the logarithm of the volume.
        lag: Bars before the newest known one.
        bars: Bars of the market.
    """
    moves = iid_normal(rng, bars, MOVE_VOLATILITY)
    volume = rng.standard_normal(bars)
    for bar in range(lag + 1, bars):
        known = bar - 1 - lag
        value = moves[known] / MOVE_VOLATILITY if cause == "return" else volume[known]
        moves[bar] += MOVE_VOLATILITY * CAUSE_SHARE * value
    return _market_from_moves(moves, rng, np.exp(10.0 + 0.2 * volume))


def _market_from_moves(
    moves: Vector, rng: np.random.Generator, volume: Vector | None = None
) -> Market:
    """A market with these returns from open to close."""
    growth = (1 + _opening_gaps(len(moves), rng)) * (1 + moves)
    close = np.asarray(np.cumprod(growth), dtype=np.float64)
    return _build_market(close / (1 + moves), close, rng, volume)


def _market_from_closes(close: Vector, rng: np.random.Generator) -> Market:
    """A market with these closes; each open is the previous close times a gap."""
    previous = np.concatenate([close[:1], close[:-1]])
    return _build_market(previous * (1 + _opening_gaps(len(close), rng)), close, rng)


def _opening_gaps(bars: int, rng: np.random.Generator) -> Vector:
    return iid_normal(rng, bars, MOVE_VOLATILITY / 10)


def _build_market(
    open_prices: Vector, close: Vector, rng: np.random.Generator, volume: Vector | None = None
) -> Market:
    bars = len(close)
    above, below = 1 + MOVE_VOLATILITY / 2 * rng.random((2, bars))
    table = pd.DataFrame(
        {
            "timestamp": pd.date_range("1990-01-01", periods=bars, freq="D", tz="UTC"),
            "open": 100 * open_prices,
            "high": 100 * np.maximum(open_prices, close) * above,
            "low": 100 * np.minimum(open_prices, close) / below,
            "close": 100 * close,
            "volume": rng.lognormal(10.0, 0.5, bars) if volume is None else volume,
        }
    )
    normalised = normalise_bars(table, SYMBOL)
    return Market(
        bars=normalised,
        symbols=(SYMBOL,),
        interval="1d",
        calendar=ALWAYS_OPEN,
        periods_per_year=periods_per_year(ALWAYS_OPEN, "1d"),
        provenance=_dataset_identity(normalised),
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
