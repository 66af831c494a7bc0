from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.inference import bootstrap
from engine.evaluation.inference.bootstrap import (
    SharpeInference,
    infer_sharpe_ratios,
    spawn_named_stream,
)
from engine.evaluation.inference.hac import long_run_variance, plug_in_bandwidth
from engine.evaluation.inference.stationary_bootstrap import optimal_block_length
from engine.evaluation.metrics.return_metrics import sharpe

SPEC = EvaluationSpec(resamples=999)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def infer_sharpe(returns, periods_per_year, spec, generator) -> SharpeInference:
    return infer_sharpe_ratios({"one": [returns]}, periods_per_year, spec, generator)["one"]


def infer_difference(first, second, periods_per_year, spec, generator) -> SharpeInference:
    return infer_sharpe_ratios({"two": [first, second]}, periods_per_year, spec, generator)["two"]


def noise(seed: int, bars: int = 500, mean: float = 0.0) -> np.ndarray:
    return 0.01 * (rng(seed).standard_normal(bars) + mean)


def autoregressive(generator: np.random.Generator, bars: int, rho: float) -> np.ndarray:
    """Standard deviation 1, mean 0."""
    shocks = generator.standard_normal(bars + 100)
    values = np.zeros(bars + 100)
    for t in range(1, bars + 100):
        values[t] = rho * values[t - 1] + shocks[t]
    return values[100:] * np.sqrt(1 - rho**2)


def test_the_estimate_is_the_sharpe_ratio_of_the_metrics_table() -> None:
    returns = noise(1, mean=0.1)
    assert infer_sharpe(returns, 365, SPEC, rng()).estimate == pytest.approx(sharpe(returns, 365))


def test_the_estimated_difference_is_the_difference_of_the_sharpe_ratios() -> None:
    one, two = noise(1, mean=0.1), noise(2)
    expected = sharpe(one, 365) - sharpe(two, 365)
    assert infer_difference(one, two, 365, SPEC, rng()).estimate == pytest.approx(expected)


def test_an_additional_figure_changes_no_other() -> None:
    alike, other = noise(1)[::-1], autoregressive(rng(4), 500, 0.6)
    alone = infer_sharpe(noise(1), 365, SPEC, rng())
    among = infer_sharpe_ratios(
        {"a": [alike], "one": [noise(1)], "b": [other], "c": [noise(1), alike]}, 365, SPEC, rng()
    )
    assert among["one"] == alone
    assert among["a"].block_length_bars == alone.block_length_bars


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.8])
def test_block_lengths_are_rounded_up_to_few_values(rho: float) -> None:
    returns = autoregressive(rng(5), 900, rho)
    used = infer_sharpe(returns, 365, SPEC, rng()).block_length_bars
    assert 2 * np.log2(used) == pytest.approx(round(2 * np.log2(used)))
    influence = (returns - returns.mean()) / returns.std()
    influence -= returns.mean() / returns.std() * (influence**2 - 1) / 2
    shortest = max(900 / 400, optimal_block_length(influence))
    assert 1 - 1e-9 <= used / shortest < (2 if used <= 8 else np.sqrt(2))


@pytest.mark.parametrize(
    ("bars", "shortest"), [(300, 1.0), (800, 2.0), (1_600, 4.0), (7_000, 4.0)]
)
def test_blocks_have_a_shortest_length_where_there_are_many_bars(
    bars: int, shortest: float
) -> None:
    lengths = [
        infer_sharpe(autoregressive(rng(seed), bars, 0.0), 365, SPEC, rng()).block_length_bars
        for seed in range(5)
    ]
    assert min(lengths) == shortest


def test_the_interval_and_the_two_sided_test_agree() -> None:
    for seed in range(20):
        result = infer_difference(noise(seed, mean=0.12), noise(seed + 50), 365, SPEC, rng(seed))
        assert result.low is not None
        assert result.high is not None
        assert result.p_value is not None
        assert (result.low > 0 or result.high < 0) == (result.p_value <= 0.05)


def test_independent_rows_have_the_standard_error_of_lo() -> None:
    # Lo (2002), The Statistics of Sharpe Ratios: sqrt((1 + S^2 / 2) / n) for normal iid returns.
    returns = noise(3, bars=4_000, mean=0.05)
    result = infer_sharpe(returns, 1.0, SPEC, rng())
    assert result.low is not None
    assert result.high is not None
    half = 1.96 * np.sqrt((1 + 0.05**2 / 2) / 4_000)
    assert (result.high - result.low) / 2 == pytest.approx(half, rel=0.08)


def test_common_moves_cancel_in_a_difference() -> None:
    market = noise(1)
    result = infer_difference(market + noise(2) / 20, market, 1.0, SPEC, rng())
    alone = infer_sharpe(market, 1.0, SPEC, rng())
    assert result.high - result.low < (alone.high - alone.low) / 5


def test_noise_is_not_significant_but_skill_is() -> None:
    assert infer_sharpe(noise(1), 365, SPEC, rng()).p_value > 0.05
    assert infer_sharpe(noise(1, mean=0.3), 365, SPEC, rng()).p_value == pytest.approx(0.001)


def test_a_sharpe_ratio_below_zero_is_no_evidence_of_one_above() -> None:
    assert infer_sharpe(noise(1, mean=-0.3), 365, SPEC, rng()).p_value > 0.95


@pytest.mark.parametrize("returns", [np.zeros(500), np.full(500, 0.01), noise(1, bars=29)])
def test_constant_returns_or_too_few_bars_have_no_inference(returns: np.ndarray) -> None:
    other = noise(2, len(returns))
    assert infer_sharpe(returns, 365, SPEC, rng()) == SharpeInference()
    assert infer_difference(returns, other, 365, SPEC, rng()) == SharpeInference()
    assert infer_difference(other, returns, 365, SPEC, rng()) == SharpeInference()


def test_a_book_does_not_differ_from_itself_nor_from_its_own_leverage() -> None:
    same = SharpeInference(0.0, 0.0, 0.0, 1.0, 1.0)
    assert infer_difference(noise(1), noise(1), 365, SPEC, rng()) == same
    assert infer_difference(noise(1), noise(1) * 0.3, 365, SPEC, rng()) == same


def test_a_book_that_hardly_trades_has_no_interval_and_no_evidence() -> None:
    returns = np.zeros(500)
    returns[100] = 0.05
    result = infer_sharpe(returns, 365, SPEC, rng())
    assert result.low is None
    assert result.high is None
    # A third of the resamples miss its only trade.
    assert result.p_value > 0.3


def test_serial_dependence_lengthens_blocks_and_widens_the_interval() -> None:
    dependent = autoregressive(rng(1), 2_000, 0.6) + 0.05
    shuffled = rng(2).permutation(dependent)
    wide, narrow = (infer_sharpe(each, 1.0, SPEC, rng()) for each in (dependent, shuffled))
    assert wide.block_length_bars > 2 * narrow.block_length_bars
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.5])
def test_long_run_variance_is_that_of_an_autoregression(rho: float) -> None:
    values = autoregressive(rng(4), 20_000, rho)
    expected = (1 + rho) / (1 - rho)
    assert long_run_variance(values - values.mean()) == pytest.approx(expected, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [-0.3, 0.2, 0.5])
def test_long_run_variance_equals_archs_kernel_on_the_whitened_values(rho: float) -> None:
    from arch.covariance.kernel import QuadraticSpectral

    values = autoregressive(rng(4), 600, rho)
    filtered = np.dot(values[1:], values[:-1]) / np.dot(values[:-1], values[:-1])
    white = values[1:] - filtered * values[:-1]
    bandwidth = plug_in_bandwidth(white)
    kernel = QuadraticSpectral(white, bandwidth=bandwidth, center=False)
    expected = kernel.cov.long_run.item() / (1 - filtered) ** 2
    assert long_run_variance(values) == pytest.approx(expected, rel=1e-9)


def test_a_named_stream_depends_on_seed_and_name_alone() -> None:
    parent = rng(3)
    first = spawn_named_stream(parent, "a").random(4)
    parent.random(100)
    spawn_named_stream(parent, "b")
    np.testing.assert_array_equal(spawn_named_stream(parent, "a").random(4), first)
    assert not np.allclose(spawn_named_stream(parent, "b").random(4), first)
    assert not np.allclose(spawn_named_stream(rng(4), "a").random(4), first)


@pytest.mark.slow
@pytest.mark.parametrize(("rho", "lowest"), [(0.0, 0.92), (0.4, 0.92)])
def test_a_nominal_95_percent_interval_covers_autocorrelated_returns(
    rho: float, lowest: float
) -> None:
    generator = rng(11)
    spec = EvaluationSpec(resamples=500)
    covered = 0
    for _ in range(400):
        result = infer_sharpe(
            autoregressive(generator, 750, rho) + 0.05, 1.0, spec, generator.spawn(1)[0]
        )
        covered += result.low <= 0.05 <= result.high
    # Two standard errors of 400 draws are 2.2 %.
    assert lowest < covered / 400 < 0.98


@pytest.mark.slow
def test_the_two_sided_test_rejects_a_true_null_about_as_often_as_it_says() -> None:
    generator = rng(12)
    spec = EvaluationSpec(resamples=500)
    rejected = 0
    for _ in range(400):
        market = autoregressive(generator, 750, 0.2)
        one, two = (market + generator.standard_t(4, 750) + 0.05 for _ in range(2))
        result = infer_difference(one, two, 1.0, spec, generator.spawn(1)[0])
        rejected += result.p_value <= 0.05
    assert 0.02 < rejected / 400 < 0.08


@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_a_long_series_drawn_in_cells_has_the_interval_of_one_drawn_bar_by_bar(
    rho: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    returns = 0.01 * autoregressive(rng(11), 4_000, rho)
    by_bar = infer_sharpe_ratios({"x": [returns]}, 252.0, SPEC, rng())["x"]
    monkeypatch.setattr(bootstrap, "MAX_CELLS", 500)
    in_cells = infer_sharpe_ratios({"x": [returns]}, 252.0, SPEC, rng())["x"]
    assert in_cells.estimate == by_bar.estimate
    assert in_cells.block_length_bars >= 8
    assert in_cells.high - in_cells.low == pytest.approx(by_bar.high - by_bar.low, rel=0.1)
    assert in_cells.p_value == pytest.approx(by_bar.p_value, abs=0.05)
