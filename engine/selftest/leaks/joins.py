"""Leaks in how bars of several exchanges are joined, and in which rate converts a price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.data.assembly import Assembly
from engine.data.bar_times import TradingTimes
from engine.data.bars import utc_datetime64
from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame
    from engine.data import Market
    from engine.selftest.leaks.planting import Function, Plant

_JOIN = "engine.data.assembly.relabel_by_close"
_CONVERSION = "engine.data.assembly.convert_prices"

_TARGET, _OTHERS, _RATE = "XASX", ("XNYS", "24/7"), "24/5"
"""Sydney decides, when New York has not opened and a coin's day has not ended."""


def spread_over_exchanges(market: Market, target: str) -> Market:
    """The market with its symbols on other exchanges, the target in Sydney, in another currency.

    Args:
        market: Daily bars of every day.
        target: The symbol that is traded.
    """
    calendars = {
        symbol: _TARGET if symbol == target else _OTHERS[place % len(_OTHERS)]
        for place, symbol in enumerate(market.symbols)
    }
    frames: dict[str, BarsFrame] = {}
    for symbol, calendar in calendars.items():
        own = market.bars[market.bars["symbol"] == symbol]
        stamps = utc_datetime64(own).astype(np.int64)
        open_days = TradingTimes("1d", calendar).have_sessions(stamps)
        frames[symbol] = own[open_days].reset_index(drop=True)
    frames["RATE"] = market.bars[market.bars["symbol"] == target].assign(symbol="RATE")
    frames["RATE"] = frames["RATE"].reset_index(drop=True)
    assembly = Assembly(
        frames,
        {name: TradingTimes("1d", calendar) for name, calendar in calendars.items()}
        | {"RATE": TradingTimes("1d", _RATE)},
        target,
        {target: "RATE"},
    )
    return replace(market, assembly=assembly, calendar=_TARGET).rejoined()


def _on_dates(honest: Function, plant: Plant) -> Function:
    def join(frames: Mapping[str, BarsFrame], *_: Any) -> Mapping[str, BarsFrame]:
        return frames

    return join


def _on_dates_sometimes(honest: Function, plant: Plant) -> Function:
    """On one date in ten the bars of other exchanges are those of the same date."""

    def join(frames: Mapping[str, BarsFrame], *rest: Any) -> Mapping[str, BarsFrame]:
        moved: dict[str, BarsFrame] = honest(frames, *rest)
        made = {}
        for symbol, frame in moved.items():
            early = frames[symbol].set_index("timestamp")
            chosen = plant.draw_rows(len(frame), 0.1) & frame["timestamp"].isin(early.index)
            mixed = frame.copy()
            rows = early.loc[frame.loc[chosen, "timestamp"]]
            for name in rows.columns:
                mixed.loc[chosen, name] = rows[name].to_numpy()
            made[symbol] = mixed
        return made

    return join


def _rate_of_the_date(honest: Function, plant: Plant) -> Function:
    """The rate of a date converts prices of that date, whenever it closes."""

    def convert(bars: BarsFrame, times: TradingTimes, rates: BarsFrame, *_: Any, name: str) -> Any:
        return honest(
            bars, TradingTimes(times.interval), rates, TradingTimes(times.interval), name=name
        )

    return convert


_NEEDS = {
    "inputs": "all",
    "scope": "per_symbol",
    "resolutions": [],
    "windows": {"train": 100, "validation": 30, "test": 40},
}
"""The target has fewer days than the generated bars."""

JOINS: tuple[Leak, ...] = (
    Leak(
        "join: on dates",
        "Joins the bars of all exchanges on their dates: New York's close of a Tuesday is fed to "
        "Sydney's decision of that Tuesday",
        "joined bars",
        _JOIN,
        _on_dates,
        needs=_NEEDS,
        over_exchanges=True,
    ),
    Leak(
        "join: on dates, at some dates",
        "Joins one date in ten so, and the others by when bars close",
        "joined bars",
        _JOIN,
        _on_dates_sometimes,
        needs=_NEEDS,
        over_exchanges=True,
    ),
    Leak(
        "join: rate of the date",
        "Converts a price with the exchange rate of its date, which closes after it",
        "joined bars",
        _CONVERSION,
        _rate_of_the_date,
        needs=_NEEDS,
        over_exchanges=True,
    ),
)
