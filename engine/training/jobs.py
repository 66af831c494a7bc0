"""The fits of a run: the model of every book, for each window and seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.core.randomness import derive_seed
from engine.splits.rows import row_index
from engine.training.datasets import (
    build_training_set,
    pool_columns,
    target_returns,
    with_horizons,
)
from engine.training.gaps import hide_gaps
from engine.training.joint import build_joint_set
from engine.training.panel_joint import build_panel_joint_set
from engine.training.pooling import pool_rows, pool_training_sets
from engine.training.task import FitTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Matrix
    from engine.features import TargetSpec
    from engine.models import Forecaster, TrainingSet, TrainingSpec
    from engine.models.deployment import DeploySpec
    from engine.models.fitted_model import InputTransform
    from engine.splits.rows import TrainTestSplit
    from engine.training.feature_history import FeatureHistory
    from engine.training.joint import JointSymbols
    from engine.training.pooling import Pool


def make_fit_tasks(  # noqa: PLR0913 - an argument a part of the strategy
    models: Mapping[str, Forecaster],
    history: FeatureHistory,
    windows: Sequence[TrainTestSplit],
    symbols: Sequence[str],
    *,
    training: TrainingSpec,
    seeds: int,
    seed: int,
    deploy: DeploySpec | None = None,
    pooled: bool = False,
    joint: bool = False,
    without_gaps: bool = False,
) -> list[FitTask]:
    """All tasks of a run, windows in time order.

    Every model has the same rows: before the first there is room for the longest lookback. Of a
    panel a symbol without the rows for a fit of its own has none in that window; a pooled model
    forecasts it, scaled by the train rows of the other symbols. Models
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
        pooled: Fit the strategy's own model once on the rows of all symbols.
        joint: Fit it once on the inputs of all symbols at each bar, to forecast each.
        without_gaps: Leave nothing in the arrays of the strategy's own model that no train or
            validation row reads, of each symbol before they are pooled (`hide_gaps`).
    """
    lookback = max(model.lookback for model in models.values())
    target, stamps = history.target, history.features.timestamps
    tasks = []
    for window in windows:
        by_symbol = {
            symbol: build_training_set(history, symbol, window, lookback)
            for symbol in symbols
            if history.is_fitted(symbol, window)
        }
        own_by_symbol = (
            _join_symbols(history, symbols, window, lookback)
            if joint
            else {
                symbol: [
                    _OwnArrays(
                        *_with_target_horizons(traded, history, symbol, window, horizons),
                        _realised_returns(history, symbol, window, horizons),
                    )
                    for horizons in _horizons_per_fit(target)
                ]
                for symbol, traded in by_symbol.items()
            }
        )
        if without_gaps:
            own_by_symbol = _hide_gaps(own_by_symbol, models[STRATEGY_BOOK].lookback)
        if pooled:
            embedded = getattr(models[STRATEGY_BOOK], "symbol_embedding", 0) > 0
            own_by_symbol = _pool_symbols(
                own_by_symbol, history, window, symbols, embedded=embedded
            )
        for symbol in symbols:
            shared = _shared_arrays(by_symbol, history, symbol, window)
            own = own_by_symbol.get(symbol, []) if pooled or joint or shared else []
            spans = {
                name: (stamps[part[0]].isoformat(), stamps[part[-1]].isoformat())
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
                        *(seed, "fit", book, arrays.seed_name or symbol, first_test, seed_index),
                        *_extra_seed_names(arrays.training_set, target),
                    ),
                    model=model,
                    training=training,
                    training_set=arrays.training_set,
                    horizons=arrays.training_set.horizons
                    if book == STRATEGY_BOOK and target.is_multi_horizon
                    else (),
                    transform=arrays.transform,
                    spans=spans,
                    realised=arrays.realised,
                    deploy=deploy if book == STRATEGY_BOOK else None,
                    pool=arrays.pool,
                )
                for book, model in models.items()
                for arrays in (own if book == STRATEGY_BOOK else shared)
                for seed_index in range(seeds if model.stochastic else 1)
            ]
    return tasks


def require_tasks(tasks: Sequence[FitTask], symbols: Sequence[str]) -> None:
    """Refuses a run without one fit of the strategy.

    Raises:
        UsageError: No symbol of a panel has the rows.
    """
    if any(task.book == STRATEGY_BOOK for task in tasks):
        return
    raise UsageError(
        "no window has a symbol with rows enough to fit a model",
        expected="a symbol with 30 train rows and one validation row in a window; a row needs the "
        "warm-up and the lookback before it, and its return before the next part",
        found=f"none of {', '.join(symbols)}",
        where="windows",
        fix="raise windows.train, shorten features or lookback, or take a longer history",
    )


@dataclass(frozen=True, eq=False)
class _OwnArrays:
    """What one fit of one symbol is made from."""

    training_set: TrainingSet
    transform: InputTransform
    realised: Matrix
    pool: Pool | JointSymbols | None = None

    @property
    def seed_name(self) -> str:
        """Names the seed of a pooled or joint fit, which is of no one symbol."""
        return "" if self.pool is None else "all symbols"


def _hide_gaps(
    by_symbol: Mapping[str, Sequence[_OwnArrays]], lookback: int
) -> dict[str, list[_OwnArrays]]:
    """The same arrays, NaN wherever no row of the symbol has its inputs or label."""
    hidden: dict[int, TrainingSet] = {}  # those of a joint fit are the same object for each symbol

    def hide(own: _OwnArrays) -> _OwnArrays:
        arrays = own.training_set
        if id(arrays) not in hidden:
            hidden[id(arrays)] = hide_gaps(arrays, lookback)
        return replace(own, training_set=hidden[id(arrays)])

    return {symbol: [hide(own) for own in fits] for symbol, fits in by_symbol.items()}


def _join_symbols(
    history: FeatureHistory, symbols: Sequence[str], window: TrainTestSplit, lookback: int
) -> dict[str, list[_OwnArrays]]:
    """The arrays of each joint fit, the same for every symbol that has the rows for it."""
    joint: dict[str, list[_OwnArrays]] = {
        symbol: [] for symbol in symbols if history.fits_alone(symbol, window)
    }
    build = build_joint_set if history.panel is None else build_panel_joint_set
    for horizons in _horizons_per_fit(history.target):
        made = build(history, symbols, window, horizons, lookback)
        if made is None:
            return {}
        arrays, pool, realised = made
        for fits in joint.values():
            fits.append(_OwnArrays(arrays, pool.transform, realised, pool))
    return joint


def _shared_arrays(
    by_symbol: Mapping[str, tuple[TrainingSet, InputTransform]],
    history: FeatureHistory,
    symbol: str,
    window: TrainTestSplit,
) -> list[_OwnArrays]:
    """The arrays of a fit of one symbol for the traded horizon; none where it has too few rows."""
    if not history.fits_alone(symbol, window):
        return []
    traded = by_symbol[symbol]
    realised = _realised_returns(history, symbol, window, traded[1].horizons)
    return [_OwnArrays(*traded, realised)]


def _pool_symbols(
    by_symbol: Mapping[str, Sequence[_OwnArrays]],
    history: FeatureHistory,
    window: TrainTestSplit,
    symbols: Sequence[str],
    *,
    embedded: bool,
) -> dict[str, list[_OwnArrays]]:
    """The arrays of each fit with the rows of all symbols; of a symbol without rows none."""
    if not any(len(own.realised) for fits in by_symbol.values() for own in fits):
        return {}  # nothing is held out by any symbol of a panel
    pooled: dict[str, list[_OwnArrays]] = {symbol: [] for symbol in symbols}
    times = None if history.panel is None else [history.panel.times(s, window) for s in symbols]
    for fits in zip(*by_symbol.values(), strict=True):
        own = dict(zip(by_symbol, fits, strict=True))
        parts = {each: own.get(each) or _no_rows(history, own, each, window) for each in symbols}
        arrays, pool = pool_training_sets(
            [(each, part.training_set, part.transform) for each, part in parts.items()],
            times,
            embedded=embedded,
        )
        realised = pool_rows([part.realised for part in parts.values()], arrays, pool)
        for symbol, transform in zip(parts, pool.transforms, strict=True):
            pooled[symbol].append(_OwnArrays(arrays, transform, realised, pool))
    return pooled


def _no_rows(
    history: FeatureHistory,
    fitted: Mapping[str, _OwnArrays],
    symbol: str,
    window: TrainTestSplit,
) -> _OwnArrays:
    """The part of a symbol that has no rows, scaled by the train rows of those that have."""
    example = next(iter(fitted.values()))
    columns = pool_columns(history, symbol, tuple(fitted), window)
    empty = {
        name: getattr(example.training_set, name)[:0]
        for name in ("inputs", "trailing", "target", "train", "validation")
    }
    return _OwnArrays(
        replace(example.training_set, **empty),
        replace(example.transform, symbol=symbol, columns=columns),
        example.realised[:0],
    )


def _horizons_per_fit(target: TargetSpec) -> list[tuple[int, ...]]:
    """The horizons of each fit of the strategy's model."""
    if target.strategy == "direct":
        return [(bars,) for bars in target.forecast_horizons]
    return [target.forecast_horizons]


def _with_target_horizons(
    traded: tuple[TrainingSet, InputTransform],
    history: FeatureHistory,
    symbol: str,
    window: TrainTestSplit,
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
    history: FeatureHistory, symbol: str, window: TrainTestSplit, horizons: tuple[int, ...]
) -> Matrix:
    """(n, m) on the validation rows; the purge after them is as long as the longest horizon."""
    held_out = history.own_split(symbol, window).validation
    rows = row_index(held_out)
    returns = target_returns(history.seen_in(symbol, window), symbol, rows, horizons)
    return returns.reshape(len(held_out), len(horizons))


def _extra_seed_names(training_set: TrainingSet, target: TargetSpec) -> tuple[str, ...]:
    """Further names of a seed, so that other horizons do not change the traded one's seed."""
    if target.horizon in training_set.horizons:
        return ()
    return (f"horizon {training_set.horizons[0]}",)
