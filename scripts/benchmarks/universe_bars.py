"""The bars of the universe benchmark: seeded random walks with a weak edge over the symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import Matrix

COLUMNS = ("open", "high", "low", "close", "volume")
FEE_BPS, SLIPPAGE_BPS = 1.0, 4.0
"""Costs of a fill."""

_VOLATILITY, _MARKET_VOLATILITY, _EDGE = 0.015, 0.008, 0.03
"""Of a day: of a symbol alone, of all together; and how much of its last return a symbol keeps."""


def make_bars(symbols: int, bars: int, seed: int = 1) -> dict[str, Matrix]:
    """Each of `COLUMNS`, (bars, symbols); a symbol's bars do not depend on how many there are."""
    market = _MARKET_VOLATILITY * np.random.default_rng(seed).standard_normal(bars)
    columns = [_make_symbol(market, seed, number) for number in range(symbols)]
    return {name: np.column_stack([own[name] for own in columns]) for name in COLUMNS}


def _make_symbol(market: np.ndarray, seed: int, number: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng((seed, number))
    own = _VOLATILITY * rng.standard_normal(len(market))
    own[1:] += _EDGE * own[:-1]
    close = 50.0 * np.exp(np.cumsum(market + own))
    before = np.concatenate([[50.0], close[:-1]])
    opened = before * np.exp(0.3 * _VOLATILITY * rng.standard_normal(len(close)))
    above, below = np.exp(0.5 * _VOLATILITY * np.abs(rng.standard_normal((2, len(close)))))
    return {
        "open": opened,
        "high": np.maximum(opened, close) * above,
        "low": np.minimum(opened, close) / below,
        "close": close,
        "volume": rng.lognormal(13.0, 0.5, len(close)),
    }


def name_symbols(count: int) -> list[str]:
    """`S000`, `S001` and so on."""
    return [f"S{number:03d}" for number in range(count)]


def write_dataset(folder: Path, symbols: int, bars: int) -> Path:
    """A Parquet file a symbol, and the manifest of a dataset of them.

    Returns:
        The manifest.
    """
    values, names = make_bars(symbols, bars), name_symbols(symbols)
    days = pd.date_range("2015-01-01", periods=bars, freq="D", tz="UTC")
    for place, name in enumerate(names):
        table = pd.DataFrame({column: values[column][:, place] for column in COLUMNS})
        table.insert(0, "timestamp", days)
        table.to_parquet(folder / f"{name}.parquet", index=False)
    manifest = folder / "universe.yaml"
    manifest.write_text(
        f"name: universe\ninterval: 1d\ncalendar: 24/7\nsymbols: [{', '.join(names)}]\n"
        'sources: [{kind: files, path: ., pattern: "{symbol}.parquet"}]\n',
        "utf-8",
    )
    return manifest
