from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.inference.hac import long_run_variance, sharpe_influence
from engine.evaluation.inference.structural_break import sup_lm_test
from tests.evaluation.return_processes import autocorrelated, garch, independent

MARKETS = 200


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rejections(series: np.ndarray, level: float = 0.05) -> float:
    generator = rng(8)
    tests = [sup_lm_test(sharpe_influence(each), generator) for each in series]
    return float(np.mean([test.p_value <= level for test in tests if test]))


def test_the_statistic_written_out() -> None:
    values = rng(1).standard_normal(200)
    found = sup_lm_test(values, rng())
    assert found is not None
    centred = values - values.mean()
    expected = {
        row: sum(centred[:row]) ** 2
        / (200 * long_run_variance(centred) * (row / 200) * (1 - row / 200))
        for row in range(30, 171)
    }
    assert found.statistic == pytest.approx(max(expected.values()))
    assert found.row == max(expected, key=lambda row: expected[row])


def three_times_as_volatile_at_first(rng: np.random.Generator, paths: int, bars: int):
    returns = independent(rng, paths, bars)
    returns[:, : bars // 4] *= 3
    return returns


def test_p_values_agree_with_the_printed_critical_values() -> None:
    """Andrews (2003), Econometrica 71, table I: 7.12 at 10 and 12.16 at 1 per cent.

    The bootstrap is more careful: a break widens its distribution too.
    """
    values = rng(1).standard_normal((60, 1_000))
    values[:, 500:] += np.linspace(0, 0.3, 60)[:, np.newaxis]
    for test in (sup_lm_test(each, rng(7)) for each in values):
        assert test.statistic > 7.12 or test.p_value > 0.05
        assert test.statistic < 16 or test.p_value < 0.05


def test_the_same_stream_gives_the_same_p_value() -> None:
    values = rng(1).standard_normal(300)
    assert sup_lm_test(values, rng(3)) == sup_lm_test(values, rng(3))
    generator = rng(3)
    p_values = {sup_lm_test(values, generator).p_value for _ in range(4)}
    assert len(p_values) > 1
    assert np.ptp(list(p_values)) < 0.12


@pytest.mark.slow
@pytest.mark.parametrize(
    "process", [independent, garch, autocorrelated, three_times_as_volatile_at_first]
)
@pytest.mark.parametrize("bars", [250, 1_000])
def test_the_level_is_kept_without_a_break(process, bars: int) -> None:
    """5 per cent of 200 series are 10, with a standard error of 3.1: at most 19 may reject."""
    assert rejections(process(rng(2), MARKETS, bars)) <= 0.095


@pytest.mark.slow
def test_a_break_is_found_the_more_often_the_larger_it_is() -> None:
    noise = rng(3).standard_normal((100, 2_000))
    found = []
    for annual_sharpe in (0.0, 2.0, 4.0):
        broken = noise.copy()
        broken[:, :800] += annual_sharpe / np.sqrt(252)
        found.append(rejections(broken))
    assert found[0] < 0.12 < found[1] < found[2]
    assert found[2] > 0.9


def test_the_row_is_that_of_the_break() -> None:
    broken = rng(4).standard_normal((100, 1_000))
    broken[:, 300:] -= 0.5
    rows = [sup_lm_test(each, rng()).row for each in broken]
    assert np.median(rows) == pytest.approx(300, abs=5)


def test_scale_and_level_do_not_matter() -> None:
    values = rng(5).standard_normal(300)
    one, other = sup_lm_test(values, rng()), sup_lm_test(1e-4 * values + 0.01, rng())
    assert (one.row, one.p_value) == (other.row, other.p_value)
    assert one.statistic == pytest.approx(other.statistic)


def test_few_or_constant_values_are_not_tested() -> None:
    assert sup_lm_test(rng(6).standard_normal(119), rng()) is None
    assert sup_lm_test(np.full(500, 0.3), rng()) is None
