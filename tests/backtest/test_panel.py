"""A book whose symbols are listed, halted and delisted, from the file to the live path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.errors import UsageError
from engine.data.universe import SURVIVORS_ONLY
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
    last, close = fills.iloc[-1], pooled.bars.query("symbol == @GONE")["close"].dropna().iloc[-1]
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


def test_models_of_each_symbol_and_ranks_take_a_panel_and_say_that_it_is_biased(
    module_folder: Path,
) -> None:
    for name, overrides in (("own", PANEL), ("ranked", LONG_SHORT)):
        made = run(module_folder / name, overrides)
        assert made.certificate["result"] == "passed"
        assert made.metrics.live_path.first_difference is None
        assert SURVIVORS_ONLY in made.manifest.dataset.notices


def test_paths_of_cross_validation_are_refused_before_any_training(module_folder: Path) -> None:
    with pytest.raises(UsageError, match="is not offered where symbols lack bars"):
        run(module_folder / "paths", POOLED | {"paths.groups": 5})


def test_buy_and_hold_buys_a_symbol_when_it_is_listed_and_leaves_it_when_it_is_gone(
    module_folder: Path,
) -> None:
    folder = module_folder / "held"
    folder.mkdir()
    made = engine.run(
        write_panel(folder, members=True),
        overrides=PANEL | {"benchmarks": [{"kind": "buy_and_hold"}]},
        out=folder / "reports",
        home=folder / "home",
        pages=False,
    )
    held = made.positions.query("book == 'buy_and_hold'").pivot(
        index="timestamp", columns="symbol", values="weight"
    )
    shares = held.max(axis=1)
    np.testing.assert_allclose(held.sum(axis=1), 1.0, atol=1e-12)
    for day, count in (("2019-01-01", 3), ("2019-04-01", 4), ("2019-06-20", 2), ("2019-12-01", 4)):
        assert shares.loc[day] == pytest.approx(1 / count)
