"""What is known at one close: the forecasts of every symbol, and what a decision needs beside."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite, nan
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import TrainingError, UsageError
from engine.signals.decision_levels import compute_decision_levels
from engine.signals.inputs import SignalInputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.core.types import BoolMatrix, WideFrame
    from engine.signals.decision_levels import DecisionLevels, DecisionSpec
    from engine.training.panel_rows import Absences


@dataclass(frozen=True, eq=False)
class PredictionRow:
    """What is known at one close.

    Attributes:
        timestamp: Of the bar.
        predicted: Target symbol -> predicted simple return over the horizon, mean over seeds; NaN
            where the window has no fit of the symbol.
        levels: Of the bar's window.
        quantiles: Level -> symbol -> quantile of the return, where the model has them.
        close: The last closes up to this bar's, at least `DecisionSpec.closes_needed` of the
            target symbols; a decision that needs none may be given none.
        absences: Symbols of a panel of which no forecast is due at this bar, in the order of
            `predicted`, one row; None where one of each is.

    Raises:
        UsageError: The closes end at another bar, or a symbol that is forecast has no thresholds.
        TrainingError: A prediction or a quantile of a symbol that has a fit is not finite.
    """

    timestamp: pd.Timestamp
    predicted: Mapping[str, float]
    levels: DecisionLevels
    quantiles: Mapping[float, Mapping[str, float]] = field(default_factory=dict)
    close: WideFrame = field(default_factory=pd.DataFrame)
    absences: Absences | None = None

    def __post_init__(self) -> None:
        """Checks that nothing is missing, and nothing is from another bar."""
        if len(self.close) and self.close.index[-1] != self.timestamp:
            raise UsageError(
                "The closes of a decision end at another bar",
                expected=f"{self.timestamp}, the bar of the predictions",
                found=str(self.close.index[-1]),
                fix="give the closes up to the bar that is decided",
            )
        for symbol in self.predicted:
            if symbol not in self.absent:
                self._check_forecast(symbol)

    @cached_property
    def absent(self) -> frozenset[str]:
        """Symbols of which no forecast is due."""
        return self._named(None if self.absences is None else self.absences.absent)

    @cached_property
    def halted(self) -> frozenset[str]:
        """Symbols that have no bar and keep their positions."""
        return self._named(None if self.absences is None else self.absences.halted)

    @property
    def shares(self) -> int:
        """Symbols that the book is divided over, where they have equal parts."""
        return max(len(self.predicted) - len(self.absent - self.halted), 1)

    def _named(self, rows: BoolMatrix | None) -> frozenset[str]:
        if rows is None:
            return frozenset()
        return frozenset(
            symbol
            for symbol, chosen in zip(self.predicted, rows[0].tolist(), strict=True)
            if chosen
        )

    def _check_forecast(self, symbol: str) -> None:
        predicted, has_fit = self.predicted[symbol], symbol in self.levels.thresholds
        quantiles = [by_symbol[symbol] for by_symbol in self.quantiles.values()]
        if has_fit and not all(map(isfinite, (predicted, *quantiles))):
            raise TrainingError(
                "A prediction is not finite",
                expected="a number for every symbol that has a fit",
                found=", ".join(map(str, (predicted, *quantiles))),
                where=f"{symbol} at {self.timestamp}",
                fix="look at its window's losses; lower training.optimizer.learning_rate",
            )
        if not has_fit and isfinite(predicted):
            raise UsageError(
                "A symbol is forecast and has no thresholds",
                expected=f"thresholds of {symbol}",
                found=f"those of {', '.join(self.levels.thresholds) or 'no symbol'}",
                where=f"{symbol} at {self.timestamp}",
                fix="give compute_decision_levels the train predictions of every symbol",
            )

    def quantile(self, level: float) -> dict[str, float]:
        """The quantile of each symbol's return over the horizon, by `SignalInputs.quantile`."""
        if level in self.quantiles:
            return {symbol: self.quantiles[level][symbol] for symbol in self.predicted}
        residuals = self.levels.residuals
        return {
            symbol: predicted + float(np.quantile(residuals[symbol], level))
            if symbol in residuals
            else nan
            for symbol, predicted in self.predicted.items()
        }

    def to_signal_inputs(self) -> SignalInputs:
        """The inputs of the sizing: one bar."""
        return SignalInputs.of_row(
            self.timestamp,
            self.predicted,
            self.levels.window,
            train_predictions=self.levels.train_predictions,
            quantiles=self.quantiles,
            residuals=self.levels.residuals,
            absences=self.absences,
        )


def iterate_prediction_rows(
    forecasts: SignalInputs, close: WideFrame, spec: DecisionSpec
) -> Iterator[PredictionRow]:
    """Every bar of the forecasts as it is known at its close, in order.

    Args:
        forecasts: n out-of-sample bars of m target symbols.
        close: All bars, at least the target symbols.
        spec: How the bars will be decided.

    Yields:
        n rows, each with as many closes as a decision needs.
    """
    levels = {
        window: compute_decision_levels(
            spec,
            window,
            forecasts.train_predictions.get(window, {}),
            forecasts.residuals.get(window, {}),
        )
        for window in set(forecasts.window.tolist())
    }
    predicted = _rows_by_symbol(forecasts.predicted)
    quantiles = {level: _rows_by_symbol(wide) for level, wide in forecasts.quantiles.items()}
    for row, (timestamp, window) in enumerate(
        zip(forecasts.predicted.index, forecasts.window.tolist(), strict=True)
    ):
        yield PredictionRow(
            timestamp,
            predicted[row],
            levels[window],
            {level: rows[row] for level, rows in quantiles.items()},
            spec.select_closes(close.loc[:timestamp]),
            None if forecasts.absences is None else forecasts.absences.at(slice(row, row + 1)),
        )


def _rows_by_symbol(wide: WideFrame) -> list[dict[str, float]]:
    return [dict(zip(wide.columns, row, strict=True)) for row in wide.to_numpy().tolist()]
