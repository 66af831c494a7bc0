"""Runs of several symbols, panels, calendars, currencies, costs and rates are verified."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import engine
from engine.backtest.runner import repeat_run
from engine.core.progress import NullProgress
from engine.runs.stored_market import restore_market
from engine.runs.sums import write_sums
from engine.selftest.generated_bars import BarPattern, draw_funding, generate_market
from engine.selftest.harness import make_strategy
from engine.trials.repeated_entry import RepeatedEntry
from tests.data.exchanges import write_dataset
from tests.pipeline.panels import POOLED, write_panel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.data import Market
    from engine.strategy import Strategy

pytestmark = pytest.mark.slow

WINDOWS = {"train": 120, "validation": 20, "test": 60}
SETTINGS = {"windows": WINDOWS, "evaluation": {"resamples": 200}}


def run_market(folder: Path, spec: Strategy, market: Market) -> engine.Run:
    return repeat_run(
        spec,
        market,
        RepeatedEntry(spec.model_dump(mode="json"), None),
        out=folder / "reports",
        home=folder / "home",
        progress=NullProgress(),
    )


def generated(rows: int = 300) -> Market:
    return generate_market(np.random.default_rng(4), rows, BarPattern(symbols=("S1", "S2")))


def every_cost(folder: Path) -> engine.Run:
    """Borrowed cash, funding, a margin, rates, minimum commissions, orders cut by volumes."""
    market = generated()
    funding = draw_funding(np.random.default_rng(5), market)
    provenance = market.provenance | {"funding": funding.as_json()}
    value = market.wide("close")["S1"] * market.wide("volume")["S1"]
    spec = make_strategy(
        costs={
            "kind": "itemised",
            "commission": {"kind": "per_unit", "per_unit": 0.005, "minimum": 1, "maximum_pct": 1},
            "spread": {"kind": "corwin_schultz", "window": 10},
            "max_participation": 0.05,
            "funding": {},
            "financing_bps_per_year": 600,
        },
        capital=float(value.median() * 0.02),
        sizing={"kind": "fixed", "weight": 2},
        max_weight=2,
        execution={"maintenance_margin": 0.3},
        rates={"risk_free": 0.03, "cash": 0.02},
        **SETTINGS,
    )
    run = run_market(folder, spec, replace(market, funding=funding, provenance=provenance))
    assert run.metrics.books["strategy"].fills_limited
    assert run.metrics.books["strategy"].loan_interest_pct
    return run


def panel(overrides: dict[str, object], *, members: bool) -> Callable[[Path], engine.Run]:
    def make(folder: Path) -> engine.Run:
        return engine.run(
            write_panel(folder, members=members),
            overrides=overrides | {"benchmarks": [], "evaluation.resamples": 200},
            out=folder / "reports",
            home=folder / "home",
            pages=False,
        )

    return make


def exchanges(data: dict[str, Any], **sections: Any) -> Callable[[Path], engine.Run]:
    world = {"SYDNEY": "XASX", "COIN": "24/7", "TOKYO": "XTKS", "JPYUSD": "24/5"}
    keys = "end: 2023-03-17\ncurrency: USD\ncurrencies: {TOKYO: JPY}\nfx: {JPY: JPYUSD}\n"

    def make(folder: Path) -> engine.Run:
        manifest = write_dataset(folder, world, 260, first="2022-07-01", keys=keys)
        spec = make_strategy(
            data={"dataset": str(manifest), **data},
            windows={"train": 70, "validation": 20, "test": 30},
            evaluation={"resamples": 200},
            **sections,
        )
        return engine.run(spec, out=folder / "reports", home=folder / "home", pages=False)

    return make


SHAPES: dict[str, Callable[[Path], engine.Run]] = {
    "every cost and rate": every_cost,
    "members and a delisting": panel(POOLED, members=True),
    "a book on several exchanges": exchanges({"targets": "all"}, inputs="target", scope="pooled"),
}


def check_market(run: engine.Run) -> None:
    """Joined bars of several exchanges are joined again from those of their sources."""
    market = restore_market(engine.Run.open(run.run_dir))
    if market.assembly is None:
        return
    joined, _ = market.assembly.join()
    kept = joined[joined["timestamp"] <= market.bars["timestamp"].iloc[-1]]
    assert kept.reset_index(drop=True).equals(market.bars)
    assert market.fill_lags("open") is not None


def halve_some_weights(folder: Path) -> None:
    """Of the strategy, over ten bars in which it holds something."""
    path = folder / "positions.parquet"
    table = pd.read_parquet(path)
    own = table["book"] == "strategy"
    stamps = table.loc[own & (table["weight"] != 0), "timestamp"].unique()[10:20]
    table.loc[own & table["timestamp"].isin(stamps), "weight"] /= 2
    table.to_parquet(path)
    write_sums(folder)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_is_verified_and_a_changed_weight_is_found(shape: str, tmp_path: Path) -> None:
    run = SHAPES[shape](tmp_path)
    check_market(run)
    found = engine.verify(run.run_dir, again=shape.startswith("members"))
    assert [step.status for step in found.steps] == ["ok"] * len(found.steps), [
        step.difference for step in found.steps
    ]
    halve_some_weights(run.run_dir)
    changed = engine.verify(run.run_dir)
    assert next(step for step in changed.steps if step.name == "books").status == "differs"
