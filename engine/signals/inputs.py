"""Inputs of the signals: out-of-sample forecasts of one book."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BoolMatrix, IntVector, Matrix, Vector, WideFrame
    from engine.training import Predictions
    from engine.training.panel_rows import Absences


@dataclass(frozen=True, eq=False)
class SignalInputs:
    """One predicted return for every out-of-sample bar and target symbol.

    Attributes:
        predicted: Wide, out-of-sample bars: simple return over the horizon, mean over seeds; NaN
            only where `train_predictions` lacks the window and symbol, which have no forecast.
        window: Window of each row of `predicted`, shape (n,).
        train_predictions: Window -> symbol -> predictions on that window's train rows, mean over
            seeds.
        quantiles: Level -> wide, like `predicted`: quantiles of the return, where the model has
            them.
        residuals: Window -> symbol -> realised minus predicted returns on that window's
            validation rows; needed for `quantile` where the model has no quantiles.
        absences: Where no forecast of a symbol of a panel is due; None where one always is.

    Raises:
        TrainingError: A prediction or a quantile is not finite.
    """

    predicted: WideFrame
    window: IntVector
    train_predictions: Mapping[int, Mapping[str, Vector]]
    quantiles: Mapping[float, WideFrame] = field(default_factory=dict)
    residuals: Mapping[int, Mapping[str, Vector]] = field(default_factory=dict)
    absences: Absences | None = None

    def __post_init__(self) -> None:
        """Checks that all predictions are finite."""
        frames = [frame.to_numpy() for frame in (self.predicted, *self.quantiles.values())]
        finite = np.isfinite(frames).all(axis=0)
        if finite.all():
            return
        has_forecast = [
            np.isin(self.window, [w for w, by in self.train_predictions.items() if name in by])
            for name in self.predicted.columns
        ]
        finite |= ~np.column_stack(has_forecast)
        if self.absences is not None:
            finite |= self.absences.absent
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise TrainingError(
                "A prediction is not finite",
                expected="a number for every out-of-sample bar",
                found=f"{np.count_nonzero(~finite)} of {finite.size} missing",
                where=f"{self.predicted.columns[column]} at {self.predicted.index[row]}",
                fix="look at its window's losses; lower training.optimizer.learning_rate",
            )

    @classmethod
    def from_predictions(cls, predictions: Predictions) -> SignalInputs:
        """The traded horizon's forecasts of one book, with their quantiles and residuals."""
        return cls(
            predicted=predictions.predicted,
            window=predictions.window_index,
            train_predictions=predictions.train_predictions,
            quantiles=predictions.quantiles,
            residuals=predictions.validation_residuals,
            absences=predictions.absences,
        )

    @classmethod
    def of_row(
        cls,
        timestamp: pd.Timestamp,
        predicted: Mapping[str, float],
        window: int,
        *,
        train_predictions: Mapping[str, Vector],
        quantiles: Mapping[float, Mapping[str, float]],
        residuals: Mapping[str, Vector],
        absences: Absences | None = None,
    ) -> SignalInputs:
        """The forecasts of a single bar.

        Args:
            timestamp: Of the bar.
            predicted: Symbol -> predicted return; NaN where `train_predictions` lacks the symbol.
            window: Number of the bar's window.
            train_predictions: Symbol -> predictions on that window's train rows.
            quantiles: Level -> symbol -> quantile of the return.
            residuals: Symbol -> realised minus predicted returns on its validation rows.
            absences: Of this one row.

        Raises:
            TrainingError: A prediction or a quantile is not finite.
        """
        index = pd.DatetimeIndex([timestamp], name="timestamp")

        def wide(by_symbol: Mapping[str, float]) -> WideFrame:
            values = [[by_symbol[symbol] for symbol in predicted]]
            return pd.DataFrame(values, index, list(predicted), dtype="float64")

        return cls(
            predicted=wide(predicted),
            window=np.array([window], dtype=np.int64),
            train_predictions={window: train_predictions},
            quantiles={level: wide(by_symbol) for level, by_symbol in quantiles.items()},
            residuals={window: residuals},
            absences=absences,
        )

    @property
    def halted(self) -> BoolMatrix:
        """(n, m) whether a symbol is halted at a row, where it keeps its position."""
        if self.absences is None:
            return np.zeros(self.predicted.shape, dtype=np.bool_)
        return self.absences.halted

    @property
    def shares(self) -> Matrix:
        """(n, 1) number of symbols that have a forecast or are halted; all without absences."""
        if self.absences is None:
            return np.full((len(self.predicted), 1), float(self.predicted.shape[1]))
        counted = (~self.absences.absent | self.absences.halted).sum(axis=1, keepdims=True)
        shares: Matrix = np.maximum(counted, 1).astype(np.float64)
        return shares

    def row(self, number: int) -> SignalInputs:
        """One row, with what its window alone knows."""
        rows, window = slice(number, number + 1), int(self.window[number])
        return replace(
            self,
            predicted=self.predicted.iloc[rows],
            window=self.window[rows],
            train_predictions={window: self.train_predictions.get(window, {})},
            quantiles={level: wide.iloc[rows] for level, wide in self.quantiles.items()},
            residuals={window: self.residuals.get(window, {})},
            absences=None if self.absences is None else self.absences.at(rows),
        )

    def quantile(self, level: float) -> WideFrame:
        """The quantile of the return over the horizon, known at each close.

        The model's own quantile where it was trained for that level. Otherwise the prediction plus
        the quantile of its errors on the window's validation rows, which it was not fitted on:
        the interval has one width per window, as in split conformal prediction (Lei et al. 2018).
        Errors on train rows would be too small for models that overfit.

        Args:
            level: Between 0 and 1.

        Returns:
            The shape of `predicted`, NaN where there is no forecast.
        """
        if level in self.quantiles:
            return self.quantiles[level]
        error = {
            symbol: {
                window: np.quantile(by_symbol[symbol], level)
                for window, by_symbol in self.residuals.items()
                if symbol in by_symbol
            }
            for symbol in self.predicted.columns
        }
        shift = {
            symbol: [by_window.get(window, np.nan) for window in self.window.tolist()]
            for symbol, by_window in error.items()
        }
        return self.predicted + pd.DataFrame(shift, index=self.predicted.index)
