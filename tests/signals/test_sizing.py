from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.errors import UsageError
from engine.signals.spec import Fixed, Proportional, VolatilityTarget

DAYS = pd.date_range("2020-01-01", periods=40, tz="UTC", name="timestamp")


@pytest.fixture
def close() -> pd.DataFrame:
    """40 closes of two symbols; a third that is not traded."""
    moves = np.random.default_rng(8).normal(0, [0.01, 0.04, 0.02], (40, 3))
    return pd.DataFrame(100 * np.exp(moves.cumsum(axis=0)), index=DAYS, columns=["A", "B", "C"])


@pytest.fixture
def predicted() -> pd.DataFrame:
    """The last 10 bars of the two traded symbols."""
    values = np.random.default_rng(9).normal(0, 0.02, (10, 2))
    return pd.DataFrame(values, index=DAYS[-10:], columns=["A", "B"])


def test_a_fixed_size_is_the_same_everywhere(predicted: pd.DataFrame, close: pd.DataFrame) -> None:
    sizes = Fixed(weight=0.4).sizes(predicted, close, 365)
    assert sizes.shape == predicted.shape
    assert (sizes == 0.4).all(axis=None)


@pytest.mark.parametrize(
    ("bps", "size"), [(25, 0.25), (-25, 0.25), (100, 1.0), (400, 1.0), (0, 0.0)]
)
def test_a_proportional_size_grows_with_the_prediction_up_to_1(bps: float, size: float) -> None:
    predicted = pd.DataFrame({"A": [bps / 10_000]}, index=DAYS[:1])
    sizes = Proportional(full_bps=100).sizes(predicted, predicted, 365)
    assert sizes.iloc[0, 0] == pytest.approx(size)


def test_a_volatility_target_divides_by_the_volatility_of_the_last_returns(
    predicted: pd.DataFrame, close: pd.DataFrame
) -> None:
    sizes = VolatilityTarget(target_pct_per_year=30, window=15).sizes(predicted, close, 252)
    for day, symbol in ((predicted.index[0], "A"), (predicted.index[-1], "B")):
        last = close.loc[:day, symbol].to_numpy()[-16:]
        volatility = np.std(last[1:] / last[:-1] - 1, ddof=1) * np.sqrt(252)
        assert sizes.loc[day, symbol] == pytest.approx(0.3 / volatility)
    assert list(sizes.columns) == ["A", "B"]


def test_a_price_that_does_not_move_leaves_the_size_to_the_maximum_weight(
    predicted: pd.DataFrame, close: pd.DataFrame
) -> None:
    sizes = VolatilityTarget().sizes(predicted, close * 0 + 0.1, 365)
    assert np.isposinf(sizes).all(axis=None)


def test_too_few_closes_for_the_volatility_are_told(
    predicted: pd.DataFrame, close: pd.DataFrame
) -> None:
    VolatilityTarget(window=30).sizes(predicted, close, 365)
    with pytest.raises(UsageError) as caught:
        VolatilityTarget(window=31).sizes(predicted, close, 365)
    assert "expected: 32 closes up to the first out-of-sample bar" in str(caught.value)
    assert "found: 31" in str(caught.value)
    assert caught.value.where == "sizing.window"
