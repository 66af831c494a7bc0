"""What one fitted model predicts of its window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.training.datasets import select_feature_rows

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector
    from engine.models.fitted_model import FittedModel
    from engine.training.feature_history import FeatureHistory


@dataclass(frozen=True, eq=False)
class Forecast:
    """What one fitted model predicts of its window; simple returns.

    Each part is (n,) for one horizon and (n, m) for m horizons, one column each.

    Attributes:
        train: On the train rows, for thresholds.
        validation: On the validation rows, for intervals.
        test: On the test rows, out of sample.
        quantiles: (n_test, q) or (n_test, m, q), where the model has quantiles.
        fitted: The model.
    """

    train: Vector | Matrix
    validation: Vector | Matrix
    test: Vector | Matrix
    quantiles: Matrix | None
    fitted: FittedModel


def predict_window(
    fitted: FittedModel, history: FeatureHistory, symbol: str, rows: range
) -> Forecast:
    """What a fitted model predicts of a window.

    Args:
        fitted: The model of the window.
        history: Features and returns of all bars; nothing after the last of `rows` is read.
        symbol: Symbol of the forecast return.
        rows: Test rows.

    Returns:
        NaN at the rows of a panel at which the symbol is not forecast.
    """
    if history.panel is not None:
        return _predict_own_rows(fitted, history, symbol, rows)
    prediction = fitted.predict(*select_feature_rows(history, fitted, symbol, rows))
    return Forecast(
        fitted.train, fitted.validation, prediction.returns, prediction.quantiles, fitted
    )


def _predict_own_rows(
    fitted: FittedModel, history: FeatureHistory, symbol: str, rows: range
) -> Forecast:
    """The same at the rows at which the symbol of a panel is forecast."""
    panel = history.panel
    assert panel is not None
    if fitted.input_transform.symbols:
        return _predict_joint_rows(fitted, history, symbol, rows)
    own, horizons = panel.own_range(symbol, rows), len(fitted.input_transform.horizons)
    test = np.full((len(rows), horizons), np.nan)
    quantiles = None
    if len(own):
        prediction = fitted.predict(
            *select_feature_rows(history.seen_by(symbol), fitted, symbol, own)
        )
        placed, hidden = panel.place(symbol, own) - rows.start, ~panel.forecast_rows(symbol, rows)
        test[placed] = prediction.returns.reshape(len(own), horizons)
        test[hidden] = np.nan
        if prediction.quantiles is not None:
            levels = prediction.quantiles.reshape(len(own), horizons, -1)
            quantiles = np.full((len(rows), *levels.shape[1:]), np.nan)
            quantiles[placed] = levels
            quantiles[hidden] = np.nan
    returns = test[:, 0] if horizons == 1 else test
    return Forecast(fitted.train, fitted.validation, returns, quantiles, fitted)


def _predict_joint_rows(
    fitted: FittedModel, history: FeatureHistory, symbol: str, rows: range
) -> Forecast:
    """The same by a joint fit, whose sequences are of the rows of the panel."""
    assert history.panel is not None
    due = history.panel.forecast_rows(symbol, rows)
    horizons = len(fitted.input_transform.horizons)
    test = np.full((len(rows), horizons), np.nan)
    quantiles = None
    if due.any():
        selected, at = select_feature_rows(history, fitted, symbol, rows)
        prediction = fitted.predict(selected, at[due])
        test[due] = prediction.returns.reshape(-1, horizons)
        if prediction.quantiles is not None:
            levels = prediction.quantiles.reshape(int(due.sum()), horizons, -1)
            quantiles = np.full((len(rows), *levels.shape[1:]), np.nan)
            quantiles[due] = levels
    returns = test[:, 0] if horizons == 1 else test
    return Forecast(fitted.train, fitted.validation, returns, quantiles, fitted)
