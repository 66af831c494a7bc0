"""Selection bias: the best of several runs, against the best of all trials without skill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.comparison.common_bars import rates_on_common_bars
from engine.evaluation.inference.selection import (
    run_lead_selection_test,
    run_sharpe_selection_test,
)
from engine.evaluation.inference.sharpe_significance import (
    deflated_sharpe,
    expected_maximum_sharpe,
    probabilistic_sharpe,
)
from engine.evaluation.inference.trial_correlations import as_vector
from engine.evaluation.inference.trial_set import Trial, TrialSet
from engine.evaluation.verdict import significance_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from engine.comparison.compared_run import ComparedRun


@dataclass(frozen=True)
class SelectionBias:
    """The trials that the best run was selected from, and its tests with all of them counted.

    Attributes:
        compared: Number of runs compared.
        independent: Independent trials that the runs amount to.
        known: Number of looks in the ledger, the most that one of the runs counted; None where no
            ledger was known.
        known_independent: Independent trials that those and the declared tries amount to.
        declared: Number of tries elsewhere that the runs declare.
        counted: Number of independent trials used: the larger of the two.
        luckiest: Expected annualised maximum Sharpe ratio of so many trials without skill.
        p_value: Probability that the best of them reaches the best run's Sharpe ratio without
            skill; None where it is not defined.
        lead_p_value: The same of its lead over buy-and-hold.
        deflated_sharpe: Deflated Sharpe ratio of the best run (2014); None where not defined.
        probabilistic_sharpe: Its probabilistic Sharpe ratio, as if it were the only trial.
    """

    compared: int
    independent: float
    known: int | None
    known_independent: float | None
    declared: int
    counted: float
    luckiest: float
    p_value: float | None
    lead_p_value: float | None
    deflated_sharpe: float | None
    probabilistic_sharpe: float | None


def compute_selection_bias(
    best: str, table: pd.DataFrame, runs: Sequence[ComparedRun], confidence: float
) -> SelectionBias:
    """Tests the best run with every compared run and every look of the ledger counted.

    The runs compared count with the correlations of their returns on the common bars. A ledger
    holds looks that are not compared: where they amount to more independent trials than the runs,
    the rest count as independent ones. Both are lower bounds, as neither includes trials made
    elsewhere that were not declared.

    Args:
        best: Run id of the run with the highest Sharpe ratio, or of another one to be judged.
        table: Net returns on the common bars, a column a run; no NaN.
        runs: The same runs.
        confidence: Level of the comparison.
    """
    level = significance_level(confidence)
    compared = _make_trial_set(best, table, runs, elsewhere=0)
    alone = run_sharpe_selection_test(compared, level)
    independent = alone.effective_trials if alone else 1.0
    known = [each.ledger_trials for each in runs if each.ledger_trials]
    known_independent = max((float(each.effective or 1) for each in known), default=None)
    missing = round(max(0.0, (known_independent or 0.0) - independent))
    trials = _make_trial_set(best, table, runs, elsewhere=missing)
    sharpe_test = run_sharpe_selection_test(trials, level)
    lead_test = run_lead_selection_test(trials, level)
    number, deviation = (1.0, 0.0)
    if sharpe_test:
        number, deviation = sharpe_test.effective_trials, sharpe_test.standard_error
    returns = as_vector(trials.own.returns)
    return SelectionBias(
        compared=len(runs),
        independent=independent,
        known=max((each.distinct for each in known), default=None),
        known_independent=known_independent,
        declared=max((each.elsewhere for each in known), default=0),
        counted=max(independent, known_independent or 0.0),
        luckiest=expected_maximum_sharpe(number, deviation) * runs[0].periods_per_year ** 0.5,
        p_value=sharpe_test.p_value if sharpe_test else None,
        lead_p_value=lead_test.p_value if lead_test else None,
        deflated_sharpe=deflated_sharpe(returns, number, deviation),
        probabilistic_sharpe=probabilistic_sharpe(returns),
    )


def _make_trial_set(
    best: str, table: pd.DataFrame, runs: Sequence[ComparedRun], elsewhere: int
) -> TrialSet:
    """The runs on the common bars, above the risk-free rate of the first."""
    rates, trials = rates_on_common_bars(runs[0], table), {}
    excess = rates.excess(table)
    for number, run in enumerate(sorted(runs, key=lambda run: run.run_id), start=1):
        holding = None
        if run.benchmark is not None:
            held = run.benchmark.reindex(table.index)
            holding = None if held.isna().any() else rates.excess(held.to_frame()).iloc[:, 0]
        trials[run.run_id] = Trial(number, run.interval, excess[run.run_id], holding)
    own = trials.pop(best)
    return TrialSet(own=own, others=tuple(trials.values()), elsewhere=elsewhere)
