"""Markets that feeds deliver: with holes, off their multiples, around the clock."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.data.calendar import INTERVAL_LENGTHS
from engine.data.market import Market

LENGTH = 120

# Steps of most feeds, in base bars: the next one, a hole, and, rarely, a bar within another.
STEPS = (1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 9.0, 0.5)


def plausible_market(seed: int, base: str) -> Market:
    """Two symbols that begin anywhere, with holes, off their multiples, closer than a bar."""
    rng = np.random.default_rng(seed)
    begin = pd.Timestamp("2023-12-25", tz="UTC") + rng.integers(20) * INTERVAL_LENGTHS[base] / 2
    steps = rng.choice(STEPS[: rng.integers(1, len(STEPS) + 1)], LENGTH)
    stamps = pd.DatetimeIndex([begin + step * INTERVAL_LENGTHS[base] for step in np.cumsum(steps)])
    tables = [_bars(stamps, rng).assign(symbol=symbol) for symbol in ("B", "A")]
    bars = pd.concat(tables).sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(bars, ("B", "A"), base, "24/7", 365.0, {})


def _bars(stamps: pd.DatetimeIndex, rng: np.random.Generator) -> pd.DataFrame:
    close = 100 * np.exp(np.cumsum(rng.standard_t(3, LENGTH) * 0.03))
    spread = np.exp(np.abs(rng.normal(0, 0.02, (2, LENGTH))))
    return pd.DataFrame(
        {
            "timestamp": stamps.as_unit("us"),
            "open": close * rng.uniform(0.99, 1.01, LENGTH),
            "high": close * spread[0],
            "low": close / spread[1],
            "close": close,
            "volume": rng.lognormal(18, 3, LENGTH),
        }
    )
