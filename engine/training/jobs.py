"""The fits of a run: the model of every book, for each window and seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.core.randomness import derive_seed
from engine.training.datasets import build_dataset, with_horizons
from engine.training.task import FitTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.features import TargetSpec
    from engine.models import Forecaster, TrainingSpec, WindowDataset
    from engine.splits import WalkForwardWindow
    from engine.training.datasets import FeatureHistory


def make_fit_tasks(
    models: Mapping[str, Forecaster],
    history: FeatureHistory,
    windows: Sequence[WalkForwardWindow],
    symbols: Sequence[str],
    *,
    training: TrainingSpec,
    seeds: int,
    seed: int,
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
    """
    lookback = max(model.lookback for model in models.values())
    target = history.target
    tasks = []
    for window in windows:
        for symbol in symbols:
            traded = build_dataset(history, symbol, window, lookback)
            own = [
                _dataset_for_horizons(traded, history, symbol, window, horizons)
                for horizons in _horizons_per_fit(target)
            ]
            first_test = history.features.timestamps[window.test.start].isoformat()
            tasks += [
                FitTask(
                    book=book,
                    symbol=symbol,
                    window=window.index,
                    seed_index=seed_index,
                    seed=derive_seed(
                        *(seed, "fit", book, symbol, first_test, seed_index),
                        *_extra_seed_names(dataset, target),
                    ),
                    model=model,
                    training=training,
                    dataset=dataset,
                    horizons=dataset.horizons
                    if book == STRATEGY_BOOK and target.is_multi_horizon
                    else (),
                )
                for book, model in models.items()
                for dataset in (own if book == STRATEGY_BOOK else [traded])
                for seed_index in range(seeds if model.stochastic else 1)
            ]
    return tasks


def _horizons_per_fit(target: TargetSpec) -> list[tuple[int, ...]]:
    """The horizons of each fit of the strategy's model."""
    if target.strategy == "direct":
        return [(bars,) for bars in target.forecast_horizons]
    return [target.forecast_horizons]


def _dataset_for_horizons(
    traded: WindowDataset,
    history: FeatureHistory,
    symbol: str,
    window: WalkForwardWindow,
    horizons: tuple[int, ...],
) -> WindowDataset:
    """The dataset for these horizons; that of the traded one is shared with the benchmarks."""
    recursive = history.target.strategy == "recursive"
    if horizons == traded.horizons and not recursive:
        return traded
    return with_horizons(traded, history, symbol, window, horizons, recursive=recursive)


def _extra_seed_names(dataset: WindowDataset, target: TargetSpec) -> tuple[str, ...]:
    """Further names of a seed, so that other horizons do not change the traded one's seed."""
    if target.horizon in dataset.horizons:
        return ()
    return (f"horizon {dataset.horizons[0]}",)
