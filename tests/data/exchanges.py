"""Made-up daily bars of symbols on several exchanges, each on the sessions of its calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.assembly import Assembly
from engine.data.bar_grid import next_bar_labels
from engine.data.bar_times import TradingTimes
from engine.data.bars import normalise_bars

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.core.types import BarsFrame

FIRST = "2023-01-01"


def daily_bars(
    symbol: str,
    calendar: str,
    count: int,
    *,
    first: str = FIRST,
    seed: int = 0,
    level: float = 100.0,
) -> BarsFrame:
    """A random walk on the first sessions after a date."""
    rng = np.random.default_rng([seed, *symbol.encode()])
    labels = next_bar_labels(pd.Timestamp(first, tz="UTC"), "1d", calendar, count)
    close = level * np.exp(np.cumsum(0.01 * rng.standard_normal(count)))
    opened = np.concatenate([[level], close[:-1]]) * np.exp(0.003 * rng.standard_normal(count))
    high, low = (
        choose(opened, close) * np.exp(sign * 0.002 * rng.random(count))
        for choose, sign in ((np.maximum, 1), (np.minimum, -1))
    )
    volume = rng.integers(1_000, 9_000, count).astype(float)
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    return normalise_bars(pd.DataFrame({"timestamp": labels, **columns}), symbol)


def assemble(
    calendars: Mapping[str, str],
    count: int = 60,
    *,
    target: str | None = None,
    panel: bool = False,
    rates: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Assembly:
    """The bars of some symbols, each on its calendar, and how they are joined."""
    longer = set((rates or {}).values())
    frames = {
        symbol: daily_bars(symbol, calendar, 3 * count, first="2022-12-15", seed=seed)
        if symbol in longer
        else daily_bars(symbol, calendar, count, seed=seed)
        for symbol, calendar in calendars.items()
    }
    times = {symbol: TradingTimes("1d", calendar) for symbol, calendar in calendars.items()}
    return Assembly(frames, times, target, rates or {}, panel)


def write_dataset(
    folder: Path,
    calendars: Mapping[str, str],
    count: int,
    *,
    first: str = FIRST,
    keys: str = "",
    seed: int = 0,
) -> Path:
    """A manifest and a file a symbol; the calendar of the first is that of the dataset."""
    folder.mkdir(parents=True, exist_ok=True)
    default = next(iter(calendars.values()))
    for symbol, calendar in calendars.items():
        bars = daily_bars(symbol, calendar, count, first=first, seed=seed).drop(columns="symbol")
        bars["timestamp"] = bars["timestamp"].dt.strftime("%Y-%m-%d")
        bars.to_csv(folder / f"{symbol}.csv", index=False)
    own = ", ".join(f'{symbol}: "{each}"' for symbol, each in calendars.items() if each != default)
    manifest = folder / "world.yaml"
    manifest.write_text(
        f'name: world\ninterval: 1d\ncalendar: "{default}"\nsymbols: [{", ".join(calendars)}]\n'
        f"calendars: {{{own}}}\nsources: [{{kind: files, path: .}}]\n{keys}"
    )
    return manifest
