"""Runs of any size and shape, their books filled and booked by the engine's own simulation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.analysis import with_analysis
from engine.reporting.charts.xy_plot import plot_data
from engine.reporting.templating import render_template
from engine.runs.run import Run
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate
from tests.reporting.page import Page
from tests.runs.documents import (
    make_manifest,
    make_metrics_document,
    make_significance_document,
)

if TYPE_CHECKING:
    from engine.reporting.tearsheet.section import TearsheetSection


@dataclass(frozen=True)
class Shape:
    """What a run looks like: the last `tested` of `bars` are out of sample.

    `forecast` is `skill`, `noise` or `constant`; `sides` are the weights it may take, in turn.
    With `held` symbols a side, the book is long in those with the highest forecasts and short in
    those with the lowest, anew every fifth bar.
    """

    bars: int = 700
    tested: int = 400
    freq: str = "D"
    symbols: tuple[str, ...] = ("BTC",)
    horizon: int = 1
    seeds: int = 2
    forecast: str = "noise"
    sides: tuple[float, ...] = (0.0, 1.0, -0.5)
    borrow: float = 300.0
    held: int = 0
    noise: float = 0.002


def small_run(shape: Shape) -> Run:
    """A run of that shape, with buy and hold beside it; the same every time."""
    rng = np.random.default_rng(77)
    index = pd.date_range(
        "2019-01-01", periods=shape.bars, freq=shape.freq, tz="UTC", name="timestamp"
    ).as_unit("us")
    count = len(shape.symbols)
    close = pd.DataFrame(
        100 * np.exp(np.cumsum(rng.standard_t(4, (shape.bars, count)) * 0.01, axis=0)),
        index=index,
        columns=list(shape.symbols),
    )
    opens = close.shift().fillna(100.0) * np.exp(rng.normal(0, 0.001, close.shape))
    days = index[-shape.tested :]
    turns = np.arange(shape.tested) // 7 % len(shape.sides)
    weights = pd.DataFrame(
        np.array(shape.sides)[turns][:, None].repeat(count, axis=1) / count,
        index=days,
        columns=close.columns,
    )
    actual = (close.shift(-shape.horizon) / close - 1).loc[days]
    if shape.held:
        weights = _long_short(0.1 * actual.fillna(0.0), rng, shape.held)
    costs = Costs(borrow_bps_per_year=shape.borrow)
    books = {"strategy": weights, "buy_and_hold": weights * 0 + 1 / count}
    results = {
        name: simulate(each, opens.loc[days], close.loc[days], costs=costs, execution=Execution())
        for name, each in books.items()
    }
    trades = pd.concat(
        [result.trades.assign(book=name) for name, result in results.items()], ignore_index=True
    )
    predicted = {
        "skill": 0.1 * actual.fillna(0.0),
        "noise": actual * 0.0,
        "constant": actual.fillna(0.0) * 0.0 + 0.001,
    }[shape.forecast].fillna(0.0)
    noise = 0.0 if shape.forecast == "constant" else shape.noise
    predictions = [
        pd.DataFrame(
            {
                "timestamp": days,
                "symbol": symbol,
                "window": 0,
                "seed": seed,
                "horizon": horizon,
                "predicted": predicted[symbol] + noise * rng.normal(size=len(days)),
                "actual": actual[symbol].to_numpy(),
            }
        )
        for symbol in shape.symbols
        for seed in range(shape.seeds)
        for horizon in {shape.horizon, 1}
    ]
    bars = pd.concat(
        [
            pd.DataFrame(
                {
                    "timestamp": index,
                    "symbol": symbol,
                    "open": opens[symbol].to_numpy(),
                    "high": np.maximum(opens[symbol], close[symbol]).to_numpy(),
                    "low": np.minimum(opens[symbol], close[symbol]).to_numpy(),
                    "close": close[symbol].to_numpy(),
                    "volume": 1.0,
                }
            )
            for symbol in shape.symbols
        ]
    )
    positions = weights.stack().rename_axis(["timestamp", "symbol"]).rename("weight").reset_index()
    run = Run(
        run_id="0123456789ab",
        run_dir=Path("reports/small/0123456789ab"),
        manifest=make_manifest(
            target=list(shape.symbols),
            strategy={"costs": costs.model_dump(), "target": {"horizon": shape.horizon}},
        ),
        bars=bars.sort_values(["timestamp", "symbol"], ignore_index=True),
        predictions=pd.concat(predictions, ignore_index=True),
        positions=positions.assign(book="strategy"),
        returns=pd.DataFrame({name: result.returns for name, result in results.items()}),
        trades=trades,
        metrics=make_metrics_document(
            span={
                "first": f"{days[0]:%Y-%m-%d}",
                "last": f"{days[-1]:%Y-%m-%d}",
                "bars": len(days),
                "periods_per_year": 365.0,
            }
        ),
        significance=make_significance_document(),
    )
    return with_analysis(run)


def _long_short(forecasts: pd.DataFrame, rng: np.random.Generator, held: int) -> pd.DataFrame:
    """Weights of ranked forecasts that are mostly noise."""
    order = (forecasts + rng.normal(0, 0.02, forecasts.shape)).rank(axis=1)
    longs, shorts = order > order.shape[1] - held, order <= held
    weights = (longs.astype(float) - shorts.astype(float)) / (2 * held)
    turns = weights.iloc[::5].reindex(weights.index)
    return turns.ffill()


def shown(section: TearsheetSection | None) -> Page:
    """A section as a browser would find it, without the page around it."""
    assert section is not None
    return Page(
        render_template(
            f"tearsheet/{section.key}.html.j2",
            content=section.content,
            heading=SimpleNamespace(span="all of it"),
            plot_data=plot_data,
        )
    )
