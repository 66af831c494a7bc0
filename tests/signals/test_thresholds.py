from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from engine.signals.config import CostMultipleThreshold, FixedThreshold, QuantileThreshold, Signal
from engine.signals.hysteresis import EntryExitThresholds
from engine.signals.thresholds import compute_window_thresholds

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.signals.inputs import SignalInputs
    from engine.signals.thresholds import ThresholdSpec

    MakeForecasts = Callable[..., SignalInputs]


def test_basis_points_become_fractions_the_same_in_every_window(
    make_forecasts: MakeForecasts,
) -> None:
    forecasts = make_forecasts({"A": [0.0]}, train={0: [0.1], 3: [-0.1]})
    signal = FixedThreshold(enter_bps=5, exit_bps=-2)
    expected = EntryExitThresholds(0.0005, -0.0002, -0.0005, 0.0002)
    assert compute_window_thresholds(signal, forecasts, "A", 0.003) == {0: expected, 3: expected}


def test_cost_multiples_are_multiples_of_the_round_trip(make_forecasts: MakeForecasts) -> None:
    signal = CostMultipleThreshold(enter=2, exit=0.5)
    (thresholds,) = compute_window_thresholds(
        signal, make_forecasts({"A": [0.0]}), "A", 0.003
    ).values()
    assert thresholds == EntryExitThresholds(0.006, 0.0015, -0.006, -0.0015)


def test_quantiles_are_those_of_each_windows_own_train_predictions(
    make_forecasts: MakeForecasts,
) -> None:
    train = {0: np.linspace(0, 1, 11), 1: np.linspace(-3, -2, 11)}
    forecasts = make_forecasts({"A": [0.0, 0.0]}, window=[0, 1], train=train)
    by_window = compute_window_thresholds(
        QuantileThreshold(enter=0.8, exit=0.6), forecasts, "A", 0.003
    )
    np.testing.assert_allclose(list(vars(by_window[0]).values()), [0.8, 0.6, 0.2, 0.4])
    np.testing.assert_allclose(list(vars(by_window[1]).values()), [-2.2, -2.4, -2.8, -2.6])


@pytest.mark.parametrize(
    "signal",
    [FixedThreshold(), CostMultipleThreshold(), QuantileThreshold()],
    ids=lambda signal: signal.kind,
)
def test_out_of_sample_predictions_never_change_a_threshold(
    make_forecasts: MakeForecasts, signal: ThresholdSpec
) -> None:
    one = make_forecasts({"A": [0.5, -0.5, 0.1]})
    other = make_forecasts({"A": [-9.0, 9.0, 0.0]})
    assert compute_window_thresholds(signal, one, "A", 0.003) == compute_window_thresholds(
        signal, other, "A", 0.003
    )


def test_constant_forecasts_never_enter_by_quantile(
    make_forecasts: MakeForecasts,
) -> None:
    forecasts = make_forecasts({"A": [0.0]}, train={0: [0.0] * 9})
    assert compute_window_thresholds(QuantileThreshold(), forecasts, "A", 0.003) == {
        0: EntryExitThresholds(0.0, 0.0, 0.0, 0.0)
    }


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ({"kind": "threshold", "enter_bps": 5, "exit_bps": 6}, "must not exceed"),
        ({"kind": "cost_multiple", "enter": 1, "exit": 2}, "must not exceed"),
        ({"kind": "quantile", "enter": 0.6, "exit": 0.7}, "must not exceed"),
        ({"kind": "quantile", "enter": 0.4}, "greater than 0.5"),
        ({"kind": "threshold", "side": "short_only"}, "long_only"),
    ],
)
def test_contradicting_thresholds_are_errors(signal: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TypeAdapter(Signal).validate_python(signal)


def test_a_prediction_that_is_not_finite_names_its_symbol_and_bar(
    make_forecasts: MakeForecasts,
) -> None:
    with pytest.raises(Exception, match="not finite") as caught:
        make_forecasts({"A": [0.0, 0.1], "B": [0.2, np.nan]})
    assert f"B at {pd.Timestamp('2020-01-02', tz='UTC')}" in str(caught.value)
    assert caught.value.exit_code == 5
