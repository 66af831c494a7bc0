"""The section `deployment` of `significance.json`, and how long a forecast takes."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.core.randomness import derive_seed
from engine.evaluation.inference.bootstrap import infer_sharpe_ratios
from engine.models.compression import measure_size
from engine.pipeline.metrics import score_horizon
from engine.pipeline.steps import decide_model_positions, simulate_books
from engine.runs.documents.significance_deployment import DeploymentFigures, ServedModelFigures
from engine.training.datasets import select_feature_rows
from engine.training.deployment import forecast_change
from engine.training.forecast import predict_window
from engine.training.out_of_sample import concat_out_of_sample

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.evaluation.inference.bootstrap import SharpeInference
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.prepared_data import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.training.out_of_sample import Predictions

TIMED_FORECASTS = 40


def make_deployment_section(result: BacktestResult) -> dict[str, DeploymentFigures]:
    """`deployment` and its figures; no section where the strategy deploys its models as fitted.

    The books and forecasts of the full models are made by the functions of the run, over the
    windows whose deployed model was used.
    """
    deploy, fits, prepared = result.spec.deploy, result.fits, result.prepared
    pairs = list(_deployed_pairs(result).values())
    if deploy is None or not pairs:
        return {}
    full, deployed = _predict_full(result), result.predictions[STRATEGY_BOOK]
    weights = decide_model_positions(result.spec, prepared, full)
    book = simulate_books(result.spec, prepared, {STRATEGY_BOOK: weights})[STRATEGY_BOOK]
    rates = prepared.rates_by_bar
    full_returns, returns = (
        rates.excess_values(np.asarray(each.returns, dtype=np.float64))
        for each in (book, result.books[STRATEGY_BOOK])
    )
    inferred = infer_sharpe_ratios(
        {
            "full": [full_returns],
            "deployed": [returns],
            "difference": [returns, full_returns],
        },
        prepared.market.periods_per_year,
        result.spec.evaluation,
        np.random.default_rng(derive_seed(result.spec.seed, "deployment")),
    )
    before, after = _known_forecasts(full, deployed)
    newest = _newest_pair(result)
    difference = inferred["difference"]
    return {
        "deployment": DeploymentFigures(
            full=_served_figures(prepared, full, inferred["full"], newest[0]),
            deployed=_served_figures(prepared, deployed, inferred["deployed"], newest[1]),
            sharpe_difference=difference.estimate,
            sharpe_difference_low=difference.low,
            sharpe_difference_high=difference.high,
            signs_flipped_pct=100 * float(np.mean(np.sign(before) != np.sign(after))),
            change=_relative_change(before, after),
            largest_change=max(forecast_change(*pair) for pair in pairs),
            max_change=deploy.max_change,
            left_out=len(fits.full) - len(pairs),
        )
    }


def time_forecasts(result: BacktestResult) -> dict[str, float]:
    """Median milliseconds of one forecast of the newest bar, by the newest window's first model.

    Features are there already; scaling and checks are timed. Empty without a deployment.
    """
    if not _deployed_pairs(result):
        return {}
    return {
        name: _median_ms(result.prepared, fitted)
        for name, fitted in zip(("full", "deployed"), _newest_pair(result), strict=True)
    }


def _deployed_pairs(result: BacktestResult) -> dict[int, tuple[FittedModel, FittedModel]]:
    """Index of each task whose deployed model was used -> the full and the deployed model."""
    fits = result.fits
    pairs = ((number, model, fits.outcomes[number]) for number, model in fits.full.items())
    return {
        number: (full, made) for number, full, made in pairs if not isinstance(made, TrainingError)
    }


def _newest_pair(result: BacktestResult) -> tuple[FittedModel, FittedModel]:
    """Those of the first fit of the newest window that has any."""
    pairs = _deployed_pairs(result)
    newest = max(pairs, key=lambda number: (result.fits.tasks[number].window, -number))
    return pairs[newest]


def _predict_full(result: BacktestResult) -> Predictions:
    """Out-of-sample forecasts of the strategy's models as they were fitted."""
    fits, prepared = result.fits, result.prepared
    windows = {window.index: window.test for window in prepared.windows}
    tasks, forecasts = [], []
    for number, task in enumerate(fits.tasks):
        if task.book != STRATEGY_BOOK:
            continue
        made = fits.outcomes[number]
        tasks.append(task)
        forecasts.append(
            made
            if isinstance(made, TrainingError)
            else predict_window(
                fits.full[number], prepared.feature_history, task.symbol, windows[task.window]
            )
        )
    return concat_out_of_sample(prepared.feature_history, prepared.windows, tasks, forecasts)


def _known_forecasts(full: Predictions, deployed: Predictions) -> tuple[Vector, Vector]:
    before, after = full.predicted.to_numpy().ravel(), deployed.predicted.to_numpy().ravel()
    known = np.isfinite(before) & np.isfinite(after)
    return before[known], after[known]


def _relative_change(before: Vector, after: Vector) -> float | None:
    deviation = float(before.std())
    if deviation == 0.0:
        return None
    return float(np.sqrt(np.mean((after - before) ** 2))) / deviation


def _served_figures(
    prepared: PreparedData, predictions: Predictions, sharpe: SharpeInference, model: FittedModel
) -> ServedModelFigures:
    horizon = predictions.horizon
    scores: dict[str, Any] = score_horizon(prepared, horizon, predictions.by_horizon[horizon])
    size = measure_size(model.forecaster)
    return ServedModelFigures(
        rmse_bps=scores["rmse_bps"],
        mae_bps=scores["mae_bps"],
        directional_accuracy_pct=scores["directional_accuracy_pct"],
        sharpe=sharpe.estimate,
        sharpe_low=sharpe.low,
        sharpe_high=sharpe.high,
        parameters=size.parameters,
        nonzero_parameters=size.nonzero,
        size_bytes=size.size_bytes,
    )


def _median_ms(prepared: PreparedData, fitted: FittedModel) -> float:
    history = prepared.feature_history
    newest = len(history.features.timestamps) - 1
    inputs = select_feature_rows(
        history, fitted, fitted.input_transform.symbol, range(newest, newest + 1)
    )
    taken = []
    for _ in range(TIMED_FORECASTS):
        start = time.perf_counter()
        fitted.predict(*inputs)
        taken.append(time.perf_counter() - start)
    return 1000 * median(taken)
