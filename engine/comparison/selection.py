"""Selection bias: the best of several runs, deflated by the number of trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.sharpe_significance import (
    deflated_sharpe,
    expected_maximum_sharpe,
    probabilistic_sharpe,
)
from engine.trials.effective_number import expected_noise_deviation, trial_sharpe_deviation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.comparison.compared_run import ComparedRun
    from engine.core.types import IntVector, Matrix, Vector


@dataclass(frozen=True)
class SelectionBias:
    """The number of trials that the best run was selected from, and its deflated Sharpe ratio.

    Attributes:
        compared: Number of runs compared.
        independent: Effective number of independent trials among them.
        known: Number of distinct strategies in the ledgers on the bars of each target, when these
            runs were made; None where no ledger was known.
        known_independent: Effective number of independent ones among those.
        counted: Number of independent trials used: the larger of the two.
        luckiest: Expected annualised maximum Sharpe ratio of so many trials without skill.
        deflated_sharpe: Deflated Sharpe ratio of the best run; None where it is not defined.
        probabilistic_sharpe: Its probabilistic Sharpe ratio, as if it were the only trial.
    """

    compared: int
    independent: int
    known: int | None
    known_independent: int | None
    counted: int
    luckiest: float
    deflated_sharpe: float | None
    probabilistic_sharpe: float | None


def compute_selection_bias(
    best_returns: Vector,
    returns: Matrix,
    clusters: IntVector,
    runs: Sequence[ComparedRun],
    periods_per_year: float,
) -> SelectionBias:
    """Deflates the Sharpe ratio of the best run by the number of trials.

    Trials are counted in two ways: as clusters of the returns compared, and from the ledgers,
    which also hold runs that are not compared. A ledger counts by target: the counts of different
    targets are added, and for one target the highest count is used. Both are lower bounds, as
    neither includes trials made elsewhere; the larger one is used. The standard deviation of the
    trials' Sharpe ratios is the larger of the observed one and the one expected without skill, as
    in `significance.json`.

    Args:
        best_returns: Net returns of the run with the highest Sharpe ratio, shape (n,); no NaN.
        returns: Net returns of all runs compared, shape (n, k).
        clusters: Cluster of each run.
        runs: The same runs.
        periods_per_year: Annualises `luckiest`.

    Source: Bailey & Lopez de Prado (2014), as in `sharpe_significance`.
    """
    independent = len(np.unique(clusters))
    known, known_independent = (_known_trials(runs, key) for key in ("distinct", "effective"))
    counted = max(independent, known_independent or 0)
    recorded = [_ledger_figure(each, "sharpe_deviation") or 0.0 for each in runs]
    own = (trial_sharpe_deviation(returns, clusters), expected_noise_deviation(returns, clusters))
    deviation = max([*recorded, *(each or 0.0 for each in own)])
    return SelectionBias(
        compared=len(runs),
        independent=independent,
        known=known,
        known_independent=known_independent,
        counted=counted,
        luckiest=expected_maximum_sharpe(counted, deviation) * periods_per_year**0.5,
        deflated_sharpe=deflated_sharpe(best_returns, counted, deviation),
        probabilistic_sharpe=probabilistic_sharpe(best_returns),
    )


def _known_trials(runs: Sequence[ComparedRun], key: str) -> int | None:
    """The sum over targets of the highest count of each."""
    highest: dict[tuple[str, ...], int] = {}
    for each in runs:
        count = _ledger_figure(each, key)
        if count is not None:
            highest[each.targets] = max(highest.get(each.targets, 0), int(count))
    return sum(highest.values()) if highest else None


def _ledger_figure(run: ComparedRun, key: str) -> float | None:
    return getattr(run.ledger_trials, key) if run.ledger_trials else None
