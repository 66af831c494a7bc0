"""Generated windows for tests of forecasters, and what a fit predicts of their rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.models import (
    AlwaysUp,
    Drift,
    Ensemble,
    GradientBoosting,
    Persistence,
    Ridge,
    TrainingSpec,
)
from engine.testing import make_example as planted
from engine.testing.models import ModelExample, cut_training_set

if TYPE_CHECKING:
    import numpy as np

    from engine.models import FittedForecaster, Forecaster

__all__ = ["WITHOUT_KERAS", "ExampleForecast", "change", "fit_and_predict", "planted"]

WITHOUT_KERAS = [
    Ridge(),
    Ridge(lookback=1),
    Ridge(lookback=30),
    GradientBoosting(trees=30),
    Persistence(),
    Persistence(of="price"),
    Drift(),
    AlwaysUp(),
    Ensemble(members=(Ridge(), Drift(), Persistence()), combine="median"),
    Ensemble(members=(Ridge(), Drift()), combine="validation_weighted"),
]


@dataclass(frozen=True, eq=False)
class ExampleForecast:
    """A fit of an example, and its predictions of each part; `quantiles` of the test rows."""

    fitted: FittedForecaster
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    quantiles: np.ndarray | None = None


def fit_and_predict(
    model: Forecaster, example: ModelExample, training: TrainingSpec | None = None, seed: int = 1
) -> ExampleForecast:
    """Fits on the training set, then predicts train, validation and test rows."""
    learnt = example.training_set
    fitted = model.fit(learnt, training or TrainingSpec(), seed)
    train, validation = (
        fitted.predict(learnt, rows).returns for rows in (learnt.train, learnt.validation)
    )
    test = fitted.predict(example.inputs, example.test)
    return ExampleForecast(fitted, train, validation, test.returns, test.quantiles)


def change(
    example: ModelExample,
    *,
    target: np.ndarray | None = None,
    train: np.ndarray | None = None,
    validation: np.ndarray | None = None,
    test: np.ndarray | None = None,
    **inputs: Any,
) -> ModelExample:
    """The example with other arrays; its training set ends with the last validation row."""
    known = example.training_set
    every_row = replace(example.inputs, **inputs)
    returns = example.target if target is None else target
    training_set = cut_training_set(
        every_row,
        returns,
        known.train if train is None else train,
        known.validation if validation is None else validation,
    )
    return ModelExample(training_set, every_row, example.test if test is None else test, returns)
