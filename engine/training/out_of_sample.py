"""Forecasts of many fits to one out-of-sample table per book."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from engine.core.errors import TrainingError
from engine.models.training.losses import quantile_levels
from engine.splits.rows import row_index
from engine.training.fit_record import record_fit
from engine.training.forecast import Forecast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector, WideFrame
    from engine.models.fitted_model import FittedModel
    from engine.splits.rows import TrainTestSplit
    from engine.training.feature_history import FeatureHistory
    from engine.training.panel_rows import Absences
    from engine.training.task import FitTask

_SeriesKey: TypeAlias = tuple[str, int, int]
"""Symbol, horizon and seed index of a series of forecasts."""


_TaskForecast: TypeAlias = "tuple[FitTask, Forecast]"


@dataclass(frozen=True)
class HorizonForecast:
    """Out-of-sample forecasts of one book over one horizon, mean over the seeds.

    Attributes:
        predicted: Wide: simple returns; NaN in a window without a fit.
        quantiles: Level -> wide, ascending; empty where the forecaster has none.
    """

    predicted: WideFrame
    quantiles: Mapping[float, WideFrame]


@dataclass(frozen=True)
class Predictions:
    """Out-of-sample forecasts of one book, from the first test bar to the last.

    Attributes:
        build_table: Builds `table`.
        build_fit_records: Builds `fit_records`.
        horizon: The traded horizon, in bars.
        by_horizon: Horizon -> forecasts over it, ascending.
        window_index: (n,) window of each row of `predicted`.
        train_predictions: Window -> symbol -> mean over the seeds of the predictions on its train
            rows, over the traded horizon; without the windows that have no fit.
        validation_residuals: Window -> symbol -> realised returns on its validation rows, minus
            the mean over the seeds of the predictions; for the same horizon and windows.
        absences: Where no forecast of a symbol of a panel is due; None where one always is.
    """

    build_table: Callable[[], pd.DataFrame]
    build_fit_records: Callable[[], dict[int, list[dict[str, Any]]]]
    horizon: int
    by_horizon: Mapping[int, HorizonForecast]
    window_index: IntVector
    train_predictions: Mapping[int, Mapping[str, Vector]]
    validation_residuals: Mapping[int, Mapping[str, Vector]]
    absences: Absences | None = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """timestamp, symbol, window, seed (from 0), horizon, predicted, actual, and quantiles.

        A quantile has a column such as `q10`. Simple returns; `actual` is NaN where it is not yet
        known. A fit that was left out has no rows.
        """
        return self.build_table()

    @cached_property
    def fit_records(self) -> dict[int, list[dict[str, Any]]]:
        """Window -> records of its fits."""
        return self.build_fit_records()

    @property
    def predicted(self) -> WideFrame:
        """Wide: mean over the seeds, over the traded horizon."""
        return self.by_horizon[self.horizon].predicted

    @property
    def quantiles(self) -> Mapping[float, WideFrame]:
        """Level -> wide: quantiles over the traded horizon."""
        return self.by_horizon[self.horizon].quantiles


def concat_out_of_sample(
    history: FeatureHistory,
    windows: Sequence[TrainTestSplit],
    tasks: Sequence[FitTask],
    outcomes: Sequence[Forecast | TrainingError],
    keys: Sequence[str | None] = (),
) -> Predictions:
    """Concatenates the test parts of all windows.

    Args:
        history: Timestamps and realised returns.
        windows: Windows, whose test parts tile the out-of-sample span.
        tasks: Tasks of one book, windows in their order.
        outcomes: For each task a forecast or the error of its fit.
        keys: For each task its key in the store, or None where it is not stored.
    """
    span = history.features.timestamps[windows[0].test.start : windows[-1].test.stop]
    window_index = np.concatenate([np.full(len(w.test), w.index) for w in windows])
    pairs = list(zip(tasks, outcomes, strict=True))
    fitted = [(task, each) for task, each in pairs if not isinstance(each, TrainingError)]
    levels = _find_quantile_levels(fitted)
    test_rows = {window.index: len(window.test) for window in windows}
    symbols = () if history.panel is None else tuple(history.panel.present.columns)
    series = _collect_series(pairs, test_rows, len(levels), symbols)
    traded = history.target.horizon
    return Predictions(
        build_table=partial(_build_table, history, span, window_index, series, levels),
        build_fit_records=partial(_record_fits, pairs, keys or [None] * len(pairs)),
        horizon=traded,
        by_horizon={
            horizon: _average_over_seeds(
                {key: values for key, values in series.items() if key[1] == horizon}, span, levels
            )
            for horizon in sorted({horizon for _, horizon, _ in series})
        },
        window_index=window_index,
        train_predictions=average_by_window(fitted, traded, "train"),
        validation_residuals=validation_residuals(history, windows, fitted, traded),
        absences=None
        if history.panel is None
        else history.panel.absences(range(windows[0].test.start, windows[-1].test.stop)),
    )


def quantile_column(level: float) -> str:
    """Column name of a quantile: `q10` for 0.1, `q2.5` for 0.025."""
    return f"q{100 * level:g}"


def _find_quantile_levels(fitted: Sequence[_TaskForecast]) -> tuple[float, ...]:
    """Levels of the quantile forecasts, from the loss; () where the model has none."""
    for task, forecast in fitted:
        if forecast.quantiles is not None:
            return quantile_levels(task.training.loss)
    return ()


def _collect_series(
    pairs: Sequence[tuple[FitTask, Forecast | TrainingError]],
    test_rows: Mapping[int, int],
    quantiles: int,
    symbols: Sequence[str] = (),
) -> dict[_SeriesKey, Matrix]:
    """(n, 1 + q) forecast and quantiles of all windows; NaN where a fit was left out.

    Args:
        pairs: Tasks and what they predict.
        test_rows: Window -> its test rows, in time order.
        quantiles: q.
        symbols: Those of a panel, which may have no fit in a window, or none at all.
    """
    parts: dict[_SeriesKey, dict[int, Matrix]] = defaultdict(dict)
    for task, outcome in pairs:
        for horizon, part in _split_by_horizon(task, outcome, test_rows[task.window], quantiles):
            parts[task.symbol, horizon, task.seed_index][task.window] = part
    members = {key[1:] for key in parts}
    for symbol in symbols:
        for member in members:
            own = parts[symbol, *member]
            for window, rows in test_rows.items():
                own.setdefault(window, np.full((rows, 1 + quantiles), np.nan))
    known = list(symbols) or list(dict.fromkeys(symbol for symbol, _, _ in parts))
    order = sorted(parts, key=lambda key: (known.index(key[0]), *key[1:]))
    return {
        key: np.concatenate([parts[key][window] for window in test_rows if window in parts[key]])
        for key in order
    }


def _split_by_horizon(
    task: FitTask, outcome: Forecast | TrainingError, rows: int, quantiles: int
) -> Iterator[tuple[int, Matrix]]:
    """Each horizon of one fit with (n, 1 + q) values on its test rows."""
    horizons = task.training_set.horizons
    values = np.full((rows, len(horizons), 1 + quantiles), np.nan)
    if not isinstance(outcome, TrainingError):
        values[:, :, 0] = outcome.test.reshape(rows, len(horizons))
        if outcome.quantiles is not None:
            values[:, :, 1:] = outcome.quantiles.reshape(rows, len(horizons), quantiles)
    for index, horizon in enumerate(horizons):
        yield horizon, values[:, index]


def _average_over_seeds(
    series: Mapping[_SeriesKey, Matrix], span: pd.DatetimeIndex, levels: tuple[float, ...]
) -> HorizonForecast:
    symbols = list(dict.fromkeys(symbol for symbol, _, _ in series))
    means = {
        symbol: mean_of_available([values for key, values in series.items() if key[0] == symbol])
        for symbol in symbols
    }

    def wide(column: int) -> WideFrame:
        return pd.DataFrame(
            {symbol: mean[:, column] for symbol, mean in means.items()}, index=span
        )

    return HorizonForecast(
        wide(0), {level: wide(column) for column, level in enumerate(levels, start=1)}
    )


def mean_of_available(members: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """The mean over the finite members, NaN where there is none."""
    finite = np.isfinite(members)
    if len(members) == 1:
        return np.where(finite[0], members[0], np.nan)
    count = finite.sum(axis=0)
    # One after the other: numpy adds up a single row in another order than several.
    total = reduce(np.add, np.where(finite, members, 0.0))
    mean: npt.NDArray[np.float64] = np.divide(
        total, count, out=np.full(total.shape, np.nan), where=count > 0
    )
    return mean


def average_by_window(
    fitted: Sequence[tuple[FitTask, Forecast | FittedModel]], horizon: int, part: str
) -> dict[int, dict[str, Vector]]:
    """Window -> symbol -> mean over the seeds of the forecasts on `train` or `validation` rows."""
    members: dict[int, dict[str, list[Vector]]] = defaultdict(lambda: defaultdict(list))
    for task, forecast in fitted:
        if horizon in task.training_set.horizons:
            values = getattr(forecast, part)
            column = task.training_set.horizons.index(horizon)
            members[task.window][task.symbol].append(values.reshape(len(values), -1)[:, column])
    return {
        window: {
            symbol: seeds[0] if len(seeds) == 1 else np.add.reduce(seeds) / len(seeds)
            for symbol, seeds in by_symbol.items()
        }
        for window, by_symbol in members.items()
    }


def validation_residuals(
    history: FeatureHistory,
    windows: Sequence[TrainTestSplit],
    fitted: Sequence[tuple[FitTask, Forecast | FittedModel]],
    horizon: int,
) -> dict[int, dict[str, Vector]]:
    """Realised minus predicted returns on the validation rows, known before the test part.

    Args:
        history: Realised returns.
        windows: Windows of the fits.
        fitted: Tasks, and what their models predict of these rows.
        horizon: The traded one.
    """
    predicted = average_by_window(fitted, horizon, "validation")
    if history.panel is not None:
        known = _realised_by_window(fitted, horizon)
        return {
            window: {symbol: known[window][symbol] - values for symbol, values in own.items()}
            for window, own in predicted.items()
        }
    returns = history.forward_returns[horizon]
    realised = {symbol: returns[symbol].to_numpy() for symbol in returns}
    rows = {w.index: row_index(w.validation) for w in windows}
    return {
        window: {
            symbol: realised[symbol][rows[window]] - values for symbol, values in by_symbol.items()
        }
        for window, by_symbol in predicted.items()
    }


def _realised_by_window(
    fitted: Sequence[tuple[FitTask, Forecast | FittedModel]], horizon: int
) -> dict[int, dict[str, Vector]]:
    """Window -> symbol -> returns on the validation rows that its models were given."""
    realised: dict[int, dict[str, Vector]] = defaultdict(dict)
    for task, forecast in fitted:
        if horizon in task.training_set.horizons:
            model = forecast.fitted if isinstance(forecast, Forecast) else forecast
            column = task.training_set.horizons.index(horizon)
            realised[task.window][task.symbol] = model.realised[:, column]
    return realised


def _record_fits(
    pairs: Sequence[tuple[FitTask, Forecast | TrainingError]], keys: Sequence[str | None]
) -> dict[int, list[dict[str, Any]]]:
    fits: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (task, outcome), key in zip(pairs, keys, strict=True):
        fits[task.window].append(record_fit(task, outcome, key))
    return dict(fits)


def _build_table(
    history: FeatureHistory,
    span: pd.DatetimeIndex,
    window_index: IntVector,
    series: Mapping[_SeriesKey, Matrix],
    levels: tuple[float, ...],
) -> pd.DataFrame:
    blocks = [
        pd.DataFrame(
            {
                "timestamp": span,
                "symbol": symbol,
                "window": window_index,
                "seed": seed_index,
                "horizon": horizon,
                "predicted": values[:, 0],
                "actual": history.forward_returns[horizon][symbol].reindex(span).to_numpy(),
                **{
                    quantile_column(level): values[:, column]
                    for column, level in enumerate(levels, start=1)
                },
            }
        )
        for (symbol, horizon, seed_index), values in series.items()
    ]
    table = pd.concat(blocks, ignore_index=True)
    return table[table["predicted"].notna()].reset_index(drop=True)
