"""Figures of cross-validated paths, beside holding and the run on the bars that it has too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.data.rates import RatesByBar
from engine.evaluation.robustness.combinatorial_paths import (
    GroupLayout,
    summarise_combinatorial_paths,
)

BARS = pd.date_range("2020-01-01", periods=400, freq="D", tz="UTC", name="timestamp")
LAYOUT = GroupLayout(
    groups=4,
    test_groups=2,
    splits=6,
    fits=6,
    left_out_fits=0,
    group_bars=100,
    purge_bars=1,
    embargo_bars=5,
    reach_bars=5,
    train_rows=(150, 180),
)


def noise(seed: int, mean: float) -> pd.Series:
    draws = np.random.default_rng(seed).standard_normal(len(BARS))
    return pd.Series(mean + 0.01 * (draws - draws.mean()) / draws.std(), BARS)


PATHS = pd.DataFrame({0: noise(0, 0.001), 1: noise(1, -0.0005), 2: noise(2, 0.0002)})
HOLDING = noise(3, 0.0004)
RUN = noise(4, 0.0001).iloc[150:]


def summarise(paths: pd.DataFrame = PATHS, **more):
    return summarise_combinatorial_paths(
        paths, [(0, 0, 1, 2)] * paths.shape[1], LAYOUT, 365.0, holding=HOLDING, run=RUN, **more
    )


def ratio(returns: pd.Series) -> float:
    return float(returns.mean() / returns.std(ddof=1) * 365**0.5)


def test_each_path_has_its_own_figures_on_all_bars() -> None:
    figures = summarise()
    for number, path in enumerate(figures.paths):
        returns = PATHS[number]
        equity = (1 + returns).cumprod()
        peak = np.maximum(equity.cummax(), 1.0)
        assert path.path == number + 1
        assert path.splits == (1, 1, 2, 3)
        assert path.sharpe == pytest.approx(ratio(returns))
        assert path.total_return_pct == pytest.approx(100 * (equity.iloc[-1] - 1))
        assert path.max_drawdown_pct == pytest.approx(100 * (equity / peak - 1).min())
        assert path.common_sharpe == pytest.approx(ratio(returns.iloc[150:]))
    assert (figures.bars, figures.common.bars) == (400, 250)


def test_shares_count_paths_below_zero_and_below_holding() -> None:
    figures = summarise()
    assert figures.sharpe.median == pytest.approx(ratio(PATHS[2]))
    assert figures.negative_share == figures.loss_share == pytest.approx(1 / 3)
    assert figures.below_holding_share == pytest.approx(2 / 3)
    assert figures.holding.sharpe == pytest.approx(ratio(HOLDING))


def test_the_run_is_ranked_among_the_paths_on_its_own_bars() -> None:
    figures = summarise()
    own = ratio(RUN)
    assert figures.common.run.sharpe == pytest.approx(own)
    assert figures.common.holding.sharpe == pytest.approx(ratio(HOLDING.iloc[150:]))
    assert figures.common.rank == 1 + sum(ratio(PATHS[each].iloc[150:]) > own for each in PATHS)


def test_sharpe_ratios_are_above_the_risk_free_rate_and_returns_are_not() -> None:
    rates = RatesByBar.constant(BARS, risk_free=0.10)
    plain, above = summarise(), summarise(rates=rates)
    for one, two in zip(plain.paths, above.paths, strict=True):
        excess = PATHS[one.path - 1] - rates.risk_free_per_bar
        assert two.sharpe == pytest.approx(ratio(excess))
        assert two.total_return_pct == one.total_return_pct
    assert above.holding.sharpe < plain.holding.sharpe
    assert above.common.run.sharpe < plain.common.run.sharpe


def test_a_path_that_holds_nothing_has_no_ratio_and_is_not_below_zero() -> None:
    idle = PATHS.assign(**{"1": 0.0})[["1"]]
    figures = summarise(idle)
    assert figures.paths[0].sharpe is None
    assert figures.negative_share == figures.loss_share == figures.below_holding_share == 0.0
    assert figures.sharpe.median is None
    assert figures.common.rank == 1
