from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats

from engine.evaluation.inference.aligned_ranks import compare_with_control, friedman_aligned_ranks
from engine.evaluation.inference.multiple_testing import finner

# Livieris et al. (2021), Electronics 10(3):287: Model1, Model2 and MICDL over BTC, ETH and XRP,
# each with lag 7 and 14, as printed.
RMSE = np.array(
    [
        [256.688, 256.318, 257.728],
        [262.339, 256.849, 257.847],
        [13.517, 13.591, 13.551],
        [13.657, 13.539, 13.492],
        [0.007, 0.007, 0.007],
        [0.007, 0.009, 0.009],
    ]
)
R2 = np.array(
    [
        [0.953, 0.953, 0.952],
        [0.950, 0.952, 0.952],
        [0.964, 0.964, 0.964],
        [0.964, 0.964, 0.964],
        [0.960, 0.958, 0.958],
        [0.962, 0.936, 0.953],
    ]
)


def written_out(scores: np.ndarray) -> float:
    """The statistic as Garcia et al. (2010) print it, lower is better."""
    n, k = scores.shape
    aligned = [score - sum(row) / k for row in scores for score in row]
    ranks = stats.rankdata(aligned).reshape(n, k)
    total = sum(sum(ranks[:, model]) ** 2 for model in range(k))
    rows = sum(sum(ranks[row]) ** 2 for row in range(n))
    upper = (k - 1) * (total - k * n**2 / 4 * (k * n + 1) ** 2)
    return upper / (k * n * (k * n + 1) * (2 * k * n + 1) / 6 - rows / k)


@pytest.mark.parametrize(("shape", "seed"), [((6, 3), 0), ((4, 5), 1), ((30, 4), 2), ((1, 3), 3)])
def test_the_statistic_is_the_printed_formula(shape: tuple[int, int], seed: int) -> None:
    scores = np.random.default_rng(seed).random(shape)
    result = friedman_aligned_ranks(scores)
    assert result.statistic == pytest.approx(written_out(scores), rel=1e-12)
    assert result.degrees == shape[1] - 1
    assert result.p_value == pytest.approx(stats.chi2.sf(result.statistic, shape[1] - 1))
    assert np.mean(result.average_ranks) == pytest.approx((scores.size + 1) / 2)


@pytest.mark.parametrize(
    "scores",
    [[[0.1, 0.4, 0.8], [3.0, 1.0, 2.5], [7.0, 7.2, 5.0]], [[1, 1, 2], [5, 4, 4], [0, 3, 3]]],
)
def test_the_mean_statistic_over_all_permutations_equals_its_degrees(scores) -> None:
    # The null hypothesis itself, with ties (second case) and without.
    statistics = [
        friedman_aligned_ranks(np.array(rows, dtype=float)).statistic
        for rows in product(*(permutations(row) for row in scores))
    ]
    assert np.mean(statistics) == pytest.approx(2.0, rel=1e-12)


def test_rmse_ranks_of_livieris_2021_to_the_printed_digit() -> None:
    result = friedman_aligned_ranks(RMSE)
    assert [
        round(result.average_ranks[0], 3),
        *(round(each, 4) for each in result.average_ranks[1:]),
    ] == [
        10.667,
        8.4167,
        9.4167,
    ]


def test_r2_ranks_of_livieris_2021_rest_on_the_last_bit_of_a_float() -> None:
    as_printed = friedman_aligned_ranks(R2, higher_is_better=True, tie_tolerance=0.0)
    assert [round(each, 4) for each in as_printed.average_ranks] == [8.0833, 10.9167, 9.5]
    # On paper 0.952 - (0.953 + 0.953 + 0.952) / 3 equals 0.958 - (0.96 + 0.958 + 0.958) / 3.
    exact = friedman_aligned_ranks(R2, higher_is_better=True)
    assert [round(each, 4) for each in exact.average_ranks] == [8.0833, 10.8333, 9.5833]


# Average ranks with their labels put right (control first), and the adjusted p-values, as printed.
PUBLISHED = [
    ([7.167, 11.5, 9.833], [0.29398, 0.38694]),
    ([8.4167, 9.4167, 10.667], [0.745603, 0.7142]),
    ([8.0833, 10.9167, 9.5], [0.587788, 0.645784]),
    ([6.917, 8.25, 13.333], [0.66531, 0.07332]),
    ([3.5, 12.5, 12.5], [0.006989, 0.006989]),
    ([3.5, 11.833, 13.167], [0.006857, 0.003419]),
]


@pytest.mark.parametrize(("average", "expected"), PUBLISHED)
def test_post_hoc_p_values_of_livieris_2021_to_the_printed_digit(average, expected) -> None:
    # Totals over six rows are halves, so that the ranks before rounding are known.
    control, compared = compare_with_control(
        [round(12 * each) / 12 for each in average], datasets=6
    )
    assert control == 0
    assert [each.model_index for each in compared] == [1, 2]
    for each, printed in zip(compared, expected, strict=True):
        digits = len(str(printed)) - 2
        assert each.p_value_finner == pytest.approx(printed, abs=0.51 * 10**-digits)


def test_a_comparison_written_out() -> None:
    control, (other,) = compare_with_control([7.0, 4.0], datasets=5)
    assert control == 1
    assert other.model_index == 0
    assert other.z == pytest.approx(3.0 / np.sqrt(2 * 11 / 6))
    assert other.p_value == pytest.approx(2 * stats.norm.sf(other.z))
    assert other.p_value_finner == pytest.approx(other.p_value)


@pytest.mark.parametrize("models", [2, 3, 6])
def test_z_between_equal_models_has_a_larger_deviation_than_a_normal_one(models: int) -> None:
    # What the docstring warns of: aligned scores of a row hang together.
    generator = np.random.default_rng(5)
    z = []
    for _ in range(600):
        average = friedman_aligned_ranks(generator.standard_normal((40, models))).average_ranks
        from_control = {each.model_index: each.z for each in compare_with_control(average, 40)[1]}
        z.append(from_control.get(1, 0.0) - from_control.get(0, 0.0))
    assert np.std(z) == pytest.approx(np.sqrt(models / (models - 1)), rel=0.1)


def test_finner_written_out() -> None:
    # Sorted 0.01, 0.02, 0.04 to the powers 3, 3/2 and 1; the last may not fall below the second.
    assert finner([0.04, 0.01, 0.02]) == pytest.approx([0.04, 1 - 0.99**3, 1 - 0.98**1.5])
    assert finner([0.3, 0.3, 0.3]) == pytest.approx([1 - 0.7**3] * 3)
    assert finner([1.0, 0.5]) == pytest.approx([1.0, 0.75])
    assert finner([1e-20, 1e-20]) == pytest.approx([2e-20, 2e-20])
    assert finner([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_finner_is_sidak_for_the_smallest_and_never_falls(seed: int) -> None:
    p_values = np.random.default_rng(seed).random(7) ** 3
    adjusted = np.array(finner(list(p_values)))
    assert adjusted.min() == pytest.approx(1 - (1 - p_values.min()) ** 7)
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()
    assert (adjusted >= p_values).all()


def test_higher_is_better_mirrors_lower_is_better() -> None:
    scores = np.random.default_rng(9).random((5, 4))
    scores[:, 2] += 1.0
    higher = friedman_aligned_ranks(scores, higher_is_better=True)
    assert higher == friedman_aligned_ranks(-scores)
    assert np.argmin(higher.average_ranks) == 2


def test_a_data_set_s_own_level_does_not_matter() -> None:
    scores = np.random.default_rng(9).random((5, 4))
    raised = scores + np.array([[0.0], [10.0], [-3.0], [1e3], [7.0]])
    assert (
        friedman_aligned_ranks(raised).average_ranks
        == friedman_aligned_ranks(scores).average_ranks
    )


def test_equal_scores_have_no_statistic() -> None:
    result = friedman_aligned_ranks(np.tile([[0.1], [0.7], [1e6]], (1, 3)))
    assert result.average_ranks == (5.0, 5.0, 5.0)
    assert result.statistic is None
    assert result.p_value is None
    assert [each.p_value_finner for each in compare_with_control(result.average_ranks, 3)[1]] == [
        1.0,
        1.0,
    ]


def test_a_single_model_has_nothing_to_be_compared_with() -> None:
    result = friedman_aligned_ranks(np.array([[0.1], [0.2]]))
    assert result.statistic is None
    assert compare_with_control(result.average_ranks, 2) == (0, [])
