"""Look-ahead across the symbols of a bar: planted, caught, and named by its stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.core.errors import LookaheadError
from engine.data import VALUE_COLUMNS
from engine.features import build
from engine.features.config import TargetSpec
from engine.features.cross_section import rank_across
from engine.pipeline import feature_history
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.harness import certify_strategy, make_strategy
from engine.training import feature_history as histories
from engine.training import joint
from engine.training.panel_labels import compare_known_returns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from engine.data import Market
    from engine.features.build import FeatureMatrix
    from engine.strategy import Strategy

pytestmark = pytest.mark.slow

SYMBOLS = ("AAA", "BBB", "CCC")


@pytest.fixture(scope="module")
def market() -> Market:
    pattern = BarPattern(symbols=SYMBOLS, weekdays=True)
    return generate_market(np.random.default_rng(2), 330, pattern)


def strategy(**sections: Any) -> Strategy:
    given = {
        "data": {"dataset": "generated", "targets": "all"},
        "inputs": "target",
        "features": [
            {"kind": "log_return"},
            {"kind": "cross_sectional_rank", "of": {"kind": "volatility", "window": 5}},
        ],
        "target": {"transform": "demeaned"},
        "windows": {"train": 130, "validation": 30, "test": 60},
        "scope": "pooled",
        "benchmarks": [],
    }
    return make_strategy(**(given | sections))


def stage(spec: Strategy, market: Market) -> str:
    with pytest.raises(LookaheadError) as caught:
        certify_strategy(spec, market)
    return str(caught.value.where)


@pytest.fixture(scope="module")
def panel(market: Market) -> Market:
    """The same; one symbol is listed later, another halted and then gone."""
    values = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64, copy=True)
    by_row = values.reshape(-1, len(SYMBOLS), len(VALUE_COLUMNS))
    by_row[:70, 1] = by_row[200:206, 2] = by_row[270:, 2] = np.nan
    return market.with_values(values)


def test_an_honest_cross_section_of_a_panel_passes(panel: Market) -> None:
    made = certify_strategy(strategy(target={}), panel)
    assert made["windows_rebuilt"] >= 2


def test_a_rank_over_the_next_bar_of_a_panel_is_caught_as_a_feature(
    panel: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def next_known_rank(values, features):
        ranked = np.nan_to_num(next_rank(values, features))
        return np.where(np.isnan(values), np.nan, ranked)

    monkeypatch.setattr(build, "compare_symbols", next_known_rank)
    assert stage(strategy(target={}), panel).startswith("features")


def test_an_honest_target_over_the_symbols_of_a_panel_passes(panel: Market) -> None:
    assert certify_strategy(strategy(), panel)["windows_rebuilt"] >= 2


def test_a_panel_target_that_compares_returns_which_end_later_is_caught_as_a_label(
    panel: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_late(returns: pd.DataFrame, *rest: Any) -> pd.DataFrame:
        market = returns.shift(-1).mean(axis=1).fillna(0.0)
        return compare_known_returns(returns, *rest).sub(market, axis=0)

    monkeypatch.setattr(histories, "compare_known_returns", one_late)
    assert stage(strategy(), panel).startswith("labels")


def test_an_honest_cross_section_passes(market: Market) -> None:
    made = certify_strategy(strategy(), market)
    assert made["windows_rebuilt"] >= 2


def next_rank(values, features):
    """The rank over the symbols at the next bar."""
    ahead = np.vstack([values[1:], values[-1:]])
    ranked = values.copy()
    ranked[:, 1 :: len(features)] = rank_across(ahead[:, 1 :: len(features)])
    return ranked


def rare_next_rank(values, features):
    """The same at one bar in ten."""
    chosen = np.arange(len(values)) % 10 == 3
    return np.where(chosen[:, None], next_rank(values, features), values)


@pytest.mark.parametrize("leak", [next_rank, rare_next_rank], ids=lambda leak: leak.__name__)
def test_a_rank_over_the_next_bar_is_caught_as_a_feature(
    market: Market, monkeypatch: pytest.MonkeyPatch, leak: Callable[..., np.ndarray]
) -> None:
    monkeypatch.setattr(build, "compare_symbols", leak)
    assert stage(strategy(), market).startswith("features")


def test_a_feature_less_the_mean_return_to_come_is_caught_as_a_feature(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = feature_history.build_features

    def demeaned(market: Market, features: Any, symbols: Any) -> FeatureMatrix:
        built = honest(market, features, symbols)
        close = market.wide("close").to_numpy()
        ahead = np.append(np.diff(np.log(close), axis=0).mean(axis=1), 0.0)
        built.values[:, ::2] -= ahead[:, None]
        return built

    monkeypatch.setattr(feature_history, "build_features", demeaned)
    assert stage(strategy(), market).startswith("features")


def test_a_label_less_the_mean_of_the_next_bar_is_caught_as_a_label(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(_: TargetSpec, returns: pd.DataFrame) -> pd.DataFrame:
        mean = returns.mean(axis=1)
        if returns.iloc[-1].isna().all():  # a label, and no trailing return
            mean = mean.shift(-1).fillna(0.0)
        return returns.sub(mean, axis=0)

    monkeypatch.setattr(TargetSpec, "relate", late)
    assert stage(strategy(), market).startswith("labels")


def test_a_joint_fit_that_reads_a_later_label_is_caught(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a network is stored
    honest = joint.target_returns

    def late(history, symbol, rows, horizons):
        if isinstance(rows, slice):
            rows = slice(rows.start + 1, rows.stop + 1)
        return honest(history, symbol, rows, horizons)

    monkeypatch.setattr(joint, "target_returns", late)
    network = {"kind": "mlp", "lookback": 2, "dense": [4]}
    spec = strategy(scope="joint", model=network, training={"epochs": 1})
    assert stage(spec, market).startswith("labels")
