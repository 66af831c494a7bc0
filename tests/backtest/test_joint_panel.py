"""Joint networks on a panel: who is absent takes no part, and is known to be at the bar alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import engine
from engine.core.errors import LookaheadError
from engine.data import VALUE_COLUMNS
from engine.features.target import forward_returns, over_own_bars
from engine.leakage.synthetic_bars import SyntheticFuture
from engine.pipeline.prepare import build_history, prepare_data
from engine.pipeline.steps import make_window_tasks
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.generated_panel import generate_panel
from engine.selftest.harness import certify_strategy, make_strategy
from engine.strategy import Strategy, load_strategy
from engine.training import datasets
from engine.training.absent_inputs import blank_absent
from engine.training.joint import build_joint_set
from engine.training.panel_joint import build_panel_joint_set
from engine.training.panel_rows import PanelRows
from tests.live.replays import backtest, replay_live
from tests.pipeline.panels import ALSO, GONE, LATE, LONG_SHORT, OLD, YOUNG, write_panel

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import Matrix
    from engine.data import Market
    from engine.models.dataset import TrainingSet
    from engine.pipeline.prepared_data import PreparedData

LOOKBACK = 4

JOINT: dict[str, Any] = {
    "name": "joint",
    "data": {"dataset": "generated", "targets": "all"},
    "inputs": "target",
    "features": [{"kind": "log_return"}, {"kind": "volatility", "window": 5}],
    "target": {"horizon": 2},
    "windows": {"train": 150, "validation": 40, "test": 60},
    "model": {
        "kind": "asset_attention",
        "lookback": LOOKBACK,
        "width": 4,
        "heads": 1,
        "trunk": {"kind": "gru", "units": [4]},
    },
    "scope": "joint",
    "training": {"epochs": 2, "batch_size": 64},
    "benchmarks": [],
    "seed": 5,
}


def prepared_panel(seed: int = 3) -> PreparedData:
    spec = Strategy.model_validate(JOINT)
    return prepare_data(spec, generate_panel(np.random.default_rng(seed)))


def often_halted() -> Market:
    """Three symbols, each of which has no bar at one row in sixteen."""
    rng = np.random.default_rng(4)
    market = generate_market(rng, 330, BarPattern(symbols=("A", "B", "C")))
    values = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64, copy=True)
    halted = rng.random((330, 3)) < 1 / 16
    halted[:, 0] &= ~halted[:, 1]  # a row without any symbol does not exist
    values[halted.ravel()] = np.nan
    return market.with_values(values)


def arrays_of(prepared: PreparedData, number: int = 0) -> TrainingSet:
    window = prepared.windows[number]
    made = build_panel_joint_set(
        prepared.feature_history, prepared.targets, window, (2,), LOOKBACK
    )
    assert made is not None
    return made[0]


def test_a_symbol_is_fitted_where_it_has_had_a_bar_at_each_row_of_the_sequence() -> None:
    prepared = prepared_panel()
    panel, arrays = prepared.feature_history.panel, arrays_of(prepared)
    assert panel is not None
    first = prepared.windows[0].train.start - LOOKBACK + 1
    raw = over_own_bars(forward_returns)(prepared.market.wide("close", prepared.targets), 2)
    present = panel.present.to_numpy()
    fitted = np.argwhere(np.isfinite(arrays.target))
    assert len(fitted) > 100
    for row, place in fitted.tolist():
        assert present[first + row - LOOKBACK + 1 : first + row + 1, place].all()
        assert arrays.target[row, place] == raw.to_numpy()[first + row, place]
        own = slice(2 * place, 2 * place + 2)
        assert np.isfinite(arrays.inputs[row - LOOKBACK + 1 : row + 1, own]).all()
    known = np.isfinite(arrays.target).any(axis=1)
    assert known[np.concatenate([arrays.train, arrays.validation])].all()


def test_symbols_that_are_all_present_have_the_arrays_of_a_market_without_absences() -> None:
    spec = Strategy.model_validate(JOINT)
    market = generate_market(
        np.random.default_rng(2), 330, BarPattern(symbols=("A", "B", "C"), weekdays=True)
    )
    prepared = prepare_data(spec, market)
    assert prepared.feature_history.panel is None
    window, everyone = prepared.windows[0], market.present
    dense, _, realised = build_joint_set(
        prepared.feature_history, prepared.targets, window, (2,), LOOKBACK
    )
    first = window.train.start
    panel = PanelRows(everyone, everyone, everyone, first, first, 2, LOOKBACK)
    history = replace(prepared.feature_history, panel=panel)
    made = build_panel_joint_set(history, prepared.targets, window, (2,), LOOKBACK)
    assert made is not None
    arrays, _, same_realised = made
    np.testing.assert_array_equal(realised, same_realised)
    for name in ("inputs", "trailing", "train", "validation"):
        np.testing.assert_array_equal(getattr(dense, name), getattr(arrays, name))
    for part in (dense.train, dense.validation):
        np.testing.assert_array_equal(dense.target[part], arrays.target[part])


def test_what_an_absent_symbol_has_in_its_place_has_no_influence() -> None:
    prepared = prepared_panel()
    history = prepared.feature_history
    assert history.panel is not None
    absent = np.repeat(~history.panel.present.to_numpy(), 2, axis=1)
    assert absent.any()
    noise = np.random.default_rng(0).standard_normal(absent.shape)
    values = np.where(absent, noise, history.features.values)
    features = replace(history.features, values=values)
    other = replace(prepared, feature_history=replace(history, features=features))
    for name in ("inputs", "target", "train", "validation"):
        one, two = (getattr(arrays_of(each), name) for each in (prepared, other))
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("seed", range(3))
def test_no_array_of_a_window_depends_on_bars_or_absences_of_its_test_part(seed: int) -> None:
    prepared = prepared_panel(seed)
    rng, number = np.random.default_rng(seed), seed % len(prepared.windows)
    row = prepared.windows[number].test.start - 1
    altered = SyntheticFuture(prepared.market).replace_after(row, rng)
    spec = Strategy.model_validate(JOINT)
    other = replace(prepared, market=altered, feature_history=build_history(spec, altered))
    for name in ("inputs", "target", "train", "validation"):
        one, two = (getattr(arrays_of(each, number), name) for each in (prepared, other))
        np.testing.assert_array_equal(one, two)


def test_a_symbol_without_the_rows_for_a_fit_is_left_out_of_the_window() -> None:
    prepared = prepared_panel()
    spec = Strategy.model_validate(JOINT)
    for window in prepared.windows:
        tasks = make_window_tasks(spec, prepared, [window])
        history = prepared.feature_history
        able = {each for each in prepared.targets if history.fits_alone(each, window)}
        assert {task.symbol for task in tasks} == able
        for place, symbol in enumerate(prepared.targets):
            own = tasks[0].training_set.inputs[:, 2 * place : 2 * place + 2]
            assert np.isnan(own).all() == (symbol not in able)


@pytest.mark.slow
def test_a_joint_network_on_a_panel_passes_the_leakage_test_and_is_replayed_bit_for_bit(
    tmp_path: Path,
) -> None:
    sections = {name: JOINT[name] for name in ("model", "scope", "training")}
    file, home = write_panel(tmp_path, members=True), tmp_path / "home"
    overrides = LONG_SHORT | sections | {"benchmarks": [], "evaluation.resamples": 200}
    made = engine.run(
        file,
        overrides=overrides,
        out=tmp_path / "reports",
        home=home,
        pages=False,
    )
    assert made.certificate["result"] == "passed"
    assert made.metrics.live_path.first_difference is None
    forecast = made.predictions.groupby("symbol")["timestamp"]
    assert {OLD, ALSO, GONE} <= set(forecast.groups) <= {OLD, ALSO, YOUNG, GONE, LATE}
    bars = made.bars.groupby("symbol")["timestamp"]
    assert forecast.max()[GONE] <= bars.max()[GONE]
    spec = load_strategy(file, overrides)
    market = engine.load_market(spec, home=home)
    replayed = replay_live(backtest(spec, market, home), home, 250)
    assert replayed.first_difference is None
    assert replayed.compared["weights"] == 250 * 5


@pytest.mark.slow
def test_a_mask_that_knows_the_absences_of_tomorrow_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def early(values: Matrix, groups: Any, present: Matrix) -> Matrix:
        blanked = blank_absent(values, groups, present)
        gone = np.repeat(~np.vstack([present[1:], present[-1:]]), 2, axis=1)
        return np.where(gone & np.isfinite(blanked), 0.0, blanked)

    spec = make_strategy(**{k: v for k, v in JOINT.items() if k not in ("name", "seed")})
    assert certify_strategy(spec, often_halted())["result"] == "passed"
    monkeypatch.setattr(datasets, "blank_absent", early)
    with pytest.raises(LookaheadError):
        certify_strategy(spec, often_halted())
