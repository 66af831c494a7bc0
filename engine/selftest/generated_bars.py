"""Generated bars of several symbols, with weekends, large moves and bars without trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data import ALWAYS_OPEN, Market, normalise_bars, symbol_provenance
from engine.data.calendar import interval_length
from engine.data.funding_rates import FundingRates, SymbolFunding
from engine.selftest.return_processes import ar1, garch11, iid_normal, jump_diffusion

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import BarsFrame, Vector
    from engine.data import BarInterval

_VOLATILITY = 0.015
"""Standard deviation of the moves: about one bar in twenty moves by more than 3 %."""

_FIRST_BAR = "1990-01-01"
_HOLIDAYS_A_YEAR = 9


@dataclass(frozen=True)
class BarPattern:
    """What the bars look like.

    Attributes:
        symbols: Names; all have the same timestamps.
        interval: Length of a bar.
        weekdays: Whether weekends and a few holidays have no bars.
        process: Of the returns: `walk`, `garch`, `jumps` or `ar1`.
        still_share: Share of bars without volume and without a move.
    """

    symbols: tuple[str, ...] = ("S1", "S2", "S3")
    interval: BarInterval = "1d"
    weekdays: bool = False
    process: str = "jumps"
    still_share: float = 0.01


_PROCESSES: dict[str, Callable[[np.random.Generator, int], Vector]] = {
    "walk": lambda rng, bars: iid_normal(rng, bars, _VOLATILITY),
    "garch": lambda rng, bars: garch11(rng, bars, _VOLATILITY),
    "jumps": lambda rng, bars: jump_diffusion(rng, bars, _VOLATILITY, 0.03, 0.0),
    "ar1": lambda rng, bars: ar1(rng, bars, _VOLATILITY, 0.2),
}


def generate_market(rng: np.random.Generator, bars: int, pattern: BarPattern) -> Market:
    """A market of this many bars a symbol; no symbol tells anything about another."""
    stamps = _draw_timestamps(rng, bars, pattern)
    frames = {
        symbol: normalise_bars(_draw_bars(rng, stamps, pattern), symbol)
        for symbol in pattern.symbols
    }
    merged = pd.concat(frames.values(), ignore_index=True)
    daily = 260.0 if pattern.weekdays else 365.25
    return Market(
        bars=merged.sort_values("timestamp", kind="stable", ignore_index=True),
        symbols=pattern.symbols,
        interval=pattern.interval,
        calendar=ALWAYS_OPEN,
        periods_per_year=daily if pattern.interval == "1d" else 24 * daily,
        provenance={
            "name": "leak test",
            "note": "generated",
            "interval": pattern.interval,
            "calendar": ALWAYS_OPEN,
            "offline": False,
            "notices": [],
            "symbols": {
                symbol: symbol_provenance(frame, "generated", pattern.interval)
                for symbol, frame in frames.items()
            },
        },
    )


def draw_funding(rng: np.random.Generator, market: Market) -> FundingRates:
    """Funding rates of every symbol, every eight hours of its history; none is 0.

    They are ten times as large as usual ones, so that a wrong one shows beside the costs.
    """
    stamps = pd.DatetimeIndex(market.wide("close").index)
    end = pd.Timestamp(market.end_of(stamps[-1]), unit="us", tz="UTC")
    instants = pd.date_range(stamps[0].ceil("8h"), end, freq="8h")
    return FundingRates(
        {
            symbol: SymbolFunding.from_frame(instants, rng.normal(5e-4, 1e-3, len(instants)))
            for symbol in market.symbols
        }
    )


def _step(pattern: BarPattern) -> pd.Timedelta:
    return interval_length(pattern.interval)


def _draw_timestamps(rng: np.random.Generator, bars: int, pattern: BarPattern) -> pd.DatetimeIndex:
    if not pattern.weekdays:
        return pd.date_range(_FIRST_BAR, periods=bars, freq=_step(pattern), tz="UTC")
    a_day = 1 if pattern.interval == "1d" else 24
    spare = 7 * (bars // a_day // 5 + 2) * a_day + 10 * bars // a_day
    stamps = pd.date_range(_FIRST_BAR, periods=bars + spare, freq=_step(pattern), tz="UTC")
    stamps = stamps[stamps.day_of_week < 5]
    holidays = rng.random(len(stamps)) < _HOLIDAYS_A_YEAR / 260
    days = stamps.normalize()
    return stamps[~days.isin(days[holidays & (a_day == 1)])][:bars]


def _draw_bars(
    rng: np.random.Generator, stamps: pd.DatetimeIndex, pattern: BarPattern
) -> BarsFrame:
    bars = len(stamps)
    moves = _PROCESSES[pattern.process](rng, bars)
    gaps = iid_normal(rng, bars, _VOLATILITY / 5)
    still = rng.random(bars) < pattern.still_share
    still[0] = False
    moves[still], gaps[still] = 0.0, 0.0
    close = 100 * np.exp(np.cumsum(moves + gaps))
    opened = close / np.exp(moves)
    above, below = np.exp(_VOLATILITY / 2 * rng.random((2, bars)) * ~still)
    volume = rng.lognormal(10.0, 0.5, bars)
    return pd.DataFrame(
        {
            "timestamp": stamps,
            "open": opened,
            "high": np.maximum(opened, close) * above,
            "low": np.minimum(opened, close) / below,
            "close": close,
            "volume": np.where(still, 0.0, volume),
        }
    )
