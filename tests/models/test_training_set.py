"""A training set ends with the last validation row: no fit is handed a later bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.features.config import TargetSpec
from engine.training.datasets import build_training_set, with_horizons
from tests.models.planted_data import change, planted
from tests.training.histories import WINDOWS, history_of

if TYPE_CHECKING:
    from engine.models import TrainingSet

TWO_HORIZONS = TargetSpec(horizons=(1, 3))
LOOKBACK = 3


def lengths(training_set: TrainingSet) -> set[int]:
    return {
        len(training_set.inputs),
        len(training_set.trailing),
        len(training_set.target),
        *(len(coarse.latest) for coarse in training_set.coarse),
    }


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: f"window {window.index}")
def test_the_arrays_end_with_the_last_validation_row(window) -> None:
    training_set, _ = build_training_set(history_of(), "X", window, LOOKBACK)
    assert lengths(training_set) == {training_set.validation[-1] + 1}
    last = window.validation.stop - window.train.start + LOOKBACK - 1
    assert training_set.validation[-1] + 1 == last


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: f"window {window.index}")
def test_the_labels_of_direct_forecasts_end_there_too(window) -> None:
    history = history_of(TWO_HORIZONS)
    one, _ = build_training_set(history, "X", window, LOOKBACK)
    both = with_horizons(one, history, "X", window, (1, 3))
    assert both.target.shape == (both.validation[-1] + 1, 2)
    assert lengths(both) == {both.validation[-1] + 1}


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: f"window {window.index}")
def test_a_recursive_forecast_has_one_more_row_of_inputs_and_its_target_is_nan(window) -> None:
    history = history_of(TWO_HORIZONS)
    one, _ = build_training_set(history, "X", window, LOOKBACK)
    recursive = with_horizons(one, history, "X", window, (1, 3), recursive=True)
    last = recursive.validation[-1]
    assert lengths(recursive) == {last + 2}
    assert np.isnan(recursive.target[last + 1])
    assert np.isfinite(recursive.target[recursive.train[0] : last + 1]).all()
    assert recursive.inputs[: last + 1].tobytes() == one.inputs.tobytes()


@pytest.mark.parametrize("recursive", [False, True])
def test_an_example_of_the_contract_checks_ends_there(recursive: bool) -> None:
    training_set = change(planted(), recursive=recursive).training_set
    last = training_set.validation[-1]
    assert lengths(training_set) == {last + 1 + recursive}
    assert np.isnan(training_set.target[last + 1 :]).all()
