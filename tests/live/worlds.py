"""Markets on several exchanges that are drawn at random, and a strategy that trades them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.data.market import Market
from engine.selftest.harness import make_strategy
from tests.data.exchanges import assemble

if TYPE_CHECKING:
    from engine.data.assembly import Assembly
    from engine.strategy import Strategy

CALENDARS = ("XNYS", "XTKS", "XASX", "XNZE", "CMES", "XLON", "24/7", "24/5")
"""New York and Tokyo; Sydney and Auckland, whose sessions open on the evening before; Chicago,
whose day does too; London with its half days; coins and currencies."""

KINDS = ("target", "book", "panel")
COUNT = 190


@dataclass(frozen=True)
class World:
    """A market and a strategy for it.

    Attributes:
        spec: The strategy.
        market: Its bars, joined.
    """

    spec: Strategy
    market: Market


def draw_world(seed: int, kind: str, *, holes: int = 3, **sections: Any) -> World:
    """Two to four symbols on calendars of their own, one of them perhaps converted, with holes."""
    rng = np.random.default_rng(seed)
    calendars = rng.choice(CALENDARS, int(rng.integers(2, 5)), replace=False).tolist()
    symbols = {f"S{number}": calendar for number, calendar in enumerate(calendars)}
    rates = {"S1": "FX"} if rng.integers(2) else {}
    rate = {"FX": str(rng.choice(CALENDARS))} if rates else {}
    world = assemble(
        symbols | rate,
        COUNT,
        target="S0" if kind == "target" else None,
        panel=kind == "panel",
        rates=rates,
        seed=seed,
    )
    return World(strategy_of(kind, sections), market_of(_with_holes(world, rng, holes)))


def _with_holes(world: Assembly, rng: np.random.Generator, count: int) -> Assembly:
    """Without some bars of each symbol; a rate keeps all of its own."""
    frames = dict(world.frames)
    for symbol in world.symbols:
        gone = rng.choice(np.arange(1, len(frames[symbol])), count, replace=False)
        frames[symbol] = frames[symbol].drop(index=gone).reset_index(drop=True)
    return world.with_frames(frames)


def market_of(world: Assembly) -> Market:
    """The bars of a world, joined, those of the rows that all sessions have ended."""
    market = Market(
        bars=world.join()[0],
        symbols=world.symbols,
        interval="1d",
        calendar=world.times[world.target or world.symbols[0]].calendar,
        periods_per_year=260.0,
        provenance={"name": "made-up", "offline": False},
        assembly=world,
    )
    last = min(frame["timestamp"].iloc[-1] for frame in world.frames.values())
    return replace(market, bars=market.bars[market.bars["timestamp"] < last])


def strategy_of(kind: str, sections: dict[str, Any] | None = None) -> Strategy:
    """A ridge that trades the whole world, or its first symbol."""
    own: dict[str, Any] = {
        "target": {"data": {"dataset": "made-up", "target": "S0"}},
        "book": {"data": {"dataset": "made-up", "targets": "all"}, "inputs": "all"},
        "panel": {
            "data": {"dataset": "made-up", "targets": "all"},
            "inputs": "target",
            "scope": "pooled",
        },
    }[kind]
    return make_strategy(
        windows={"train": 60, "validation": 20, "test": 25},
        costs={"fee_bps": 2, "slippage_bps": 1},
        benchmarks=[],
        **(own | (sections or {})),
    )
