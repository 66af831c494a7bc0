"""Made-up markets and small strategies on them, written as a user would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

SYMBOLS = ("AAA", "BBB")
BARS = 700

STRATEGY = """
name: small
data: {{dataset: {dataset}}}
features:
  - {{kind: log_return}}
  - {{kind: bollinger_percent, window: 10}}
  - {{kind: volume_zscore, window: 10}}
windows: {{train: 300, validation: 50, test: 80}}
model: {model}
training: {{epochs: 3, batch_size: 64}}
seed: 7
signal: {{kind: quantile, enter: 0.6, exit: 0.5, side: long_short}}
sizing: {{kind: volatility_target, target_pct_per_year: 15, window: 20}}
costs: {{fee_bps: 5, slippage_bps: 2, borrow_bps_per_year: 50}}
evaluation: {{resamples: 500}}
"""


def bars(seed: int, *, edge: float = 0.0) -> pd.DataFrame:
    """A random walk with gaps between bars; `edge` of a return comes again on the next bar."""
    rng = np.random.default_rng(seed)
    shocks = 0.01 * rng.standard_normal(BARS)
    returns = shocks.copy()
    for row in range(1, BARS):
        returns[row] = edge * returns[row - 1] + shocks[row]
    close = 100 * np.exp(np.cumsum(returns))
    opened = np.concatenate([[100.0], close[:-1]]) * np.exp(0.001 * rng.standard_normal(BARS))
    spread = 1 + 0.003 * rng.random((2, BARS))
    return pd.DataFrame(
        {
            "timestamp": pd.date_range("2018-01-01", periods=BARS, freq="D"),
            "open": opened,
            "high": np.maximum(opened, close) * spread[0],
            "low": np.minimum(opened, close) / spread[1],
            "close": close,
            "volume": rng.integers(1_000, 9_000, BARS),
        }
    )


def write_market(folder: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """A manifest and one file a symbol."""
    folder.mkdir(parents=True, exist_ok=True)
    for symbol, table in tables.items():
        table.to_csv(folder / f"{symbol}.csv", index=False)
    manifest = folder / "market.yaml"
    manifest.write_text(
        f"name: made-up\ninterval: 1d\ncalendar: 24/7\nsymbols: [{', '.join(tables)}]\n"
        "sources: [{kind: files, path: .}]\n"
    )
    return manifest


def write_strategy(folder: Path, dataset: Path, model: str = "{kind: ridge}") -> Path:
    """A strategy on that market."""
    file = folder / "small.yaml"
    file.write_text(STRATEGY.format(dataset=dataset, model=model))
    return file


def market(folder: Path, *, edge: float = 0.0) -> Path:
    """Two symbols."""
    tables = {symbol: bars(seed, edge=edge) for seed, symbol in enumerate(SYMBOLS)}
    return write_market(folder, tables)


def changed_after(folder: Path, cut: int) -> Path:
    """The same two symbols up to bar `cut`, others from there."""
    tables = {}
    for seed, symbol in enumerate(SYMBOLS):
        kept, other = bars(seed), bars(seed + 100)
        level = kept["close"].iloc[cut] / other["close"].iloc[cut]
        prices = ["open", "high", "low", "close"]
        other[prices] *= level
        tables[symbol] = pd.concat([kept.iloc[: cut + 1], other.iloc[cut + 1 :]])
    return write_market(folder, tables)
