"""Honest strategies that are drawn at random over the schema, with bars that they fit into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from engine.data.rates import InterestRates, RateHistory
from engine.data.rates.rate_file import RateFile
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.data import Market

_Choice = TypeVar("_Choice")

_COARSER = {"1d": "1w", "1h": "4h"}
_BARS_IN_COARSER = {"1d": 7, "1h": 4}


@dataclass(frozen=True, eq=False)
class Case:
    """A strategy on its bars.

    Attributes:
        name: Of the strategy, for the table.
        spec: The strategy.
        market: Its bars.
        rates: Interest rates, where they are not those of `spec`.
    """

    name: str
    spec: Strategy
    market: Market
    rates: InterestRates | None = None


def draw_case(seed: int) -> Case:
    """A strategy without look-ahead, drawn with its bars.

    Features and their windows, coarser bars, inputs, scaling, horizons, windows, model, signal,
    sizing, costs, execution, rates and benchmarks are all drawn. The models are cheap.

    Args:
        seed: Decides everything; equal seeds give equal cases.
    """
    rng = np.random.default_rng([seed, 15])
    pattern = _draw_pattern(rng)
    sections = _draw_sections(rng, pattern)
    spec = Strategy.model_validate(sections)
    bars = _bars_needed(spec, pattern) + int(rng.integers(60, 260))
    market = generate_market(rng, bars, pattern)
    rates = draw_rates(rng, market) if rng.random() < 0.3 else None
    return Case(spec.name, spec, market, rates)


def draw_rates(rng: np.random.Generator, market: Market) -> InterestRates:
    """Risk-free rates that are published every day or every week, and that cash earns or not."""
    stamps = market.bars["timestamp"]
    first, last = stamps.iloc[0] - pd.Timedelta("40D"), stamps.iloc[-1] + pd.Timedelta("40D")
    every = str(rng.choice(["1D", "7D"]))
    dates = pd.date_range(first, last, freq=every).tz_localize(None)
    values = 0.02 + 0.01 * np.sin(np.arange(len(dates))) + 0.002 * rng.standard_normal(len(dates))
    published = np.array(dates, dtype="datetime64[us]")
    file = RateFile("generated rates", "0" * 64, published, values)
    known_from = np.array(dates + pd.Timedelta("1D"), dtype="datetime64[us]")
    cash = 0.5 * values if rng.random() < 0.5 else values
    return InterestRates(
        RateHistory("rates.risk_free", known_from, values, file),
        RateHistory("rates.cash", known_from, cash, file),
    )


def _draw_pattern(rng: np.random.Generator) -> BarPattern:
    return BarPattern(
        symbols=tuple(f"S{number}" for number in range(1, int(rng.integers(1, 4)) + 1)),
        interval="1h" if rng.random() < 0.2 else "1d",
        weekdays=bool(rng.random() < 0.4),
        process=str(rng.choice(["jumps", "garch", "walk", "ar1"])),
        still_share=float(rng.choice([0.0, 0.0, 0.02])),
    )


def _draw_sections(rng: np.random.Generator, pattern: BarPattern) -> dict[str, Any]:
    coarse = bool(rng.random() < 0.3)
    sections: dict[str, Any] = {
        "name": f"random-{rng.integers(10**6)}",
        "data": {"dataset": "generated", "target": str(rng.choice(pattern.symbols))},
        "features": _draw_features(rng, pattern, longest=10 if coarse else 40),
        "inputs": str(rng.choice(["all", "target"])),
        "resolutions": [_COARSER[pattern.interval]] if coarse else [],
        "scaling": _pick(rng, _SCALINGS[:2] if coarse else _SCALINGS),
        "target": _draw_target(rng),
        "windows": {
            "kind": str(rng.choice(["rolling", "expanding"])),
            "train": int(rng.integers(120, 240)),
            "validation": int(rng.integers(15, 50)),
            "test": int(rng.integers(15, 90)),
            "embargo": int(rng.choice([0, 0, 3])),
        },
        "model": _draw_model(rng),
        "seeds": int(rng.integers(1, 4)),
        "seed": int(rng.integers(1_000)),
        "signal": _draw_signal(rng),
        "sizing": _draw_sizing(rng),
        "max_weight": round(float(rng.uniform(0.3, 1.0)), 2),
        "costs": {
            "fee_bps": round(float(rng.uniform(0, 20)), 1),
            "slippage_bps": round(float(rng.uniform(0, 10)), 1),
            "borrow_bps_per_year": float(rng.choice([0, 0, 80])),
        },
        "execution": {
            "delay": int(rng.choice([1, 1, 1, 2, 3])),
            "price": str(rng.choice(["open", "open", "close"])),
            "maintenance_margin": _pick(rng, (None, None, None, 0.25)),
        },
        "rates": {"risk_free": _pick(rng, (0.0, 0.03)), "cash": _pick(rng, (0.0, "risk_free"))},
        "benchmarks": _draw_benchmarks(rng),
        "paths": {"offsets": int(rng.choice([1, 1, 2, 4]))},
    }
    if len(pattern.symbols) > 1 and rng.random() < 0.4:
        _trade_several(rng, sections, pattern)
    return sections


def _trade_several(
    rng: np.random.Generator, sections: dict[str, Any], pattern: BarPattern
) -> None:
    """Trades several symbols as one book, with a portfolio and a scope."""
    del sections["data"]["target"]
    sections["data"]["targets"] = _pick(rng, ("all", list(pattern.symbols[-2:])))
    allocation = _pick(rng, _ALLOCATIONS)
    if allocation["kind"] in {"top_k", "long_short"}:
        sections.pop("signal")
        sections["sizing"] = {"kind": "fixed", "weight": 0.8}
    sections["portfolio"] = {
        "allocation": allocation,
        "rebalance": _pick(rng, (1, 1, 4, "weekly", "monthly")),
        "max_symbol_weight": _pick(rng, (None, None, 0.4)),
        "max_net_weight": _pick(rng, (None, None, 0.1)),
        "min_change": _pick(rng, (0.0, 0.0, 0.05)),
        "max_turnover": _pick(rng, (None, None, 0.3)),
    }
    if sections["target"].get("strategy") != "recursive" and rng.random() < 0.5:
        sections |= {"scope": "pooled", "inputs": "target"}


_ALLOCATIONS: tuple[Mapping[str, Any], ...] = (
    {"kind": "equal"},
    {"kind": "proportional"},
    {"kind": "inverse_volatility", "window": 15},
    {"kind": "top_k", "count": 1},
    {"kind": "long_short", "quantile": 0.5},
)


def _pick(rng: np.random.Generator, choices: Sequence[_Choice]) -> _Choice:
    return choices[int(rng.integers(len(choices)))]


_SCALINGS: tuple[Mapping[str, Any], ...] = (
    {"kind": "standard"},
    {"kind": "minmax", "low": -1.0, "high": 1.0},
    {"kind": "rolling_zscore", "window": 30},
)


def _draw_features(
    rng: np.random.Generator, pattern: BarPattern, longest: int
) -> list[dict[str, Any]]:
    window = int(rng.integers(5, longest))
    kinds: list[dict[str, Any]] = [
        {"kind": "log_return", "periods": int(rng.integers(1, 6))},
        {"kind": "return", "periods": int(rng.integers(1, 6))},
        {"kind": "range"},
        {"kind": "rsi", "window": window},
        {"kind": "macd", "fast": 3, "slow": max(6, window), "signal": 4},
        {"kind": "bollinger_percent", "window": window},
        {"kind": "bollinger_width", "window": window},
        {"kind": "vwap", "window": window},
        {"kind": "obv", "window": window},
        {"kind": "volatility", "window": window},
        {"kind": "volume_zscore", "window": window},
        {"kind": "parkinson", "window": window},
        {"kind": "garman_klass", "window": window},
        {"kind": "rogers_satchell", "window": window},
        {"kind": "yang_zhang", "window": window},
        {"kind": "fractional_difference", "order": 0.4, "window": window},
        {"kind": "trend_regime", "window": window},
        {"kind": "calendar", "cycle": "day_of_week", "wave": "cosine"},
        {"kind": "turn_of_month", "last": 2, "first": 2},
    ]
    if longest >= 40:
        kinds.append({"kind": "volatility_regime", "window": 10, "history": 40})
    if len(pattern.symbols) > 1 and longest >= 40:
        other = {"symbol": str(rng.choice(pattern.symbols))}
        kinds += [
            {"kind": "spread_zscore", "window": 20, **other},
            {"kind": "relative_strength", "periods": window, **other},
            {"kind": "correlation", "window": 20, **other},
        ]
    chosen = rng.choice(len(kinds), size=int(rng.integers(1, 5)), replace=False)
    return [kinds[number] for number in chosen]


def _draw_target(rng: np.random.Generator) -> dict[str, Any]:
    horizon = int(rng.choice([1, 1, 1, 2, 5]))
    several = rng.random() < 0.2
    return {"horizon": horizon, "horizons": sorted({1, horizon, 4}) if several else []}


def _draw_model(rng: np.random.Generator) -> dict[str, Any]:
    ridge = {
        "kind": "ridge",
        "lookback": int(rng.integers(1, 7)),
        "alphas": [float(alpha) for alpha in rng.choice([0.1, 1.0, 10.0, 1e3], 2, replace=False)],
    }
    if rng.random() < 0.7:
        return ridge
    members = [ridge, {"kind": "drift"}, {"kind": "ridge", "lookback": 2}]
    combine = str(rng.choice(["mean", "median", "validation_weighted"]))
    return {"kind": "ensemble", "members": members, "combine": combine}


def _draw_signal(rng: np.random.Generator) -> dict[str, Any]:
    signal: dict[str, Any] = _pick(
        rng,
        (
            {"kind": "threshold", "enter_bps": float(rng.integers(0, 12)), "exit_bps": 0.0},
            {"kind": "cost_multiple", "enter": round(float(rng.uniform(0, 0.5)), 2), "exit": 0.0},
            {"kind": "quantile", "enter": round(float(rng.uniform(0.55, 0.9)), 2), "exit": 0.5},
        ),
    )
    return signal | {"side": str(rng.choice(["long_only", "long_short"]))}


def _draw_sizing(rng: np.random.Generator) -> dict[str, Any]:
    sizing: dict[str, Any] = _pick(
        rng,
        (
            {"kind": "fixed", "weight": round(float(rng.uniform(0.2, 1.0)), 2)},
            {"kind": "proportional", "full_bps": float(rng.integers(10, 80))},
            {
                "kind": "volatility_target",
                "target_pct_per_year": 15.0,
                "window": int(rng.integers(5, 40)),
            },
        ),
    )
    return sizing


def _draw_benchmarks(rng: np.random.Generator) -> list[dict[str, Any]]:
    side = str(rng.choice(["long_only", "long_short"]))
    kinds: list[dict[str, Any]] = [
        {"kind": "ma_crossover", "fast": int(rng.integers(2, 10)), "slow": 30, "side": side},
        {"kind": "mean_reversion", "window": int(rng.integers(5, 30)), "side": side},
        {"kind": "persistence"},
        {"kind": "drift"},
        {"kind": "always_up"},
        {"kind": "ridge", "lookback": 3},
    ]
    chosen = rng.choice(len(kinds), size=int(rng.integers(0, 4)), replace=False)
    return [kinds[number] for number in chosen]


def _bars_needed(spec: Strategy, pattern: BarPattern) -> int:
    """Bars up to the first out-of-sample one."""
    lookback = max(model.lookback for model in spec.forecasters().values())
    warmup = max(feature.warmup for feature in spec.features) + spec.scaling.warmup + lookback
    if spec.resolutions:
        warmup = (warmup + 3) * _BARS_IN_COARSER[pattern.interval]
    gaps = 2 * (spec.target.max_horizon + spec.windows.embargo)
    parts = int(spec.windows.train) + int(spec.windows.validation)
    return warmup + spec.target.max_horizon + gaps + parts
