"""The best of many trials without skill: its distribution, and the p-value of the one selected.

Under the null hypothesis that no trial has skill, the studentised Sharpe ratios of all trials are
jointly normal with the correlations of `trial_correlations`. The p-value of the selected trial is
the probability that the best of them is at least as high as its own statistic. It depends on what
the trials have in common and not on how well they did: a ruined trial raises it no more than
another one that is as little correlated. One more trial never lowers it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.studentised_estimate import studentise_lead, studentise_sharpe
from engine.evaluation.inference.trial_correlations import (
    as_vector,
    correlate_influences,
    holding_influences,
    lead_influences,
    sharpe_influences,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Matrix, Vector
    from engine.evaluation.inference.studentised_estimate import StudentisedEstimate
    from engine.evaluation.inference.trial_correlations import InfluenceByBar
    from engine.evaluation.inference.trial_set import TrialSet

DRAWS = 20_000
"""Draws of the statistics of all trials; the standard error of a p-value of 0.05 is 0.0015."""

MAX_CORRELATED_TRIALS = 1_000
"""Trials whose correlations count, the first by run number; more count as independent ones."""

_DRAWS_SEED = 2_014
"""A fixed seed, and a stream for each trial, so that one more trial changes no draw of another."""

_DEPENDENT = 1e-6
"""A trial of which the others leave less of its variance is a copy of theirs."""

_ROWS_AT_A_TIME = 64
"""Trials whose statistics are in memory together."""

_POWER = 0.80
_NORMAL = NormalDist()


@dataclass(frozen=True)
class SelectionTest:
    """The selected trial against the best of all trials without skill.

    Attributes:
        statistic: Of the selected trial, standard normal without skill.
        p_value: Probability that the best of all trials reaches it without skill.
        single_p_value: The same as if it were the only trial.
        effective_trials: Number of independent trials whose best has the same quantile at the
            level; 1 for copies, and at most the number of trials. Declared tries count in full.
        expected_maximum: Mean statistic of the best of all trials without skill; 0 for one.
        hurdle: Statistic that the best of them exceeds with the probability of the level.
        detectable: True Sharpe ratio, or lead, per bar that the test finds in 80 % of samples.
        standard_error: Of the estimate, per bar.
        effective_bars: As in `StudentisedEstimate`.
    """

    statistic: float
    p_value: float
    single_p_value: float
    effective_trials: float
    expected_maximum: float
    hurdle: float
    detectable: float
    standard_error: float
    effective_bars: float


def run_sharpe_selection_test(trials: TrialSet, level: float = 0.05) -> SelectionTest | None:
    """Tests H0: no trial has a Sharpe ratio above 0, by that of the run itself.

    Args:
        trials: All trials; those without a Sharpe ratio do not count.
        level: Of `hurdle` and `detectable`.

    Returns:
        None below 30 bars, or for constant returns.
    """
    own = studentise_sharpe(as_vector(trials.own.returns))
    if own is None:
        return None
    influences = [sharpe_influences(trial) for trial in (trials.own, *trials.others)]
    counted = [values is not None for values in influences]
    return _test_selected(own, trials, influences, counted, level)


def run_lead_selection_test(trials: TrialSet, level: float = 0.05) -> SelectionTest | None:
    """Tests H0: no trial has a higher Sharpe ratio than holding, by the lead of the run itself.

    Args:
        trials: All trials. One whose holding is not known counts as an independent one; one that
            is holding itself, or has no Sharpe ratio, does not count.
        level: Of `hurdle` and `detectable`.

    Returns:
        None where the run has no lead: its own holding is not known, or it is holding itself.
    """
    own = studentise_lead(trials.own)
    if own is None:
        return None
    every = (trials.own, *trials.others)
    influences = list(map(lead_influences, every, holding_influences(every)))
    counted = [
        values is not None or (trial.holding is None and sharpe_influences(trial) is not None)
        for trial, values in zip(every, influences, strict=True)
    ]
    return _test_selected(own, trials, influences, counted, level)


def draw_best_statistics(correlations: Matrix) -> tuple[Vector, Vector]:
    """Draws of the statistics of correlated trials without skill.

    Args:
        correlations: Of the trials, the selected one first, shape (k, k); where they do not fit
            together those of the earlier trials count.

    Returns:
        Statistic of the selected trial, and the highest of all others (minus infinity without
        any), shape (`DRAWS`,) each. The draws with one more trial are the same or higher.
    """
    count = len(correlations)
    noise = np.array([_draw_noise(number) for number in range(count)])
    roots = factor_correlations(correlations)
    highest = np.full(DRAWS, -np.inf)
    for start in range(0, count, _ROWS_AT_A_TIME):
        rows = slice(max(start, 1), start + _ROWS_AT_A_TIME)
        drawn = roots[rows, : rows.stop] @ noise[: rows.stop]
        np.maximum(highest, drawn.max(axis=0, initial=-np.inf), out=highest)
    return noise[0], highest


@lru_cache(maxsize=MAX_CORRELATED_TRIALS)
def _draw_noise(number: int) -> Vector:
    """Independent draws of one trial, shape (`DRAWS`,).

    They are the quantiles of the normal distribution in random order: each trial's draws have its
    distribution exactly (Latin hypercube sampling), and copies of one trial its quantiles.
    """
    from scipy.special import ndtri

    scores = ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
    return np.random.default_rng([_DRAWS_SEED, number]).permutation(scores)


def factor_correlations(correlations: Matrix) -> Matrix:
    """Lower-triangular root of a correlation matrix, also where it is singular or indefinite.

    Cholesky's factor, a row a trial, each of length 1. A row depends on the trials up to its own
    alone. A trial that depends linearly on earlier ones gets no component of its own; where its
    correlations with them are impossible its row is scaled to length 1.

    Args:
        correlations: Symmetric with a diagonal of 1, shape (k, k).
    """
    count = len(correlations)
    roots = np.zeros((count, count))
    for column in range(count):
        explained = roots[column, :column] @ roots[column, :column]
        if explained > 1.0 - _DEPENDENT:
            roots[column, :column] /= np.sqrt(explained)
            continue
        roots[column, column] = np.sqrt(1.0 - explained)
        below = slice(column + 1, count)
        left = correlations[below, column] - roots[below, :column] @ roots[column, :column]
        roots[below, column] = left / roots[column, column]
    return roots


def _test_selected(
    own: StudentisedEstimate,
    trials: TrialSet,
    influences: Sequence[InfluenceByBar | None],
    counted: Sequence[bool],
    level: float,
) -> SelectionTest:
    from scipy.special import log_ndtr

    every = (trials.own, *trials.others)
    numbers = [number for number, counts in enumerate(counted) if counts]
    correlated = numbers[:MAX_CORRELATED_TRIALS]
    independent = len(numbers) - len(correlated) + trials.elsewhere
    selected, others = draw_best_statistics(
        correlate_influences(
            [influences[number] for number in correlated],
            [every[number].interval for number in correlated],
        )
    )
    single = own.p_value
    by_others = np.count_nonzero((selected < own.statistic) & (others >= own.statistic)) / DRAWS
    by_correlated = min(1.0, single + by_others)
    by_independent = float(-np.expm1(independent * log_ndtr(own.statistic)))
    best = np.sort(np.maximum(selected, others))
    effective = _count_effective(best, level, len(correlated)) + independent
    hurdle = -_NORMAL.inv_cdf(float(-np.expm1(np.log1p(-level) / effective)))
    return SelectionTest(
        statistic=own.statistic,
        p_value=by_correlated + (1.0 - by_correlated) * by_independent,
        single_p_value=single,
        effective_trials=effective,
        expected_maximum=_expect_highest(best, independent) if effective > 1 else 0.0,
        hurdle=hurdle,
        detectable=(hurdle + _NORMAL.inv_cdf(_POWER)) * own.standard_error,
        standard_error=own.standard_error,
        effective_bars=own.effective_bars,
    )


def _count_effective(best: Vector, level: float, trials: int) -> float:
    """Number of independent trials with the same quantile of their best at the level."""
    from scipy.special import log_ndtr

    if trials == 1:
        return 1.0
    quantile = float(np.quantile(best, 1.0 - level))
    return float(np.clip(np.log1p(-level) / log_ndtr(quantile), 1.0, trials))


def _expect_highest(best: Vector, independent: int) -> float:
    """Mean of the highest of all trials, 0 or more; `best` is that of the correlated, sorted."""
    from scipy.special import ndtri

    if independent:
        uniform = np.random.default_rng(_DRAWS_SEED).random(DRAWS)
        best = np.maximum(best, ndtri(uniform ** (1.0 / independent)))
    return max(0.0, float(best.mean()))
