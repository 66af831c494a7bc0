"""Forecasts of many fits to one out-of-sample table a book."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.errors import RefitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.models import Forecast
    from engine.refit.problems import History
    from engine.refit.task import Task
    from engine.types import Rows, Vector, WideFrame
    from engine.windows.walk_forward import Window


@dataclass(frozen=True)
class Predictions:
    """One book's forecasts, out of sample from the first test bar to the last.

    Attributes:
        table: timestamp, symbol, window, seed (from 0), horizon, predicted, actual; simple
            returns; `actual` is NaN where it is not known yet. A fit that was left out has no row.
        predicted: Wide: mean over the seeds; NaN in a window of which no fit is left.
        window: (n,) window of each row of `predicted`.
        train: Window -> symbol -> mean over the seeds of the predictions on its train rows;
            without the windows of which no fit is left.
        fits: Window -> how each of its fits went.
    """

    table: pd.DataFrame
    predicted: WideFrame
    window: Rows
    train: Mapping[int, Mapping[str, Vector]]
    fits: Mapping[int, list[dict[str, Any]]]


def stitch(
    history: History,
    windows: Sequence[Window],
    tasks: Sequence[Task],
    outcomes: Sequence[Forecast | RefitError],
) -> Predictions:
    """Puts the test parts of all windows one behind the other.

    Args:
        history: For timestamps and what really happened.
        windows: Their test parts tile the out-of-sample span.
        tasks: Of one book, windows in their order.
        outcomes: A forecast a task, or why there is none.
    """
    span = history.features.timestamps[windows[0].test.start : windows[-1].test.stop]
    of_window = np.concatenate([np.full(len(w.test), w.index) for w in windows])
    members: dict[tuple[str, int], list[Vector]] = defaultdict(list)
    train: dict[int, dict[str, list[Vector]]] = defaultdict(lambda: defaultdict(list))
    fits: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for task, outcome in zip(tasks, outcomes, strict=True):
        fits[task.window].append(_told(task, outcome))
        if isinstance(outcome, RefitError):
            members[task.symbol, task.member].append(np.full(len(task.problem.test), np.nan))
        else:
            members[task.symbol, task.member].append(outcome.test)
            train[task.window][task.symbol].append(outcome.train)
    series = {who: np.concatenate(parts) for who, parts in members.items()}
    symbols = list(dict.fromkeys(symbol for symbol, _ in series))
    predicted = {
        symbol: _mean([values for (of, _), values in series.items() if of == symbol])
        for symbol in symbols
    }
    return Predictions(
        table=_table(history, span, of_window, series),
        predicted=pd.DataFrame(predicted, index=span),
        window=of_window,
        train={
            window: {symbol: np.mean(parts, axis=0) for symbol, parts in by_symbol.items()}
            for window, by_symbol in train.items()
        },
        fits=dict(fits),
    )


def _mean(members: Sequence[Vector]) -> Vector:
    """Over the members that are there, NaN where none is; the plain mean where all are."""
    there = np.isfinite(members)
    count = there.sum(axis=0)
    total = np.sum(np.where(there, members, 0.0), axis=0)
    mean: Vector = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return mean


def _table(
    history: History,
    span: pd.DatetimeIndex,
    of_window: Rows,
    series: Mapping[tuple[str, int], Vector],
) -> pd.DataFrame:
    blocks = [
        pd.DataFrame(
            {
                "timestamp": span,
                "symbol": symbol,
                "window": of_window,
                "seed": member,
                "horizon": history.horizon,
                "predicted": values,
                "actual": history.ahead[symbol].reindex(span).to_numpy(),
            }
        )
        for (symbol, member), values in series.items()
    ]
    table = pd.concat(blocks, ignore_index=True)
    return table[table["predicted"].notna()].reset_index(drop=True)


def _told(task: Task, outcome: Forecast | RefitError) -> dict[str, Any]:
    if isinstance(outcome, RefitError):
        return {"symbol": task.symbol, "seed": task.member, "failed": outcome.problem}
    history = outcome.history
    tuned = {"trials": history.trials, "chosen": dict(history.chosen)} if history.trials else {}
    return tuned | {
        "symbol": task.symbol,
        "seed": task.member,
        "attempts": history.attempts,
        "epochs": len(history.train_loss),
        "best_epoch": history.best_epoch,
        "train_loss": list(history.train_loss),
        "validation_loss": list(history.validation_loss),
    }
