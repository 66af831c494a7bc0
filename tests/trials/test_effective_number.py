"""How many independent trials there were, against planted truths."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import silhouette_samples

from engine.trials.clustering import (
    DUPLICATE_DISTANCE,
    MIN_COMMON_BARS,
    MIN_SILHOUETTE,
    UNCORRELATED_DISTANCE,
    best_cut,
    cluster_trials,
    correlation_distances,
    trial_silhouettes,
)
from engine.trials.effective_number import (
    build_trial_set,
    effective_number_of_trials,
    expected_noise_deviation,
    trial_sharpe_deviation,
)

BARS = 1000


def planted(
    rng: np.random.Generator, groups: int, members: int, alike: float, common: float = 0.0
) -> np.ndarray:
    """Groups of trials of which any two correlate by `alike`, all of them by `common` at least."""
    idea = np.repeat(rng.standard_normal((BARS, groups)), members, axis=1)
    own = rng.standard_normal((BARS, groups * members))
    market = rng.standard_normal((BARS, 1))
    parts = math.sqrt(alike) * idea + math.sqrt(1 - alike) * own
    return 0.01 * (math.sqrt(common) * market + math.sqrt(1 - common) * parts)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 60])
def test_uncorrelated_trials_count_singly(count: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert effective_number_of_trials(rng.standard_normal((BARS, count))) == count


@pytest.mark.parametrize("count", [1, 2, 3, 10, 60])
def test_clones_are_one_trial(count: int) -> None:
    one = np.random.default_rng(count).standard_normal((BARS, 1))
    assert effective_number_of_trials(np.repeat(one, count, axis=1)) == 1


@pytest.mark.parametrize("alike", [0.97, 0.99, 0.999])
@pytest.mark.parametrize("count", [2, 3, 20])
def test_near_clones_are_one_trial(count, alike) -> None:
    for seed in range(5):
        assert (
            effective_number_of_trials(planted(np.random.default_rng(seed), 1, count, alike)) == 1
        )


@pytest.mark.parametrize(("groups", "members"), [(2, 2), (2, 20), (5, 6), (12, 3)])
@pytest.mark.parametrize("alike", [0.98, 0.995])
@pytest.mark.parametrize("common", [0.0, 0.15])
def test_planted_groups_are_recovered(groups, members, alike, common) -> None:
    for seed in range(3):
        result = cluster_trials(
            planted(np.random.default_rng(seed), groups, members, alike, common)
        )
        assert list(result) == list(np.repeat(np.arange(groups), members))


def test_groups_of_different_sizes_are_recovered_among_single_trials() -> None:
    rng = np.random.default_rng(0)
    together = [planted(rng, 1, 25, 0.99), planted(rng, 3, 4, 0.98), planted(rng, 15, 1, 1.0)]
    assert effective_number_of_trials(np.hstack(together)) == 1 + 3 + 15


@pytest.mark.parametrize("alike", [0.2, 0.5, 0.8, 0.94])
def test_moderately_correlated_trials_count_singly(alike: float) -> None:
    """The best of 10 of them is far better than one: to count them as one would flatter it."""
    for seed in range(5):
        assert effective_number_of_trials(planted(np.random.default_rng(seed), 1, 10, alike)) == 10


def test_a_strategy_and_its_opposite_are_two_trials() -> None:
    one = np.random.default_rng(0).standard_normal((BARS, 1))
    assert effective_number_of_trials(np.hstack([one, -one])) == 2


matrices = st.builds(
    lambda seed, groups, members, alike: planted(
        np.random.default_rng(seed), groups, members, alike
    )[:200],
    st.integers(0, 10_000),
    st.integers(1, 4),
    st.integers(1, 4),
    st.floats(0, 1),
)


@settings(max_examples=40, deadline=None)
@given(matrices, st.randoms(use_true_random=False))
def test_the_count_is_invariant_to_order_scale_and_copies(returns: np.ndarray, random) -> None:
    count = returns.shape[1]
    result = effective_number_of_trials(returns)
    assert 1 <= result <= count

    order = random.sample(range(count), count)
    copies = [random.randrange(count) for _ in range(3)]
    scales = np.exp([random.uniform(-3, 3) for _ in range(count)])
    assert effective_number_of_trials(returns[:, order]) == result
    assert effective_number_of_trials(returns * scales) == result
    assert effective_number_of_trials(np.hstack([returns, returns[:, copies]])) == result


@settings(max_examples=25, deadline=None)
@given(matrices)
@example(planted(np.random.default_rng(0), 1, 4, 1 - 1e-16)[:200])
def test_silhouettes_are_those_of_scikit_learn_but_for_two_bounds(returns: np.ndarray) -> None:
    """An unrelated neighbour bounds b; distances below that of copies are rounding, and count 0.

    scikit-learn divides rounding by rounding there. The clusters never hold such trials: copies
    are joined before.
    """
    apart = correlation_distances(returns)
    count = len(apart)
    labels = np.arange(count) // 2
    if len(np.unique(labels)) in {1, count}:
        return  # scikit-learn knows neither of these
    sums = np.full((count, count), np.inf)
    for label in np.unique(labels):
        sums[:, label] = apart[:, labels == label].sum(axis=1)
    ours = trial_silhouettes(labels, sums)
    theirs = silhouette_samples(apart, labels, metric="precomputed")
    near = np.array(
        [
            min(apart[row, labels == other].mean() for other in set(labels) - {labels[row]})
            for row in range(count)
        ]
    )
    own = sums[np.arange(count), labels]  # of a pair: the distance to the other one
    rounding = np.maximum(own, near) < DUPLICATE_DISTANCE
    same = (near <= UNCORRELATED_DISTANCE) & ~rounding
    np.testing.assert_allclose(ours[same], theirs[same], atol=1e-9)
    assert (ours[~rounding] <= theirs[~rounding] + 1e-12).all()
    shrunk = np.maximum(own, near)[rounding] / DUPLICATE_DISTANCE
    np.testing.assert_allclose(ours[rounding], theirs[rounding] * shrunk, atol=1e-9)


def test_the_best_cut_is_the_best_of_all_cuts_tried_one_by_one() -> None:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    def mean(cut: np.ndarray) -> float:
        """Over all trials, of those in clusters that are cohesive; unrelated groups lie apart."""
        each = silhouette_samples(apart, cut, metric="precomputed")
        held = [each[cut == label] for label in np.unique(cut)]
        return sum(result.sum() for result in held if result.mean() >= MIN_SILHOUETTE)

    rng = np.random.default_rng(3)
    apart = correlation_distances(
        np.hstack([planted(rng, 4, 5, 0.98, 0.1), planted(rng, 1, 4, 0.9)])
    )
    tree = linkage(squareform(apart, checks=False), "average")
    cuts = [fcluster(tree, k, "maxclust") for k in range(2, len(apart))]
    best = max(cuts, key=mean)
    result = best_cut(apart)
    assert len(np.unique(result)) == 4 + 4
    assert len(np.unique(best)) < 4 + 4
    for label in np.unique(best[:20]):
        assert len(set(result[:20][best[:20] == label])) == 1


def test_copies_are_merged_among_correlated_trials() -> None:
    """As the same rules with other costs, among other rules on the same market."""
    rng = np.random.default_rng(0)
    returns = planted(rng, 1, 8, 0.9)
    nearly = returns[:, [0, 0, 3]] + 0.0003 * rng.standard_normal((BARS, 3))
    assert list(cluster_trials(np.hstack([returns, nearly]))) == [0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 3]


def test_correlations_are_those_of_the_bars_that_both_have() -> None:
    rng = np.random.default_rng(1)
    returns = planted(rng, 2, 3, 0.5)
    for column in range(6):
        returns[: 100 * column, column] = np.nan
    rho = pd.DataFrame(returns).corr(min_periods=MIN_COMMON_BARS).to_numpy()
    np.testing.assert_allclose(correlation_distances(returns), np.sqrt((1 - rho) / 2), atol=1e-7)


def test_clones_with_partly_overlapping_spans_are_one_trial() -> None:
    one = np.random.default_rng(0).standard_normal((BARS, 1))
    returns = np.repeat(one, 3, axis=1)
    returns[:300, 1] = np.nan
    returns[700:, 2] = np.nan
    assert effective_number_of_trials(returns) == 1


def test_trials_with_few_common_bars_count_as_uncorrelated() -> None:
    returns = np.repeat(np.random.default_rng(0).standard_normal((BARS, 1)), 2, axis=1)
    returns[500:, 0] = np.nan
    returns[: 500 - MIN_COMMON_BARS + 1, 1] = np.nan
    assert effective_number_of_trials(returns) == 2
    returns[500 - MIN_COMMON_BARS, 1] = returns[500 - MIN_COMMON_BARS, 0]
    assert effective_number_of_trials(returns) == 1


def test_strategies_that_never_trade_are_one_trial_together() -> None:
    returns = np.random.default_rng(0).standard_normal((BARS, 5))
    returns[:, 1] = returns[:, 3] = 0.0
    assert list(cluster_trials(returns)) == [0, 1, 2, 1, 3]
    assert effective_number_of_trials(returns[:, [1, 3]]) == 1
    assert effective_number_of_trials(returns[:, [1]]) == 1


def test_a_trial_without_common_bars_counts_singly() -> None:
    returns = np.random.default_rng(0).standard_normal((BARS, 3))
    returns[:, 1] = np.nan
    returns[:, 2] = np.nan
    assert effective_number_of_trials(returns) == 3


def test_two_hundred_trials_that_are_twenty_copied_count_as_twenty() -> None:
    assert effective_number_of_trials(planted(np.random.default_rng(0), 20, 10, 0.99)) == 20


def test_a_thousand_trials_are_cut_in_steps_and_the_groups_are_still_found() -> None:
    assert effective_number_of_trials(planted(np.random.default_rng(0), 6, 100, 0.99)[:300]) == 6


def test_the_deviation_of_unrelated_trials_is_that_of_their_sharpe_ratios() -> None:
    returns = np.random.default_rng(0).standard_normal((BARS, 8)) + 0.02
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    assert trial_sharpe_deviation(returns, cluster_trials(returns)) == pytest.approx(
        ratios.std(ddof=1)
    )


def test_a_cluster_counts_once_with_its_mean_weighted_by_the_inverse_variance() -> None:
    rng = np.random.default_rng(2)
    returns = np.hstack([planted(rng, 1, 2, 0.99) * [1.0, 5.0], planted(rng, 1, 1, 1.0)])
    labels = cluster_trials(returns)
    assert list(labels) == [0, 0, 1]
    weights = 1 / returns[:, :2].var(axis=0)
    books = [returns[:, :2] @ weights / weights.sum(), returns[:, 2]]
    ratios = [book.mean() / book.std(ddof=1) for book in books]
    assert trial_sharpe_deviation(returns, labels) == pytest.approx(np.std(ratios, ddof=1))


def test_copies_do_not_change_the_deviation() -> None:
    returns = np.random.default_rng(0).standard_normal((BARS, 3))
    copied = np.hstack([returns, returns[:, [0, 0, 0]]])
    alone = trial_sharpe_deviation(returns, cluster_trials(returns))
    assert trial_sharpe_deviation(copied, cluster_trials(copied)) == pytest.approx(alone)


@pytest.mark.parametrize("columns", [[0], [0, 0], [3], [0, 3], [3, 3]])
def test_the_deviation_is_none_below_two_sharpe_ratios(columns: list[int]) -> None:
    returns = np.random.default_rng(0).standard_normal((BARS, 4))
    returns[:, 3] = 0.0
    assert trial_sharpe_deviation(returns[:, columns], cluster_trials(returns[:, columns])) is None


@pytest.mark.parametrize("common", [0.0, 0.5, 0.9])
def test_the_deviation_of_correlated_noise_is_the_expected_one(common: float) -> None:
    rng = np.random.default_rng(1)
    expected, seen = [], []
    for _ in range(60):
        returns = planted(rng, 12, 1, 1.0, common)[:250]
        labels = np.arange(12)
        expected.append(expected_noise_deviation(returns, labels))
        seen.append(trial_sharpe_deviation(returns, labels))
    assert np.mean(expected) == pytest.approx(np.sqrt((1 - common) / 250), rel=0.03)
    assert np.mean(np.square(seen)) == pytest.approx(np.mean(np.square(expected)), rel=0.15)


@pytest.mark.parametrize("columns", [[0], [3], [0, 3]])
def test_fewer_than_two_varying_trials_have_no_expected_deviation(columns: list[int]) -> None:
    returns = np.random.default_rng(0).standard_normal((BARS, 4))
    returns[:, 3] = 0.0
    assert expected_noise_deviation(returns[:, columns], np.arange(len(columns))) is None


@pytest.mark.parametrize(
    ("groups", "members", "alike", "common"),
    [
        (10, 1, 1.0, 0.0),
        (20, 1, 1.0, 0.8),
        (8, 5, 0.99, 0.0),
        (8, 5, 0.85, 0.5),
        (1, 10, 0.8, 0.0),
    ],
)
def test_on_noise_the_best_trial_is_near_the_expected_maximum(
    groups, members, alike, common
) -> None:
    """The use of it all, E[max] of N trials without skill (Bailey & Lopez de Prado 2014).

    Trials on one market correlate by 0.8 and more. To count them as one would expect nothing of
    the best of them, and call it skill.
    """
    rng = np.random.default_rng(5)
    best, expected = [], []
    for _ in range(60):
        returns = planted(rng, groups, members, alike, common)[:250]
        labels = cluster_trials(returns)
        count, deviation = len(np.unique(labels)), trial_sharpe_deviation(returns, labels)
        assert deviation is not None
        ends = norm.ppf([1 - 1 / count, 1 - 1 / (count * math.e)])
        expected.append(deviation * ends @ [1 - np.euler_gamma, np.euler_gamma])
        ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
        best.append(ratios.max() - ratios.mean())  # whose mean is 0: less noise, same expectation
    assert np.mean(expected) == pytest.approx(np.mean(best), rel=0.2)


def frame(values: np.ndarray, first: str = "2020-01-01") -> list[pd.Series]:
    index = pd.date_range(first, periods=len(values), tz="UTC", name="timestamp")
    return [pd.Series(column, index=index) for column in values.T]


def test_a_single_run_is_one_trial() -> None:
    (own,) = frame(np.random.default_rng(0).standard_normal((50, 1)))
    trials = build_trial_set(own, {}, runs=1, failed=0, tuning=0, since=None)
    assert trials.as_dict() == {
        "runs": 1,
        "failed": 0,
        "distinct": 1,
        "effective": 1,
        "tuning": 0,
        "sharpe_deviation": None,
        "since": None,
    }
    assert trials.gapless_returns().shape == (50, 1)


def test_other_returns_are_aligned_with_the_bars_of_the_run() -> None:
    rng = np.random.default_rng(0)
    own, whole = frame(rng.standard_normal((200, 2)))
    (late,) = frame(rng.standard_normal((200, 1)), "2020-04-10")
    trials = build_trial_set(own, {4: late, 2: whole}, runs=5, failed=2, tuning=9, since="2020")
    assert list(trials.returns.columns) == ["this", "4", "2"]
    assert list(trials.returns.index) == list(own.index)
    assert (trials.distinct, trials.effective) == (3, 3)
    assert trials.returns["4"].notna().sum() == 100
    assert trials.gapless_returns().shape == (100, 3)
    assert trials.gapless_returns(min_share=0.6).shape == (200, 2)
    np.testing.assert_array_equal(trials.gapless_returns(min_share=0.6)[:, 0], own)
