"""Markets made of a known truth: one symbol of daily bars, as the data stage would hand it on.

A bar's way from open to close is the planted `move`; from the last close to the open there is a
small gap that nobody can know. On noise both have mean 0 whatever came before, so that every
position that was decided beforehand earns exactly 0 on average before costs, bar by bar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.data.align import summary
from engine.data.bars import normalise
from engine.data.calendar import ALWAYS_OPEN, periods_per_year
from engine.data.market import Market
from engine.selftest.processes import autoregressive, garch, independent

if TYPE_CHECKING:
    from engine.types import Vector

SYMBOL = "MADE-UP"
BARS = 1_150
"""Of one market: with the windows of the self-test's strategies 786 are out of sample."""

DEVIATION = 0.01
"""Of a bar's move; a gap's is a tenth of it."""


def random_walk(rng: np.random.Generator, bars: int = BARS) -> Market:
    """Independent normal moves: nothing to be found."""
    return _of_moves(independent(rng, bars, DEVIATION), rng)


def garch_walk(rng: np.random.Generator, bars: int = BARS) -> Market:
    """Moves with calm and wild spells, whose direction nobody can know: nothing to be found."""
    return _of_moves(garch(rng, bars, DEVIATION), rng)


def echo(rng: np.random.Generator, coefficient: float, bars: int = BARS) -> Market:
    """A known edge: `coefficient` of each move comes again on the next bar.

    Whoever knows it and holds the sign of the last move earns coefficient x sqrt(2 / pi) of a
    deviation a bar, and needs one trade for every turn.
    """
    return _of_moves(autoregressive(rng, bars, DEVIATION, coefficient), rng)


def elastic(rng: np.random.Generator, pull: float = 0.1, bars: int = BARS) -> Market:
    """A price that is pulled back: its logarithm is an AR(1) with coefficient 1 - `pull`."""
    logarithm = autoregressive(rng, bars, DEVIATION / (2 * pull) ** 0.5, 1 - pull)
    return _of_closes(np.asarray(np.exp(logarithm), dtype=np.float64), rng)


def trending(rng: np.random.Generator, drift: float = 0.4, bars: int = BARS) -> Market:
    """A drift up or down that lasts: an AR(1) with coefficient 0.99, hidden under noise.

    Args:
        rng: The only randomness.
        drift: Standard deviation of the drift, in deviations of the noise.
        bars: How many.
    """
    hidden = autoregressive(rng, bars, drift * DEVIATION, 0.99)
    return _of_moves(hidden + independent(rng, bars, DEVIATION), rng)


def _of_moves(moves: Vector, rng: np.random.Generator) -> Market:
    """Open to close as given."""
    growth = (1 + _gaps(len(moves), rng)) * (1 + moves)
    close = np.asarray(np.cumprod(growth), dtype=np.float64)
    return _market(close / (1 + moves), close, rng)


def _of_closes(close: Vector, rng: np.random.Generator) -> Market:
    """Closes as given, opens a gap away from the close before."""
    before = np.concatenate([close[:1], close[:-1]])
    return _market(before * (1 + _gaps(len(close), rng)), close, rng)


def _gaps(bars: int, rng: np.random.Generator) -> Vector:
    return independent(rng, bars, DEVIATION / 10)


def _market(opened: Vector, close: Vector, rng: np.random.Generator) -> Market:
    bars = len(close)
    above, below = 1 + DEVIATION / 2 * rng.random((2, bars))
    table = pd.DataFrame(
        {
            "timestamp": pd.date_range("1990-01-01", periods=bars, freq="D", tz="UTC"),
            "open": 100 * opened,
            "high": 100 * np.maximum(opened, close) * above,
            "low": 100 * np.minimum(opened, close) / below,
            "close": 100 * close,
            "volume": rng.lognormal(10.0, 0.5, bars),
        }
    )
    made = normalise(table, SYMBOL)
    return Market(
        bars=made,
        symbols=(SYMBOL,),
        interval="1d",
        calendar=ALWAYS_OPEN,
        periods_per_year=periods_per_year(ALWAYS_OPEN, "1d"),
        identity=_identity(made),
    )


def _identity(bars: pd.DataFrame) -> dict[str, Any]:
    return {
        "name": "self-test",
        "note": "generated",
        "interval": "1d",
        "calendar": ALWAYS_OPEN,
        "offline": False,
        "notices": [],
        "symbols": {SYMBOL: summary(bars, "generated", "1d")},
    }
