"""What is known at the close of the newest bar: its forecasts, and what a decision needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.errors import TrainingError, UsageError
from engine.live.strategy_argument import require_market
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import make_decision_spec
from engine.signals.inputs import SignalInputs
from engine.signals.prediction_row import PredictionRow, iterate_prediction_rows
from engine.training.forecast import predict_window
from engine.training.out_of_sample import concat_out_of_sample

if TYPE_CHECKING:
    from engine.data import Market
    from engine.live.fitted_strategy import FittedStrategy
    from engine.training.feature_history import FeatureHistory


def predict(fitted: FittedStrategy, market: Market) -> PredictionRow:
    """The forecasts at the close of the newest bar, equal to those of a run to the last bit.

    Args:
        fitted: The models of the newest window.
        market: Bars, the last of them complete; the history begins where that of the fit began.

    Raises:
        UsageError: A window has begun since the fit, whose models are other ones; or the history
            begins at another bar than that of the fit, or its symbols are others or in another
            order.
        DataError: A feature is not finite.
    """
    require_market(market)
    prepared = prepare_data(fitted.spec, market)
    history, newest = prepared.feature_history, prepared.windows[-1]
    stamps = history.features.timestamps
    _check_history(fitted, history)
    if stamps[newest.test.start] != fitted.first_test:
        raise UsageError(
            "The models are of another window than the newest bar",
            expected=f"models of the window that begins on {stamps[newest.test.start]}",
            found=f"those of the window that begins on {fitted.first_test}",
            fix="call engine.fit with these bars",
        )
    row = replace(newest, test=range(len(stamps) - 1, len(stamps)))
    forecasts = [
        model
        if isinstance(model, TrainingError)
        else predict_window(model, history, task.symbol, row.test)
        for task, model in zip(fitted.tasks, fitted.models, strict=True)
    ]
    predictions = concat_out_of_sample(history, [row], fitted.tasks, forecasts)
    (known,) = iterate_prediction_rows(
        SignalInputs.from_predictions(predictions),
        prepared.target_close,
        make_decision_spec(fitted.spec, market),
    )
    return known


def _check_history(fitted: FittedStrategy, history: FeatureHistory) -> None:
    """Whether the bars continue those of the fit: the same columns from the same bar on."""
    if history.feature_names != fitted.feature_names:
        raise UsageError(
            "The features are not those of the fit",
            expected=", ".join(fitted.feature_names),
            found=", ".join(history.feature_names),
            where="symbols of the market",
            fix="give the symbols of the fit in their order, or call engine.fit with these bars",
        )
    first_bar = history.features.timestamps[0]
    if first_bar != fitted.first_bar:
        raise UsageError(
            "The history begins at another bar than that of the fit",
            expected=f"bars from {fitted.first_bar} on",
            found=f"bars from {first_bar} on",
            where="bars of the market",
            fix="give the whole history, or call engine.fit with these bars",
        )
