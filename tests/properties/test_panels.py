"""A panel without absences is the dense market, and no value of a panel knows a later mask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.progress import NullProgress
from engine.features.config import TargetSpec
from engine.features.target import forward_returns, over_own_bars
from engine.leakage.altered_universe import alter_members, alter_presence
from engine.leakage.synthetic_bars import SyntheticFuture
from engine.models.baselines.naive import Persistence
from engine.pipeline.feature_history import build_history
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import (
    assemble_strategy_predictions,
    decide_model_positions,
    predict_windows,
    simulate_books,
)
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.generated_panel import generate_panel, panel_strategy
from engine.splits.rows import row_index
from engine.training.datasets import target_returns
from engine.training.jobs import make_fit_tasks
from engine.training.panel_rows import PanelRows
from engine.training.results import run_fits
from engine.training.store import FitStore
from tests.hypothesis_examples import examples
from tests.training.in_process import InProcess

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import WideFrame
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy

SPEC = panel_strategy().model_copy(update={"benchmarks": ()})
COMPARED = SPEC.model_copy(
    update={
        "target": TargetSpec(horizon=3, transform="demeaned"),
        "benchmarks": (Persistence(of="return"),),
    }
)
DENSE = generate_market(np.random.default_rng(3), 300, BarPattern(symbols=("A", "B", "C")))


def books_of(spec: Strategy, prepared: PreparedData, home: Path) -> tuple[WideFrame, object]:
    tasks = make_fit_tasks(
        {"strategy": spec.model},
        prepared.feature_history,
        prepared.windows,
        prepared.targets,
        training=spec.training,
        seeds=1,
        seed=spec.seed,
        pooled=spec.scope == "pooled",
    )
    fits = run_fits(tasks, InProcess(), FitStore(home), NullProgress())
    fits = replace(fits, forecasts=predict_windows(prepared, fits))
    predictions = assemble_strategy_predictions(prepared, fits)
    weights = decide_model_positions(spec, prepared, predictions)
    book = simulate_books(spec, prepared, {"strategy": weights}, bar_by_bar=True)["strategy"]
    return weights, book


@pytest.mark.parametrize("scope", ["pooled", "per_symbol"])
def test_a_panel_whose_symbols_are_all_present_is_the_dense_market_to_the_last_bit(
    scope: str, tmp_path: Path
) -> None:
    spec = SPEC.model_copy(update={"scope": scope})
    dense = prepare_data(spec, DENSE)
    everything = DENSE.present
    rows = PanelRows(everything, everything, everything, 7, 7, 1)
    panel = replace(dense, feature_history=replace(dense.feature_history, panel=rows))
    (weights, book), (same_weights, same_book) = (
        books_of(spec, prepared, tmp_path) for prepared in (dense, panel)
    )
    pd.testing.assert_frame_equal(weights, same_weights, check_exact=True)
    pd.testing.assert_frame_equal(book.trades, same_book.trades, check_exact=True)
    pd.testing.assert_series_equal(book.returns, same_book.returns, check_exact=True)


@examples(6)
@given(st.integers(0, 2**32 - 1), st.sampled_from([SPEC, COMPARED]))
def test_no_feature_or_known_return_depends_on_later_bars_or_absences(
    seed: int, spec: Strategy
) -> None:
    rng = np.random.default_rng(seed)
    market = generate_panel(rng)
    row = int(rng.integers(60, 400))
    altered = SyntheticFuture(market).replace_after(row, rng)
    one, two = (build_history(spec, each) for each in (market, altered))
    known = slice(0, row + 1)
    for bars, behind in one.trailing_returns.items():
        pd.testing.assert_frame_equal(behind[known], two.trailing_returns[bars][known])
    np.testing.assert_array_equal(one.features.values[known], two.features.values[known])
    for name in ("present", "members", "listed", "settlements", "marks", "traded"):
        left, right = (getattr(each, name).iloc[known] for each in (market, altered))
        pd.testing.assert_frame_equal(left, right, check_exact=True)
    assert not market.present.iloc[row + 1 :].equals(altered.present.iloc[row + 1 :])


@examples(6)
@given(st.integers(0, 2**32 - 1))
def test_no_label_that_is_fitted_depends_on_what_a_later_part_tells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = generate_panel(rng)
    prepared = prepare_data(COMPARED, market)
    window = prepared.windows[int(rng.integers(len(prepared.windows)))]
    for part, stop in (("train", window.validation.start), ("validation", window.test.start)):
        altered = SyntheticFuture(market).replace_after(stop - 1, rng)
        histories = prepared.feature_history, build_history(COMPARED, altered)
        for symbol in prepared.targets:
            one, two = (
                target_returns(
                    history.seen_in(symbol, window),
                    symbol,
                    row_index(getattr(history.own_split(symbol, window), part)),
                    (3,),
                )
                for history in histories
            )
            assert np.isfinite(one).all()
            np.testing.assert_array_equal(one, two)


def test_a_label_compares_the_members_whose_returns_are_known_before_the_later_part() -> None:
    market = generate_panel(np.random.default_rng(1))
    prepared = prepare_data(COMPARED, market)
    history, window = prepared.feature_history, prepared.windows[0]
    panel = history.panel
    assert panel is not None
    raw = over_own_bars(forward_returns)(market.wide("close", prepared.targets), 3).to_numpy()
    counted = market.members[list(prepared.targets)].to_numpy() & np.isfinite(raw)
    for symbol in prepared.targets:
        own = history.own_split(symbol, window)
        rows = panel.place(symbol, own.train)
        labels = target_returns(
            history.seen_in(symbol, window), symbol, row_index(own.train), (3,)
        )
        for row, label in zip(rows.tolist(), labels.tolist(), strict=True):
            ended = panel.ends(3)[row] < window.validation.start
            mean = raw[row, counted[row] & ended].mean()
            place = prepared.targets.index(symbol)
            assert label == pytest.approx(raw[row, place] - mean, abs=1e-12)


@pytest.mark.slow
@examples(4)
@given(st.integers(0, 2**32 - 1))
def test_no_weight_and_no_fill_depends_on_later_bars_absences_or_members(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    market = generate_panel(rng)
    row = int(rng.integers(230, 400))
    altered = SyntheticFuture(market).replace_after(row, rng)
    home = tmp_path_factory.mktemp("fits")
    (weights, book), (other, other_book) = (
        books_of(SPEC, prepare_data(SPEC, each), home) for each in (market, altered)
    )
    cut = market.present.index[row]
    pd.testing.assert_frame_equal(weights.loc[:cut], other.loc[:cut], check_exact=True)
    pd.testing.assert_series_equal(
        book.returns.loc[:cut], other_book.returns.loc[:cut], check_exact=True
    )
    fills = [each.trades[each.trades["timestamp"] <= cut] for each in (book, other_book)]
    pd.testing.assert_frame_equal(*fills, check_exact=True)


def test_an_altered_universe_keeps_what_is_known_and_changes_the_rest() -> None:
    rng = np.random.default_rng(0)
    market = generate_panel(rng)
    members = alter_members(market, 200, rng).members
    assert members.iloc[:201].equals(market.members.iloc[:201])
    assert not members.iloc[201].equals(market.members.iloc[201])
    present = alter_presence(market.carried, 201, rng).present.iloc[201:]
    assert present.any(axis=1).all()
    assert not present.all(axis=None)
