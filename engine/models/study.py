"""The trials of one fit: which configuration does best on rows it was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.artifacts import canonical_json, seed_of
from engine.errors import RefitError, StrategyError
from engine.models.configurations import configured
from engine.models.scores import METRICS, Direction, Metric, score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from optuna import Study

    from engine.models.forecaster import Forecaster, Problem
    from engine.models.training_spec import Training
    from engine.models.tune_spec import Parts, Trial, Tune

FREE_TRIALS = 5
"""Trials before the pruner gives one up."""


def best_values(
    model: Forecaster, training: Training, tune: Tune, problem: Problem, seed: int
) -> dict[str, Any]:
    """The values of the trial with the best mean score; the earlier of two equals.

    A trial that fails counts as tried and as bad; so does one whose score is not a number.

    Args:
        model: With the values that are not tuned.
        training: With the values that are not tuned.
        tune: The study.
        problem: A window, of which nothing behind the last train row is read.
        seed: Decides what is drawn.

    Returns:
        Place in the strategy -> value.

    Raises:
        RefitError: Every trial failed.
        UsageError: A split would be empty.
    """
    from optuna.trial import TrialState

    direction = METRICS[tune.metric][1]
    study = _silent_study(tune, direction, seed_of(seed, "sampler") % 2**32)
    splits = tune.cut(len(problem.train), max(problem.horizons))
    jury = _Jury(model, training, tune.metric, splits, _train_alone(problem), seed)
    found: list[tuple[float, dict[str, Any]]] = []
    failure: Exception | None = None
    for _ in range(tune.trials):
        trial = study.ask()
        values = tune.draw(trial)
        try:
            value = _judged(trial, jury.scores(values), last=len(splits) - 1)
        except (RefitError, StrategyError) as error:
            failure, value = error, None
        if value is None:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, value)
            found.append((value, values))
    if not found:
        raise _all_failed(tune, failure)
    best = min if direction == "minimize" else max
    return best(found, key=lambda trial: trial[0])[1]


def _silent_study(tune: Tune, direction: Direction, seed: int) -> Study:
    """In memory, and without the line that Optuna logs for each new one."""
    import optuna

    samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
    median = optuna.pruners.MedianPruner(n_startup_trials=FREE_TRIALS)
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return optuna.create_study(
            sampler=samplers[tune.sampler](seed=seed),
            pruner=median if tune.pruner else optuna.pruners.NopPruner(),
            direction=direction,
        )
    finally:
        optuna.logging.set_verbosity(before)


def _judged(trial: Trial, scores: Iterator[float], last: int) -> float | None:
    """The mean over the splits; None where the trial is given up before the last."""
    seen: list[float] = []
    for split, value in enumerate(scores):
        seen.append(value)
        trial.report(fmean(seen), split)
        if split < last and trial.should_prune():
            return None
    return fmean(seen)


def _train_alone(problem: Problem) -> Problem:
    """The problem up to its last train row, so that no trial can know more.

    The label of that row is known before the first validation row: the purge lies between. Where
    the problem is recursive the inputs of the bar behind it are part of that label.
    """
    stop = int(problem.train[-1]) + 1
    rows = slice(0, stop + problem.recursive)
    target = problem.target[rows].copy()
    target[stop:] = np.nan
    return replace(
        problem,
        inputs=problem.inputs[rows],
        target=target,
        trailing=problem.trailing[rows],
        coarse=tuple(
            replace(
                branch,
                inputs=branch.inputs[: branch.latest[rows].max() + 1],
                latest=branch.latest[rows],
            )
            for branch in problem.coarse
        ),
    )


@dataclass
class _Jury:
    """Scores configurations, split by split; what was scored once is not fitted again."""

    model: Forecaster
    training: Training
    metric: Metric
    splits: tuple[Parts, ...]
    problem: Problem
    seed: int
    known: dict[tuple[str, int], float] = field(default_factory=dict)

    def scores(self, values: Mapping[str, Any]) -> Iterator[float]:
        """Lazily, one a split.

        Raises:
            RefitError: The fit on a split failed, or its score is not a number.
            StrategyError: The values do not go together.
        """
        made = configured(self.model, self.training, values)
        name = canonical_json(dict(values))
        for place, parts in enumerate(self.splits):
            if (name, place) not in self.known:
                fit, held_out, test = (self.problem.train[part] for part in parts)
                rows = replace(self.problem, train=fit, validation=held_out, test=test)
                # One seed a split, whatever the trial: configurations meet the same luck.
                forecast = made.model.forecast(
                    rows, made.training, seed_of(self.seed, "split", place)
                )
                self.known[name, place] = score(self.metric, rows, test, forecast.test)
            yield _finite(self.known[name, place], self.metric)


def _finite(value: float, metric: str) -> float:
    if not np.isfinite(value):
        raise RefitError(f"the {metric} on a split's test rows is not a number")
    return value


def _all_failed(tune: Tune, failure: Exception | None) -> RefitError:
    return RefitError(
        "no configuration gave a usable forecaster on the train rows",
        expected=f"at least one of {tune.trials} trials",
        found=f"the last failed: {failure}",
        where="tune",
        fix="narrow tune.space to values that train, or raise tune.trials",
    )
