from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics import return_metrics


@pytest.mark.parametrize("periods", [252, 365])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("cagr", "cagr"),
        ("annualised_volatility", "volatility"),
        ("sharpe", "sharpe"),
        ("sortino", "sortino"),
        ("calmar", "calmar"),
    ],
)
def test_figures_equal_quantstats_given_the_same_periods(
    name: str, theirs: str, seed: int, periods: int
) -> None:
    from quantstats import stats

    returns = _returns(seed)
    expected = getattr(stats, theirs)(returns, periods=periods)
    assert getattr(return_metrics, name)(returns.to_numpy(), periods) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_drawdown_and_total_return_equal_quantstats(seed: int) -> None:
    from quantstats import stats

    returns = _returns(seed)
    assert return_metrics.max_drawdown(returns.to_numpy()) == pytest.approx(
        stats.max_drawdown(returns)
    )
    assert return_metrics.total_return(returns.to_numpy()) == pytest.approx(stats.comp(returns))


def _returns(seed: int) -> pd.Series:
    values = np.random.default_rng(seed).standard_t(4, 700) * 0.01
    return pd.Series(values, index=pd.date_range("2020-01-01", periods=700))
