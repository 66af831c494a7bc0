from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.evaluation.rank_ic import rank_ic, spearman
from tests.evaluation.forecasts import made

RNG = np.random.default_rng(8)
YEAR = made(RNG.normal(size=366).round(1), RNG.normal(size=366).round(1))


def test_each_month_has_scipys_rank_correlation() -> None:
    found = rank_ic(YEAR)
    assert (found.period, len(found.names), found.names[2]) == ("month", 12, "2020-03")
    march = YEAR[YEAR["timestamp"].dt.month == 3]
    other = stats.spearmanr(march["predicted"], march["actual"]).statistic
    assert found.values[2] == pytest.approx(other)
    assert found.rows[2] == 31


def test_mean_t_and_share_are_those_of_the_months() -> None:
    found = rank_ic(YEAR)
    values = np.array(found.values)
    assert found.mean == pytest.approx(values.mean())
    assert found.t == pytest.approx(stats.ttest_1samp(values, 0.0).statistic)
    assert found.positive == (values > 0).sum() / 12


def test_symbols_are_ranked_each_for_itself_and_averaged() -> None:
    rising = made(np.arange(31), np.arange(31))
    falling = made(100 + np.arange(31), -np.arange(31), symbol="B")
    assert rank_ic(pd.concat([rising, rising.assign(symbol="B")])).values == pytest.approx([1.0])
    found = rank_ic(pd.concat([rising, falling]))
    assert (found.values, found.rows) == (pytest.approx([0.0], abs=1e-12), (62,))


@pytest.mark.parametrize(("freq", "rows", "period"), [("D", 90, "month"), ("W", 104, "quarter")])
def test_weekly_bars_are_taken_by_the_quarter(freq: str, rows: int, period: str) -> None:
    values = RNG.normal(size=rows)
    found = rank_ic(made(values, values, freq=freq))
    assert found.period == period
    assert found.values == pytest.approx(np.ones(len(found.values)))


def test_constant_forecasts_rank_nothing() -> None:
    found = rank_ic(made(np.zeros(90), RNG.normal(size=90)))
    assert (found.names, found.mean, found.t, found.positive) == ((), None, None, None)


def test_one_month_has_a_mean_and_no_t() -> None:
    found = rank_ic(made(np.arange(20), np.arange(20)))
    assert (found.mean, found.t, found.positive) == (pytest.approx(1.0), None, 1.0)


def test_no_forecasts_have_no_months() -> None:
    assert rank_ic(made([], [])).names == ()


def test_ties_share_their_mean_rank() -> None:
    one, other = np.array([1.0, 1, 2, 3]), np.array([1.0, 2, 2, 4])
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert spearman(np.ones(4), other) is None
