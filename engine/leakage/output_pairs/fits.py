"""Pairs of training sets, window by window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import LookaheadError
from engine.leakage.comparison import FIXES, BarRows, OutputPair
from engine.training.datasets import stop_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.models import TrainingSet
    from engine.pipeline.prepared_data import PreparedData
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.training.task import FitTask
from engine.leakage.output_pairs.frames import format_bars


def pair_tasks(
    originals: Sequence[FitTask],
    perturbed: Sequence[FitTask],
    window: WalkForwardWindow,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """The training sets of all tasks of one window, each once."""
    require_same_fits(originals, perturbed, window.index)
    seen = set()
    for task, other in zip(originals, perturbed, strict=True):
        if id(task.training_set) not in seen:
            seen.add(id(task.training_set))
            yield from pair_task_arrays(task, other, window, prepared)


def require_same_fits(
    originals: Sequence[FitTask],
    perturbed: Sequence[FitTask],
    window: int | str,
) -> None:
    """Refuses other fits of a window: of other symbols, or of another number.

    Raises:
        LookaheadError: Which symbols of a panel are fitted depends on later bars.
    """
    one, two = (
        {(task.book, task.symbol, task.seed_index) for task in tasks}
        for tasks in (originals, perturbed)
    )
    if one != two or len(originals) != len(perturbed):
        book, symbol, _ = min(one ^ two, default=("", "", 0))
        raise LookaheadError(
            f"Look-ahead: whether {symbol} is fitted in window {window} depends on what comes "
            "after its train and validation rows",
            expected="the same fits, whatever comes later",
            found=f"{len(originals)} fits from the real bars, {len(perturbed)} from others",
            where=f"training arrays: {book} {symbol} in window {window}",
            fix=FIXES["training arrays"],
        )


def pair_task_arrays(
    original: FitTask,
    perturbed: FitTask,
    window: WalkForwardWindow,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """One window's training set, which is known before its first test bar.

    Equal arrays, with the same model and seed, are the same key and so the same fit.
    """
    for (symbol, one), (_, two) in zip(_by_symbol(original), _by_symbol(perturbed), strict=True):
        yield from _pair_arrays(symbol, one, two, window, prepared)


def _by_symbol(task: FitTask) -> Iterator[tuple[str, TrainingSet]]:
    if task.pool is None:
        yield task.symbol, task.training_set
    else:
        yield from task.pool.split(task.training_set)


def _pair_arrays(
    symbol: str,
    one: TrainingSet,
    two: TrainingSet,
    window: WalkForwardWindow,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """The arrays of one symbol, or of all symbols of a joint fit."""
    history = prepared.feature_history
    if history.panel is not None:
        yield _pair_counts(symbol, one, two, window, prepared)
        if not len(one.train):
            return
    split = window if one.symbols else history.own_split(symbol, window)
    if not one.symbols:
        history = history.seen_by(symbol)
    first = stop_of(split) + one.recursive - len(one.inputs)
    stamps = history.features.timestamps
    bars = BarRows(stamps, range(first, first + len(one.inputs)))
    where = f" in window {window.index}"
    names = tuple(name + where for name in history.features.names)
    yield OutputPair("scaled inputs", names, bars, one.inputs, two.inputs)
    for fine, own, other in zip(history.coarse, one.coarse, two.coarse, strict=True):
        names = tuple(name + where for name in fine.features.names)
        when = first + own.latest.searchsorted(np.arange(len(own.inputs)))
        coarse_bars = BarRows(stamps, when)
        yield OutputPair("scaled inputs", names, coarse_bars, own.inputs, other.inputs)
        name = f"{fine.interval} bars known{where}"
        yield OutputPair("training arrays", (name,), bars, own.latest, other.latest)
    names = tuple(
        f"{each}: return over the next {format_bars(bars)}{where}"
        for each in one.symbols or (symbol,)
        for bars in one.horizons
    )
    yield OutputPair("labels", names, bars, one.target, two.target)
    name = f"{symbol}: trailing return{where}"
    yield OutputPair("training arrays", (name,), bars, one.trailing, two.trailing)
    for part in ("train", "validation"):
        rows = getattr(one, part)
        chosen = BarRows(stamps, first + rows)
        yield OutputPair("training arrays", (part + where,), chosen, rows, getattr(two, part))


def _pair_counts(
    symbol: str,
    one: TrainingSet,
    two: TrainingSet,
    window: WalkForwardWindow,
    prepared: PreparedData,
) -> OutputPair:
    """How many rows a symbol of a panel has in the arrays of a window."""
    parts = ("train", "validation", "inputs")
    real, other = (np.array([[len(getattr(each, part)) for part in parts]]) for each in (one, two))
    return OutputPair(
        "training arrays",
        tuple(f"{symbol}: number of {part} rows in window {window.index}" for part in parts),
        BarRows(prepared.feature_history.features.timestamps, [window.test.start - 1]),
        real,
        other,
    )
