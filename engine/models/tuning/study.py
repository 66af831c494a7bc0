"""The tuning study of one fit: trials scored by purged cross-validation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.errors import StrategyError, TrainingError
from engine.core.hashing import canonical_json
from engine.core.randomness import derive_seed
from engine.models.tuning.metrics import (
    METRICS,
    OptimizationDirection,
    TuningMetric,
    compute_score,
)
from engine.models.tuning.search_space import apply_params

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from optuna import Study

    from engine.models.dataset import TrainingSet
    from engine.models.forecaster import Forecaster
    from engine.models.training.config import TrainingSpec
    from engine.models.tuning.config import OptunaTrial, TuningSpec, TuningSplit

STARTUP_TRIALS = 5
"""Trials before the pruner stops one."""


def find_best_params(
    model: Forecaster,
    training: TrainingSpec,
    tune: TuningSpec,
    training_set: TrainingSet,
    seed: int,
) -> dict[str, Any]:
    """The parameters of the trial with the best mean score; the earlier of two equal ones.

    A trial that fails, or whose score is not a number, counts as tried and is never the best.

    Args:
        model: Model with the values that are not tuned.
        training: Training with the values that are not tuned.
        tune: Settings of the study.
        training_set: A window's; nothing after its last train row is read.
        seed: Seed of every random draw.

    Returns:
        Dotted path in the strategy -> value.

    Raises:
        TrainingError: Every trial failed.
        UsageError: A split would be empty.
    """
    from optuna.trial import TrialState

    direction = METRICS[tune.metric][1]
    study = _create_study(tune, direction, derive_seed(seed, "sampler") % 2**32)
    splits = tune.split_rows(len(training_set.train), max(training_set.horizons))
    validator = _CrossValidator(
        model, training, tune.metric, splits, _truncate_after_train(training_set), seed
    )
    completed: list[tuple[float, dict[str, Any]]] = []
    failure: Exception | None = None
    for _ in range(tune.trials):
        trial = study.ask()
        values = tune.suggest(trial)
        try:
            value = _score_trial(trial, validator.split_scores(values), last_split=len(splits) - 1)
        except (TrainingError, StrategyError) as error:
            failure, value = error, None
        if value is None:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, value)
            completed.append((value, values))
    if not completed:
        raise _all_trials_failed(tune, failure)
    best = min if direction == "minimize" else max
    return best(completed, key=lambda trial: trial[0])[1]


def _create_study(tune: TuningSpec, direction: OptimizationDirection, seed: int) -> Study:
    """An in-memory study, without the line that Optuna logs for each new one."""
    import optuna

    samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
    median = optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS)
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


def _score_trial(trial: OptunaTrial, scores: Iterator[float], last_split: int) -> float | None:
    """The mean over the splits; None where the trial is pruned before the last."""
    scores_so_far: list[float] = []
    for split, value in enumerate(scores):
        scores_so_far.append(value)
        trial.report(fmean(scores_so_far), split)
        if split < last_split and trial.should_prune():
            return None
    return fmean(scores_so_far)


def _truncate_after_train(training_set: TrainingSet) -> TrainingSet:
    """The arrays up to the last train row, so that no trial can see later rows.

    The label of that row is known before the first validation row, because of the purge. Of
    recursive forecasts the inputs of the next bar are part of that label.
    """
    stop = int(training_set.train[-1]) + 1
    rows = slice(0, stop + training_set.recursive)
    target = training_set.target[rows].copy()
    target[stop:] = np.nan
    return replace(
        training_set,
        inputs=training_set.inputs[rows],
        target=target,
        trailing=training_set.trailing[rows],
        coarse=tuple(
            replace(
                branch,
                inputs=branch.inputs[: branch.latest[rows].max() + 1],
                latest=branch.latest[rows],
            )
            for branch in training_set.coarse
        ),
    )


@dataclass
class _CrossValidator:
    """Scores configurations split by split, and caches the scores."""

    model: Forecaster
    training: TrainingSpec
    metric: TuningMetric
    splits: tuple[TuningSplit, ...]
    training_set: TrainingSet
    seed: int
    cached_scores: dict[tuple[str, int], float] = field(default_factory=dict)

    def split_scores(self, params: Mapping[str, Any]) -> Iterator[float]:
        """Yields one score for each split, lazily.

        Raises:
            TrainingError: The fit on a split failed, or its score is not a number.
            StrategyError: The values conflict.
        """
        config = apply_params(self.model, self.training, params)
        name = canonical_json(dict(params))
        for index, parts in enumerate(self.splits):
            if (name, index) not in self.cached_scores:
                fit, held_out, test = (self.training_set.train[part] for part in parts)
                # One seed per split, the same for every trial: configurations get the same random
                # draws.
                fitted = config.model.fit(
                    replace(self.training_set, train=fit, validation=held_out),
                    config.training,
                    derive_seed(self.seed, "split", index),
                )
                predicted = fitted.predict(self.training_set, test).returns
                self.cached_scores[name, index] = compute_score(
                    self.metric, self.training_set, test, predicted
                )
            yield _require_finite_score(self.cached_scores[name, index], self.metric)


def _require_finite_score(value: float, metric: str) -> float:
    if not np.isfinite(value):
        raise TrainingError(f"the {metric} on a split's test rows is not a number")
    return value


def _all_trials_failed(tune: TuningSpec, failure: Exception | None) -> TrainingError:
    return TrainingError(
        "no configuration gave a usable forecaster on the train rows",
        expected=f"at least one of {tune.trials} trials",
        found=f"the last failed: {failure}",
        where="tune",
        fix="narrow tune.space to values that train, or raise tune.trials",
    )
