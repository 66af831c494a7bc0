"""Forecasts of many fits to one out-of-sample table a book."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from engine.errors import RefitError
from engine.models.losses import levels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from engine.models import Forecast
    from engine.refit.problems import History
    from engine.refit.task import Task
    from engine.types import Matrix, Rows, Vector, WideFrame
    from engine.windows.walk_forward import Window

_Series: TypeAlias = tuple[str, int, int]
"""Symbol, horizon and seed of a run of forecasts."""

_Fit: TypeAlias = "tuple[Task, Forecast]"


@dataclass(frozen=True)
class Outlook:
    """One book's forecasts over one horizon, out of sample, mean over the seeds.

    Attributes:
        predicted: Wide: simple returns; NaN in a window of which no fit is left.
        quantiles: Level -> wide, ascending; empty where the forecaster gives none.
    """

    predicted: WideFrame
    quantiles: Mapping[float, WideFrame]


@dataclass(frozen=True)
class Predictions:
    """One book's forecasts, out of sample from the first test bar to the last.

    Attributes:
        table: timestamp, symbol, window, seed (from 0), horizon, predicted, actual, and a column
            such as `q10` a quantile; simple returns; `actual` is NaN where it is not known yet.
            A fit that was left out has no row.
        horizon: The one that is traded, in bars.
        outlooks: Horizon -> what was forecast over it, ascending.
        window: (n,) window of each row of `predicted`.
        train: Window -> symbol -> mean over the seeds of the predictions on its train rows, over
            the traded horizon; without the windows of which no fit is left.
        residuals: Window -> symbol -> what came on its validation rows, less the mean over the
            seeds of what was predicted there; the same horizon and windows.
        fits: Window -> how each of its fits went.
    """

    table: pd.DataFrame
    horizon: int
    outlooks: Mapping[int, Outlook]
    window: Rows
    train: Mapping[int, Mapping[str, Vector]]
    residuals: Mapping[int, Mapping[str, Vector]]
    fits: Mapping[int, list[dict[str, Any]]]

    @property
    def predicted(self) -> WideFrame:
        """Wide: mean over the seeds, over the traded horizon."""
        return self.outlooks[self.horizon].predicted

    @property
    def quantiles(self) -> Mapping[float, WideFrame]:
        """Level -> wide: the quantiles of the same."""
        return self.outlooks[self.horizon].quantiles


def stitch(
    history: History,
    windows: Sequence[Window],
    tasks: Sequence[Task],
    outcomes: Sequence[Forecast | RefitError],
    keys: Sequence[str | None] = (),
) -> Predictions:
    """Puts the test parts of all windows one behind the other.

    Args:
        history: For timestamps and what really happened.
        windows: Their test parts tile the out-of-sample span.
        tasks: Of one book, windows in their order.
        outcomes: A forecast a task, or why there is none.
        keys: Of each task in the store, None where it is not kept there; none given, none told.
    """
    span = history.features.timestamps[windows[0].test.start : windows[-1].test.stop]
    of_window = np.concatenate([np.full(len(w.test), w.index) for w in windows])
    pairs = list(zip(tasks, outcomes, strict=True))
    fitted = [(task, made) for task, made in pairs if not isinstance(made, RefitError)]
    levels = _levels(fitted)
    series = _series(pairs, len(levels))
    fits: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (task, outcome), key in zip(pairs, keys or [None] * len(pairs), strict=True):
        fits[task.window].append(_told(task, outcome, key))
    traded = history.target.horizon
    return Predictions(
        table=_table(history, span, of_window, series, levels),
        horizon=traded,
        outlooks={
            horizon: _outlook(
                {who: values for who, values in series.items() if who[1] == horizon}, span, levels
            )
            for horizon in sorted({horizon for _, horizon, _ in series})
        },
        window=of_window,
        train=_by_window(fitted, traded, "train"),
        residuals=_residuals(history, windows, _by_window(fitted, traded, "validation")),
        fits=dict(fits),
    )


def quantile_column(level: float) -> str:
    """Its name in the table: `q10` for 0.1, `q2.5` for 0.025."""
    return f"q{100 * level:g}"


def _levels(fitted: Sequence[_Fit]) -> tuple[float, ...]:
    """Of the quantiles that were forecast: those of the loss; () where the model gives none."""
    for task, forecast in fitted:
        if forecast.quantiles is not None:
            return levels_of(task.training.loss)
    return ()


def _series(
    pairs: Sequence[tuple[Task, Forecast | RefitError]], quantiles: int
) -> dict[_Series, Matrix]:
    """(n, 1 + q) forecast and quantiles, window after window; NaN where a fit was left out."""
    parts: dict[_Series, list[Matrix]] = defaultdict(list)
    for task, outcome in pairs:
        for horizon, part in _by_horizon(task, outcome, quantiles):
            parts[task.symbol, horizon, task.member].append(part)
    symbols = list(dict.fromkeys(symbol for symbol, _, _ in parts))
    order = sorted(parts, key=lambda who: (symbols.index(who[0]), *who[1:]))
    return {who: np.concatenate(parts[who]) for who in order}


def _by_horizon(
    task: Task, outcome: Forecast | RefitError, quantiles: int
) -> Iterator[tuple[int, Matrix]]:
    """Each horizon of one fit with (n, 1 + q) of its test rows."""
    rows, horizons = len(task.problem.test), task.problem.horizons
    whole = np.full((rows, len(horizons), 1 + quantiles), np.nan)
    if not isinstance(outcome, RefitError):
        whole[:, :, 0] = outcome.test.reshape(rows, len(horizons))
        if outcome.quantiles is not None:
            whole[:, :, 1:] = outcome.quantiles.reshape(rows, len(horizons), quantiles)
    for place, horizon in enumerate(horizons):
        yield horizon, whole[:, place]


def _outlook(
    series: Mapping[_Series, Matrix], span: pd.DatetimeIndex, levels: tuple[float, ...]
) -> Outlook:
    symbols = list(dict.fromkeys(symbol for symbol, _, _ in series))
    means = {
        symbol: _mean([values for who, values in series.items() if who[0] == symbol])
        for symbol in symbols
    }

    def wide(column: int) -> WideFrame:
        return pd.DataFrame({of: mean[:, column] for of, mean in means.items()}, index=span)

    return Outlook(wide(0), {level: wide(place) for place, level in enumerate(levels, start=1)})


def _mean(members: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Over the members that are there, NaN where none is; the plain mean where all are."""
    there = np.isfinite(members)
    count = there.sum(axis=0)
    total = np.sum(np.where(there, members, 0.0), axis=0)
    mean: npt.NDArray[np.float64] = np.divide(
        total, count, out=np.full(total.shape, np.nan), where=count > 0
    )
    return mean


def _by_window(fitted: Sequence[_Fit], horizon: int, part: str) -> dict[int, dict[str, Vector]]:
    """Window -> symbol -> mean over the seeds of the forecasts of `train` or `validation` rows."""
    members: dict[int, dict[str, list[Vector]]] = defaultdict(lambda: defaultdict(list))
    for task, forecast in fitted:
        if horizon in task.problem.horizons:
            values = getattr(forecast, part)
            column = task.problem.horizons.index(horizon)
            members[task.window][task.symbol].append(values.reshape(len(values), -1)[:, column])
    return {
        window: {symbol: np.mean(seeds, axis=0) for symbol, seeds in by_symbol.items()}
        for window, by_symbol in members.items()
    }


def _residuals(
    history: History,
    windows: Sequence[Window],
    predicted: Mapping[int, Mapping[str, Vector]],
) -> dict[int, dict[str, Vector]]:
    """What came on the validation rows less what was predicted; all of it before the test part."""
    ahead = history.ahead[history.target.horizon]
    rows = {w.index: slice(w.validation.start, w.validation.stop) for w in windows}
    return {
        window: {
            symbol: ahead[symbol].to_numpy()[rows[window]] - values
            for symbol, values in by_symbol.items()
        }
        for window, by_symbol in predicted.items()
    }


def _table(
    history: History,
    span: pd.DatetimeIndex,
    of_window: Rows,
    series: Mapping[_Series, Matrix],
    levels: tuple[float, ...],
) -> pd.DataFrame:
    blocks = [
        pd.DataFrame(
            {
                "timestamp": span,
                "symbol": symbol,
                "window": of_window,
                "seed": member,
                "horizon": horizon,
                "predicted": values[:, 0],
                "actual": history.ahead[horizon][symbol].reindex(span).to_numpy(),
                **{
                    quantile_column(level): values[:, place]
                    for place, level in enumerate(levels, start=1)
                },
            }
        )
        for (symbol, horizon, member), values in series.items()
    ]
    table = pd.concat(blocks, ignore_index=True)
    return table[table["predicted"].notna()].reset_index(drop=True)


def _told(task: Task, outcome: Forecast | RefitError, key: str | None) -> dict[str, Any]:
    whose: dict[str, Any] = {"symbol": task.symbol, "seed": task.member}
    if task.horizons:
        whose["horizons"] = list(task.horizons)
    if isinstance(outcome, RefitError):
        return whose | {"failed": outcome.problem}
    if key is not None:
        whose["key"] = key
    history = outcome.history
    tuned = {"trials": history.trials, "chosen": dict(history.chosen)} if history.trials else {}
    started = {"warm": history.warm} if task.warm else {}
    return whose | {"attempts": history.attempts, **tuned, **started, **_course(outcome)}


def _course(forecast: Forecast) -> dict[str, Any]:
    """Epochs and losses; an ensemble has none of its own, but its members' within."""
    history = forecast.history
    within = {"members": [_course(m) for m in forecast.members]} if forecast.members else {}
    return {
        "epochs": len(history.train_loss),
        "best_epoch": history.best_epoch,
        "train_loss": list(history.train_loss),
        "validation_loss": list(history.validation_loss),
        **within,
    }
