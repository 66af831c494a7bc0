"""Rolling statistics: bit-equal for each window, whatever the block of rows."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pytest

from engine.features.rolling import covariance, mean_and_deviation, midrank, weighted_sum

N = 20_000  # more than two blocks


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """Numbers of very different sizes, with a constant stretch and a NaN."""
    rng = np.random.default_rng(8)
    values = rng.standard_normal(N) * np.exp(rng.normal(0, 5, N))
    values[8_150:8_230] = 0.1
    values[8_300] = np.nan
    return values


def one_window(window: np.ndarray, ddof: int) -> tuple[float, float]:
    """The mean and the deviation, added from the oldest to the newest."""
    if (window == window[0]).all():
        return window[0], 0.0
    mean = reduce(add, window) / len(window)
    return mean, np.sqrt(reduce(add, ((x - mean) ** 2 for x in window)) / (len(window) - ddof))


@pytest.mark.parametrize(("window", "ddof"), [(2, 0), (20, 0), (33, 1), (64, 1)])
def test_mean_and_deviation_depend_on_the_window_only(values, window, ddof) -> None:
    mean, deviation = mean_and_deviation(values, window, ddof=ddof)
    assert np.isnan(mean[: window - 1]).all()
    for end in [*range(window, window + 40), *range(8_100, 8_400), *range(N - 40, N + 1)]:
        alone = one_window(values[end - window : end], ddof)
        np.testing.assert_array_equal((mean[end - 1], deviation[end - 1]), alone)


EVERY_STATISTIC = pytest.mark.parametrize(
    "statistic",
    [
        lambda x: mean_and_deviation(x, 60)[1],
        lambda x: covariance(x, np.sin(np.nan_to_num(x)), 60),
        lambda x: weighted_sum(x, np.linspace(1, 0, 60)),
        lambda x: midrank(x, 60),
    ],
    ids=["deviation", "covariance", "weighted sum", "midrank"],
)


@EVERY_STATISTIC
def test_a_window_is_bit_equal_for_any_rows_around_it(values, statistic) -> None:
    whole = statistic(values)
    for start, stop in [(0, 8_200), (5, 9_000), (8_100, 16_500), (12_345, N)]:
        part = statistic(values[start:stop])
        np.testing.assert_array_equal(part[59:], whole[start + 59 : stop])


@EVERY_STATISTIC
@pytest.mark.parametrize("windows", [1, 2, 4, 9])
def test_a_column_is_bit_equal_alone_and_among_hundreds(values, statistic, windows) -> None:
    columns = values[: (59 + windows) * 290].reshape(59 + windows, 290)
    together = statistic(columns)
    for column in (0, 137, 289):
        np.testing.assert_array_equal(together[:, column], statistic(columns[:, column].copy()))


def test_covariance_equals_numpy_and_is_zero_where_one_is_constant(values) -> None:
    x, y = values[:500], np.random.default_rng(9).standard_normal(500)
    expected = [np.cov(x[t - 40 : t], y[t - 40 : t], ddof=0)[0, 1] for t in range(40, 501)]
    np.testing.assert_allclose(covariance(x, y, 40)[39:], expected, rtol=1e-9, atol=1e-9)
    assert set(covariance(np.full(60, 0.1), y[:60], 40)[39:]) == {0.0}


def test_a_weighted_sum_has_its_first_weight_on_the_latest_value() -> None:
    result = weighted_sum(np.array([1.0, 10.0, 100.0]), np.array([1.0, 0.5]))
    np.testing.assert_array_equal(result, [np.nan, 10.5, 105.0])


@pytest.mark.parametrize(
    "statistic", [lambda x: mean_and_deviation(x, 20)[0], lambda x: midrank(x, 20)]
)
def test_fewer_rows_than_a_window_are_nan(statistic) -> None:
    assert np.isnan(statistic(np.arange(19.0))).all()
    assert statistic(np.empty(0)).shape == (0,)
