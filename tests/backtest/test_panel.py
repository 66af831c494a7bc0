"""A book whose symbols are listed, halted and delisted, from the file to the live path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.errors import UsageError
from engine.data.universe import SURVIVORS_ONLY
from engine.evaluation.analysis.attribution import attribute_run, strategy_contributions
from engine.evaluation.analysis.regimes import MarketStates
from engine.pipeline.combinatorial_splits import prepare_combinatorial_data
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import decide_positions
from engine.strategy import load_strategy
from tests.live.replays import backtest, replay_live
from tests.pipeline.panels import (
    ALSO,
    GONE,
    LATE,
    LONG_SHORT,
    OLD,
    PANEL,
    POOLED,
    YOUNG,
    write_panel,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SETTLED = pd.Timestamp("2019-06-19", tz="UTC")
"""15 days after the last bar of GONE."""

HALTED = pd.date_range("2019-02-15", "2019-02-24", tz="UTC")
"""Days without a bar of GONE between others."""


def run(folder: Path, overrides: dict[str, object], *, members: bool = False) -> engine.Run:
    folder.mkdir(exist_ok=True)
    return engine.run(
        write_panel(folder, members=members),
        overrides=overrides | {"benchmarks": [], "evaluation.resamples": 200},
        out=folder / "reports",
        home=folder / "home",
        pages=False,
    )


@pytest.fixture(scope="module")
def pooled(module_folder: Path) -> engine.Run:
    return run(module_folder / "pooled", POOLED, members=True)


def weights_of(made: engine.Run) -> pd.DataFrame:
    own = made.positions.query("book == 'strategy'")
    return own.pivot(index="timestamp", columns="symbol", values="weight")


def test_a_panel_passes_the_leakage_test_and_is_replayed_bit_for_bit(pooled: engine.Run) -> None:
    assert pooled.certificate["result"] == "passed"
    assert pooled.metrics.live_path.first_difference is None
    assert SURVIVORS_ONLY not in pooled.manifest.dataset.notices


def test_a_symbol_listed_after_training_is_forecast_by_the_pooled_model(
    pooled: engine.Run,
) -> None:
    first = pooled.predictions.groupby("symbol")["timestamp"].min()
    listed = pd.Timestamp("2018-01-01", tz="UTC") + pd.Timedelta(days=620)
    assert listed < first[LATE] < listed + pd.Timedelta(days=25)
    assert weights_of(pooled).loc[: first[LATE] - pd.Timedelta(days=1), LATE].eq(0.0).all()


def test_no_member_is_held_whoever_is_none(pooled: engine.Run) -> None:
    weights, none = weights_of(pooled), slice("2019-05-01", "2019-07-31")
    assert weights.loc[none, OLD].eq(0.0).all()
    assert weights.loc["2019-08-01":, OLD].ne(0.0).any()
    assert not pooled.predictions.query("symbol == @OLD").set_index("timestamp").loc[none].size


def test_a_halted_symbol_keeps_its_position_and_is_not_traded(pooled: engine.Run) -> None:
    held = weights_of(pooled)[GONE].loc[HALTED]
    assert np.sign(held).nunique() == 1
    fills = pooled.trades.query("symbol == @GONE")
    assert not fills["timestamp"].isin(HALTED).any()
    assert not pooled.predictions.query("symbol == @GONE")["timestamp"].isin(HALTED).any()


def test_a_delisted_symbol_is_paid_out_once_without_costs_and_never_traded_again(
    pooled: engine.Run,
) -> None:
    fills = pooled.trades.query("symbol == @GONE and book == 'strategy'")
    last, close = fills.iloc[-1], pooled.bars.query("symbol == @GONE")["close"].iloc[-1]
    assert last["timestamp"] == SETTLED
    assert last["price"] == pytest.approx(0.7 * close, rel=1e-12)
    assert (last["fee"], last["slippage_cost"]) == (0.0, 0.0)
    held = weights_of(pooled)[GONE]
    assert held.loc[SETTLED:].eq(0.0).all()
    assert held.loc[: SETTLED - pd.Timedelta(days=1)].iloc[-1] != 0.0
    assert GONE not in set(pooled.next_orders["symbol"])


def test_the_book_is_divided_over_the_symbols_that_are_there(pooled: engine.Run) -> None:
    gross = weights_of(pooled).abs().sum(axis=1)
    assert gross.max() <= 1 + 1e-12
    assert weights_of(pooled).loc["2019-11-01":, [OLD, ALSO, YOUNG, LATE]].ne(0.0).any().all()


COMPARED = LONG_SHORT | {"target": {"horizon": 2, "transform": "demeaned"}}
"""Forecasts of the return less the mean of the members that have a bar."""


def test_a_target_over_the_symbols_that_are_there_passes_the_leakage_test(tmp_path: Path) -> None:
    made = run(tmp_path / "compared", COMPARED, members=True)
    assert made.certificate["result"] == "passed"
    assert made.metrics.live_path.first_difference is None
    assert set(made.predictions["symbol"]) == {OLD, ALSO, YOUNG, GONE, LATE}


@pytest.mark.parametrize(
    "overrides",
    [PANEL, LONG_SHORT, COMPARED | {"model": {"kind": "persistence"}}],
    ids=["own", "ranked", "compared"],
)
def test_models_of_each_symbol_and_ranks_are_replayed_bit_for_bit(
    overrides: dict[str, object], tmp_path: Path
) -> None:
    spec = load_strategy(write_panel(tmp_path), overrides)
    market = engine.load_market(spec, home=tmp_path)
    result = backtest(spec, market, tmp_path)
    replayed = replay_live(result, tmp_path, 200)
    assert replayed.first_difference is None
    assert replayed.compared["weights"] == 200 * 5
    assert SURVIVORS_ONLY in market.provenance["notices"]


def test_an_optimum_of_a_panel_passes_the_leakage_test(tmp_path: Path) -> None:
    portfolio = {
        "allocation": {"kind": "min_variance", "window": 60},
        "rebalance": "month_end",
        "volatility_target": {"annual": 0.1, "window": 40},
    }
    made = run(tmp_path / "optimum", POOLED | {"portfolio": portfolio}, members=True)
    assert made.certificate["result"] == "passed"
    assert made.metrics.live_path.first_difference is None


def test_paths_of_cross_validation_are_refused(tmp_path: Path) -> None:
    spec = load_strategy(write_panel(tmp_path), POOLED | {"paths.groups": 5})
    prepared = prepare_data(spec, engine.load_market(spec, home=tmp_path))
    with pytest.raises(UsageError, match="is not offered where symbols lack bars"):
        prepare_combinatorial_data(spec, prepared)


def test_buy_and_hold_buys_a_symbol_when_it_is_listed_and_leaves_it_when_it_is_gone(
    tmp_path: Path,
) -> None:
    spec = load_strategy(write_panel(tmp_path, members=True), PANEL)
    prepared = prepare_data(spec, engine.load_market(spec, home=tmp_path))
    held = decide_positions(spec, prepared, {}, include_models=False)["buy_and_hold"]
    shares = held.max(axis=1)
    np.testing.assert_allclose(held.sum(axis=1), 1.0, atol=1e-12)
    for day, count in (("2019-01-01", 3), ("2019-04-01", 4), ("2019-06-20", 2), ("2019-12-01", 4)):
        assert shares.loc[day] == pytest.approx(1 / count)


def test_the_returns_of_a_panel_are_split_to_the_last_fill(pooled: engine.Run) -> None:
    assert not pooled.bars["close"].isna().any()
    contributions, states = strategy_contributions(pooled), MarketStates.of_run(pooled)
    split = attribute_run(pooled, contributions, states).split
    assert split is not None
    assert split.residual_is_rounding
