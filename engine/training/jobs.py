"""The fits of a run: the model of every book, for each window and seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.core.randomness import derive_seed
from engine.training.datasets import build_training_set, target_returns, with_horizons
from engine.training.task import FitTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Matrix
    from engine.features import TargetSpec
    from engine.models import Forecaster, TrainingSet, TrainingSpec
    from engine.models.deployment import DeploySpec
    from engine.models.fitted_model import InputTransform
    from engine.splits import WalkForwardWindow
    from engine.training.datasets import FeatureHistory


def make_fit_tasks(  # noqa: PLR0913 - an argument a part of the strategy
    models: Mapping[str, Forecaster],
    history: FeatureHistory,
    windows: Sequence[WalkForwardWindow],
    symbols: Sequence[str],
    *,
    training: TrainingSpec,
    seeds: int,
    seed: int,
    deploy: DeploySpec | None = None,
) -> list[FitTask]:
    """All tasks of a run, windows in time order.

    Every model has the same rows: before the first there is room for the longest lookback. Models
    that are not stochastic are fitted once, not once per seed. The strategy's own model forecasts
    every horizon of the target, the benchmark models only the traded one.

    Args:
        models: Book -> its forecaster.
        history: Features and returns of all bars.
        windows: Windows of the whole run.
        symbols: Symbols of the forecast returns.
        training: Settings for the training of networks.
        seeds: Number of fits of a stochastic model, each with its own seed.
        seed: The strategy's one seed.
        deploy: What is done to the strategy's own models.
    """
    lookback = max(model.lookback for model in models.values())
    target, stamps = history.target, history.features.timestamps
    tasks = []
    for window in windows:
        for symbol in symbols:
            traded = build_training_set(history, symbol, window, lookback)
            own = [
                _with_target_horizons(traded, history, symbol, window, horizons)
                for horizons in _horizons_per_fit(target)
            ]
            spans = {
                name: (stamps[part.start].isoformat(), stamps[part.stop - 1].isoformat())
                for name, part in (("train", window.train), ("validation", window.validation))
            }
            first_test = stamps[window.test.start].isoformat()
            tasks += [
                FitTask(
                    book=book,
                    symbol=symbol,
                    window=window.index,
                    seed_index=seed_index,
                    seed=derive_seed(
                        *(seed, "fit", book, symbol, first_test, seed_index),
                        *_extra_seed_names(training_set, target),
                    ),
                    model=model,
                    training=training,
                    training_set=training_set,
                    horizons=training_set.horizons
                    if book == STRATEGY_BOOK and target.is_multi_horizon
                    else (),
                    transform=transform,
                    spans=spans,
                    realised=_realised_returns(history, symbol, window, transform.horizons),
                    deploy=deploy if book == STRATEGY_BOOK else None,
                )
                for book, model in models.items()
                for training_set, transform in (own if book == STRATEGY_BOOK else [traded])
                for seed_index in range(seeds if model.stochastic else 1)
            ]
    return tasks


def _horizons_per_fit(target: TargetSpec) -> list[tuple[int, ...]]:
    """The horizons of each fit of the strategy's model."""
    if target.strategy == "direct":
        return [(bars,) for bars in target.forecast_horizons]
    return [target.forecast_horizons]


def _with_target_horizons(
    traded: tuple[TrainingSet, InputTransform],
    history: FeatureHistory,
    symbol: str,
    window: WalkForwardWindow,
    horizons: tuple[int, ...],
) -> tuple[TrainingSet, InputTransform]:
    """The arrays for these horizons; those of the traded one are shared with the benchmarks."""
    training_set, transform = traded
    recursive = history.target.strategy == "recursive"
    if horizons == training_set.horizons and not recursive:
        return traded
    return (
        with_horizons(training_set, history, symbol, window, horizons, recursive=recursive),
        replace(transform, horizons=horizons, recursive=recursive),
    )


def _realised_returns(
    history: FeatureHistory, symbol: str, window: WalkForwardWindow, horizons: tuple[int, ...]
) -> Matrix:
    """(n, m) on the validation rows; the purge after them is as long as the longest horizon."""
    rows = slice(window.validation.start, window.validation.stop)
    return target_returns(history, symbol, rows, horizons).reshape(len(window.validation), -1)


def _extra_seed_names(training_set: TrainingSet, target: TargetSpec) -> tuple[str, ...]:
    """Further names of a seed, so that other horizons do not change the traded one's seed."""
    if target.horizon in training_set.horizons:
        return ()
    return (f"horizon {training_set.horizons[0]}",)
