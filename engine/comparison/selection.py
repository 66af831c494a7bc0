"""The best of several runs, judged as the best of all that were tried."""

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
    """How many trials the best run was chosen from, and what is left of it.

    Attributes:
        compared: Runs that are compared.
        independent: Independent trials that these amount to.
        known: Distinct strategies that the ledgers knew of, when these runs were made, on the
            bars of each target; None where no run knows.
        known_independent: Independent ones that those amount to.
        counted: Independent trials that the best is deflated by: the larger of the two.
        luckiest: Sharpe ratio a year to expect of the best of so many without any skill.
        deflated_sharpe: Probability that the true Sharpe ratio of the best is above what luck
            makes of so many; None where it has none.
        probabilistic_sharpe: The same as if it were the only one.
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
    """Deflates the best run by all that were tried.

    Trials are counted twice: as clusters of the returns that are compared, and by the ledgers,
    which know those that are not compared too. A ledger counts by target, so that the counts of
    runs on different targets add up, and of runs on one target the highest stands. Both counts are
    lower bounds, as what was tried elsewhere neither knows; the larger one is taken. The trials'
    Sharpe ratios are taken to spread as far as was seen, or as far as trials without any skill
    would, as in a run's own significance page.

    Args:
        best_returns: Net returns of the run with the highest Sharpe ratio, shape (n,); no NaN.
        returns: Of all runs that are compared, shape (n, k).
        clusters: The cluster of each.
        runs: The same runs.
        periods_per_year: Annualises `luckiest`.

    Source: Bailey & Lopez de Prado (2014), as in `track_record`.
    """
    independent = len(np.unique(clusters))
    known, known_independent = (_known_trials(runs, key) for key in ("distinct", "effective"))
    counted = max(independent, known_independent or 0)
    seen = [_ledger_figure(each, "sharpe_deviation") or 0.0 for each in runs]
    own = (trial_sharpe_deviation(returns, clusters), expected_noise_deviation(returns, clusters))
    spread = max([*seen, *(each or 0.0 for each in own)])
    return SelectionBias(
        compared=len(runs),
        independent=independent,
        known=known,
        known_independent=known_independent,
        counted=counted,
        luckiest=expected_maximum_sharpe(counted, spread) * periods_per_year**0.5,
        deflated_sharpe=deflated_sharpe(best_returns, counted, spread),
        probabilistic_sharpe=probabilistic_sharpe(best_returns),
    )


def _known_trials(runs: Sequence[ComparedRun], key: str) -> int | None:
    """The highest count of each target, added up."""
    highest: dict[tuple[str, ...], int] = {}
    for each in runs:
        told = _ledger_figure(each, key)
        if told is not None:
            highest[each.targets] = max(highest.get(each.targets, 0), int(told))
    return sum(highest.values()) if highest else None


def _ledger_figure(run: ComparedRun, key: str) -> float | None:
    return getattr(run.ledger_trials, key) if run.ledger_trials else None
