"""From a book's predictions to the inputs of its signals: one way, which drops nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd

import engine
from engine.signals.inputs import SignalInputs
from engine.training.out_of_sample import HorizonForecast, Predictions
from tests.signals.conftest import days


def predictions_of(n: int = 4) -> Predictions:
    """One window of symbol A over horizons 1 and 2, of which 2 is traded."""

    def wide(value: float) -> pd.DataFrame:
        return pd.DataFrame({"A": np.full(n, value)}, index=days(n))

    return Predictions(
        build_table=pd.DataFrame,
        horizon=2,
        by_horizon={
            1: HorizonForecast(wide(0.01), {0.1: wide(0.0)}),
            2: HorizonForecast(wide(0.02), {0.1: wide(-0.03), 0.9: wide(0.05)}),
        },
        window_index=np.zeros(n, dtype=np.int64),
        train_predictions={0: {"A": np.array([0.1, 0.2])}},
        validation_residuals={0: {"A": np.array([-0.1, 0.3])}},
        build_fit_records=dict,
    )


def test_signal_inputs_hold_the_traded_horizon_with_quantiles_and_residuals() -> None:
    predictions = predictions_of()
    inputs = SignalInputs.from_predictions(predictions)
    assert inputs.predicted is predictions.by_horizon[2].predicted
    assert inputs.window is predictions.window_index
    assert inputs.train_predictions is predictions.train_predictions
    assert inputs.quantiles is predictions.by_horizon[2].quantiles
    assert inputs.residuals is predictions.validation_residuals


def test_quantiles_not_trained_for_come_from_the_residuals() -> None:
    inputs = SignalInputs.from_predictions(predictions_of())
    assert inputs.quantile(0.9)["A"].tolist() == [0.05] * 4
    np.testing.assert_allclose(inputs.quantile(0.5)["A"], 0.02 + 0.1)


def test_signal_inputs_are_built_from_predictions_in_one_place() -> None:
    root = Path(engine.__file__).parent
    by_hand = [
        file.relative_to(root).as_posix()
        for file in sorted(root.rglob("*.py"))
        if "SignalInputs" in (source := file.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(source))
        if file.parent.name != "testing"  # makes forecasts, and copies none
        and isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("SignalInputs")
    ]
    assert by_hand == []
