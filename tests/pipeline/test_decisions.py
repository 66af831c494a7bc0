"""Every shipped strategy decides bar by bar what its run decides at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.progress import NullProgress
from engine.data import load_market
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import decide_model_positions, make_window_tasks
from engine.signals import DecisionState, SignalInputs, decide, iterate_prediction_rows
from engine.strategy import load_strategy
from engine.training.forecast import predict_window
from engine.training.out_of_sample import Predictions, concat_out_of_sample
from engine.training.worker import fit_task

if TYPE_CHECKING:
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy

pytestmark = pytest.mark.slow

SHIPPED = sorted(Path("strategies").resolve().glob("*.yaml"))


@pytest.fixture(scope="module")
def forecast(module_folder: Path) -> tuple[PreparedData, Predictions]:
    """Forecasts of the shipped ridge on the bundled bars, of both symbols."""
    spec = load_strategy(Path("strategies/ridge.yaml"), {"benchmarks": [], "data.targets": "all"})
    market = load_market(
        spec.data, home=module_folder, offline=True, override=None, progress=NullProgress()
    )
    prepared = prepare_data(spec, market)
    tasks = make_window_tasks(spec, prepared, prepared.windows)
    history, windows = prepared.feature_history, prepared.windows
    forecasts = [
        predict_window(fit_task(task), history, task.symbol, windows[task.window].test)
        for task in tasks
    ]
    return prepared, concat_out_of_sample(history, windows, tasks, forecasts)


@pytest.fixture(params=SHIPPED, ids=lambda file: file.stem)
def strategy(request: pytest.FixtureRequest) -> Strategy:
    return load_strategy(request.param)


def test_bar_by_bar_is_the_run_to_the_last_bit(
    forecast: tuple[PreparedData, Predictions], strategy: Strategy
) -> None:
    prepared, predictions = forecast
    spec = strategy.decision_spec(prepared.market.periods_per_year)
    inputs, state, weights = SignalInputs.from_predictions(predictions), DecisionState(), []
    for row in iterate_prediction_rows(inputs, prepared.target_close, spec):
        state, targets = decide(state, row, spec)
        weights.append(list(targets.values()))
    at_once = decide_model_positions(strategy, prepared, predictions)
    assert at_once.to_numpy().any()
    assert np.array(weights).tobytes() == at_once.to_numpy().tobytes()
