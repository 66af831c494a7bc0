from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import kstest

from engine.evaluation.inference.selection import (
    factor_correlations,
    run_lead_selection_test,
    run_sharpe_selection_test,
)
from engine.evaluation.inference.studentised_estimate import (
    count_effective_bars,
    studentise_sharpe,
)
from engine.evaluation.inference.trial_set import TrialSet
from engine.selftest.return_processes import garch11
from tests.evaluation.trials import correlated_noise, make_index, make_trial, make_trial_set
from tests.hypothesis_examples import examples


def p_values(trials: TrialSet) -> tuple[float, float]:
    sharpe, lead = run_sharpe_selection_test(trials), run_lead_selection_test(trials)
    assert sharpe is not None
    assert lead is not None
    return sharpe.p_value, lead.p_value


@st.composite
def trial_sets(draw: st.DrawFn) -> TrialSet:
    """Up to twelve trials: families, copies, short spans, unknown holding, other intervals."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bars, count = draw(st.integers(60, 300)), draw(st.integers(2, 12))
    market = 0.01 * rng.standard_normal(bars) + draw(st.sampled_from([0.0, 0.001]))
    returns = correlated_noise(rng, bars, count, draw(st.sampled_from([0.0, 0.5, 0.99])))
    returns += market[:, None] * rng.choice([0.0, 1.0], count)
    own, *others = make_trial_set(returns, market).others
    cut = [
        replace(
            trial,
            returns=trial.returns.iloc[(first := rng.integers(0, bars - 40)) :],
            holding=None if rng.random() < 0.2 else trial.holding.iloc[first:],
            interval=str(rng.choice(["1d", "1w"], p=[0.9, 0.1])),
        )
        for trial in others
        if trial.holding is not None
    ]
    return TrialSet(own=own, others=tuple(cut), elsewhere=draw(st.integers(0, 30)))


@examples(20)
@given(trial_sets())
def test_one_more_trial_never_lowers_a_p_value_or_the_hurdle(trials: TrialSet) -> None:
    for run_test in (run_sharpe_selection_test, run_lead_selection_test):
        fewer = [
            run_test(replace(trials, others=trials.others[:count]))
            for count in range(len(trials.others) + 1)
        ]
        declared = [*fewer, run_test(replace(trials, elsewhere=trials.elsewhere + 1))]
        known = [test for test in declared if test is not None]
        assert len(known) == len(declared)
        for name in ("p_value", "hurdle", "effective_trials", "expected_maximum", "detectable"):
            values = [getattr(test, name) for test in known]
            assert all(np.diff(values) >= -1e-9), name


def test_copies_count_as_one_trial() -> None:
    rng = np.random.default_rng(1)
    own = 0.01 * rng.standard_normal(500) + 0.0008
    market = 0.01 * rng.standard_normal(500)
    copies = np.column_stack([own, 2.0 * own, own])
    alone, many = make_trial_set(own[:, None], market), make_trial_set(copies, market)
    assert p_values(many) == p_values(alone)
    test = run_sharpe_selection_test(many)
    assert test is not None
    assert test.effective_trials == pytest.approx(1.0, abs=0.001)
    assert test.p_value == test.single_p_value


def test_independent_trials_count_in_full() -> None:
    noise = correlated_noise(np.random.default_rng(2), 2_000, 30, 0.0)
    test = run_sharpe_selection_test(make_trial_set(noise))
    assert test is not None
    assert test.effective_trials == pytest.approx(30, rel=0.06)
    assert test.p_value == pytest.approx(1 - (1 - test.single_p_value) ** 30, abs=0.01)


def test_declared_tries_count_as_independent_ones() -> None:
    noise = correlated_noise(np.random.default_rng(3), 1_000, 1, 0.0) + 0.0006
    alone = run_sharpe_selection_test(make_trial_set(noise))
    declared = run_sharpe_selection_test(make_trial_set(noise, elsewhere=40))
    assert alone is not None
    assert declared is not None
    assert alone.single_p_value == declared.single_p_value == alone.p_value
    assert declared.p_value == pytest.approx(1 - (1 - alone.p_value) ** 41, abs=0.01)
    assert declared.effective_trials == pytest.approx(41, rel=0.05)


def test_an_awful_trial_counts_as_any_other() -> None:
    """A ruined churner raised the hurdle sevenfold when the spread of all trials was its scale."""
    rng = np.random.default_rng(4)
    own = 0.01 * rng.standard_normal(3_000) + 0.0006
    other = 0.01 * rng.standard_normal(3_000)
    tests = [
        run_sharpe_selection_test(make_trial_set(np.column_stack([own, other + mean])))
        for mean in (0.0, -0.003)
    ]
    assert tests[0] is not None
    assert tests[1] is not None
    assert tests[1].p_value == pytest.approx(tests[0].p_value, abs=0.002)
    assert tests[1].hurdle == pytest.approx(tests[0].hurdle, abs=0.02)


def test_the_hurdle_of_families_is_that_of_their_simulated_maximum() -> None:
    """Five families of twenty at a correlation of 0.95."""
    rng = np.random.default_rng(5)
    bars = 4_000
    returns = np.hstack([correlated_noise(rng, bars, 20, 0.95) for _ in range(5)])
    test = run_sharpe_selection_test(make_trial_set(returns))
    assert test is not None
    family = rng.standard_normal((20_000, 5, 1))
    member = rng.standard_normal((20_000, 5, 20))
    maxima = (np.sqrt(0.95) * family + np.sqrt(0.05) * member).max(axis=(1, 2))
    assert test.expected_maximum == pytest.approx(maxima.mean(), abs=0.05)
    assert test.hurdle == pytest.approx(np.quantile(maxima, 0.95), abs=0.05)


def test_variants_of_the_winner_hardly_move_its_hurdle() -> None:
    rng = np.random.default_rng(6)
    own = 0.01 * rng.standard_normal((1_000, 1))
    others = correlated_noise(rng, 1_000, 10, 0.0)
    near = own + 0.001 * rng.standard_normal((1_000, 80))
    hurdles = [
        run_sharpe_selection_test(make_trial_set(np.hstack([own, others, near[:, :count]])))
        for count in (0, 20, 80)
    ]
    values = [test.hurdle for test in hurdles if test is not None]
    assert values == sorted(values)
    assert values[2] - values[0] < 0.1


def test_a_look_from_another_start_date_is_correlated_by_the_bars_in_common() -> None:
    rng = np.random.default_rng(7)
    returns = 0.01 * rng.standard_normal(1_000)
    whole = make_trial(returns)
    half = make_trial(returns[500:], index=make_index(1_000)[500:], number=1)
    test = run_sharpe_selection_test(TrialSet(own=whole, others=(half,)))
    assert test is not None
    draws = rng.standard_normal((200_000, 2))
    maxima = np.maximum(draws[:, 0], np.sqrt(0.5) * draws.sum(axis=1))
    assert test.expected_maximum == pytest.approx(maxima.mean(), abs=0.03)


def test_weekly_and_daily_looks_at_one_rule_are_correlated() -> None:
    rng = np.random.default_rng(8)
    daily = 0.01 * rng.standard_normal(1_400)
    weekly = make_trial(
        np.add.reduceat(daily, np.arange(0, 1_400, 7)),
        index=make_index(200, "7D"),
        number=1,
        interval="1w",
    )
    stranger = replace(weekly, returns=0.02 * weekly.returns.sample(frac=1.0, random_state=1))
    stranger.returns.index = weekly.returns.index
    same = run_sharpe_selection_test(TrialSet(own=make_trial(daily), others=(weekly,)))
    other = run_sharpe_selection_test(TrialSet(own=make_trial(daily), others=(stranger,)))
    assert same is not None
    assert other is not None
    assert same.effective_trials < 1.3 < 1.9 < other.effective_trials


def test_the_lead_of_holding_itself_is_not_tested() -> None:
    rng = np.random.default_rng(9)
    market = 0.01 * rng.standard_normal(400) + 0.001
    assert run_lead_selection_test(make_trial_set(market[:, None], market)) is None
    assert run_lead_selection_test(make_trial_set(2 * market[:, None], market)) is None
    assert run_lead_selection_test(make_trial_set(market[:, None])) is None


def test_a_trial_whose_holding_is_not_known_counts_as_an_independent_lead() -> None:
    rng = np.random.default_rng(10)
    market = 0.01 * rng.standard_normal(600)
    trials = make_trial_set(correlated_noise(rng, 600, 2, 0.99), market)
    unknown = replace(trials, others=(replace(trials.others[0], holding=None),))
    known_test, unknown_test = map(run_lead_selection_test, (trials, unknown))
    assert known_test is not None
    assert unknown_test is not None
    assert known_test.effective_trials < 1.4
    assert unknown_test.effective_trials == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("returns", [np.zeros(100), np.full(100, 0.01), np.arange(20) * 0.01])
def test_without_a_sharpe_ratio_there_is_no_test(returns: np.ndarray) -> None:
    assert run_sharpe_selection_test(make_trial_set(returns[:, None])) is None


def test_effective_bars_are_those_that_carry_the_ratio() -> None:
    rng = np.random.default_rng(11)
    assert count_effective_bars(rng.standard_normal(30_000)) == pytest.approx(10_000, rel=0.05)
    rare = np.zeros(750)
    rare[::150] = 0.02
    estimate = studentise_sharpe(rare)
    assert estimate is not None
    assert estimate.effective_bars == pytest.approx(5, abs=0.5)


@pytest.mark.slow
def test_statistics_of_noise_are_standard_normal() -> None:
    rng = np.random.default_rng(12)
    statistics = []
    for _ in range(1_500):
        estimate = studentise_sharpe(garch11(rng, 500, 0.01))
        assert estimate is not None
        statistics.append(estimate.statistic)
    assert kstest(statistics, ndtr).pvalue > 0.01


@pytest.mark.slow
def test_a_selected_p_value_is_uniform_over_markets_without_skill() -> None:
    """The best of 20 rules has a p-value below 5 % in 5 % of the markets, and no more."""
    rng = np.random.default_rng(13)
    low = 0
    for _ in range(400):
        returns = correlated_noise(rng, 300, 20, 0.5)
        best = int(np.argmax(returns.mean(axis=0) / returns.std(axis=0)))
        first = np.hstack([returns[:, [best]], np.delete(returns, best, axis=1)])
        test = run_sharpe_selection_test(make_trial_set(first))
        assert test is not None
        low += test.p_value <= 0.05
    assert 8 <= low <= 33  # 99.7 % of a binomial of 400 at 5 %


def test_correlations_that_cannot_be_are_factored_in_the_order_of_the_trials() -> None:
    impossible = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]])
    roots = factor_correlations(impossible)
    np.testing.assert_allclose((roots**2).sum(axis=1), 1.0)
    np.testing.assert_allclose((roots @ roots.T)[:2, :2], impossible[:2, :2])
    singular = np.ones((3, 3))
    np.testing.assert_allclose(factor_correlations(singular) @ factor_correlations(singular).T, 1)
