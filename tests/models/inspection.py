"""Predictions of test rows and measurements on a built network, taken in a worker."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engine.models import AttentionLstm, FittedForecaster
from tests.models.planted_data import ExampleForecast

if TYPE_CHECKING:
    from engine.models import Forecaster, TrainingSet, TrainingSpec
    from engine.models.fitted_model import FittedModel
    from engine.models.networks.base import Network
    from engine.testing.models import ModelExample


@dataclass(frozen=True, kw_only=True, eq=False)
class ExampleFit(FittedForecaster):
    """A fit, and what it predicts of an example's test rows."""

    test: np.ndarray
    quantiles: np.ndarray | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Inspection(FittedForecaster):
    """A fit, and measurements on a network with its weights.

    Attributes:
        outputs: Of the test rows.
        loaded: The same, by a model saved in Keras' format and loaded again.
        without_effect: Trainable weights that the outputs do not depend on.
        penalties: Terms added to the training loss.
        before: By step: largest change of any causal block's earlier states when it is changed.
        since: By step: largest change of the outputs when it is changed.
        attention_weights: Of `AttentionLstm.attention_weights`, on the test rows.
    """

    outputs: np.ndarray
    loaded: np.ndarray
    without_effect: list[str]
    penalties: int
    before: list[float]
    since: list[float]
    attention_weights: np.ndarray | None


@dataclass(frozen=True)
class OnExample:
    """Takes the place of a forecaster in a task, and predicts the example's test rows there."""

    model: Forecaster
    example: ModelExample

    @property
    def kind(self) -> str:
        return self.model.kind

    @property
    def stochastic(self) -> bool:
        return self.model.stochastic

    def fit(self, training_set: TrainingSet, training: TrainingSpec, seed: int) -> ExampleFit:
        fitted = self.model.fit(training_set, training, seed)
        prediction = fitted.predict(self.example.inputs, self.example.test)
        return ExampleFit(
            test=prediction.returns, quantiles=prediction.quantiles, **fields_of(fitted)
        )


@dataclass(frozen=True)
class Inspect:
    """Takes the place of a forecaster in a task, and returns an inspection of its fit."""

    network: Network
    example: ModelExample
    stochastic: bool = False
    kind: ClassVar[str] = "inspect"

    def fit(self, training_set: TrainingSet, training: TrainingSpec, seed: int) -> Inspection:
        fitted = self.network.fit(training_set, training, seed)
        from engine.models.training.weight_init import use_numpy_initializers

        inputs, rows = self.example.inputs, self.example.test
        # Keras' own initial weights are a program to compile for each shape on JAX.
        with use_numpy_initializers():
            model = self.network.build_model(inputs.branches, fitted.weights[-1].shape[-1])
        for variable, value in zip(model.variables, fitted.weights, strict=True):
            variable.assign(value)
        x = inputs.sequences(rows, self.network.lookback)
        outputs = _outputs(model, x)
        before, since = _changes(model, x) if _blocks(model) else ([], [])
        attention = None
        if isinstance(self.network, AttentionLstm):
            attention = self.network.attention_weights(fitted, inputs, rows)
        return Inspection(
            outputs=outputs,
            loaded=_saved_and_loaded(model, x),
            without_effect=_without_effect(model, x, outputs),
            penalties=len(model.losses),
            before=before,
            since=since,
            attention_weights=attention,
            **fields_of(fitted),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class AttentiveFit(FittedForecaster):
    """A fit, and its network's attention weights on the test rows."""

    attention_weights: np.ndarray


@dataclass(frozen=True)
class ReadAttention:
    """Takes the place of a forecaster in a task; adds the attention weights to its fit."""

    network: AttentionLstm
    example: ModelExample
    stochastic: bool = False
    kind: ClassVar[str] = "read_attention"

    def fit(self, training_set: TrainingSet, training: TrainingSpec, seed: int) -> AttentiveFit:
        fitted = self.network.fit(training_set, training, seed)
        attention = self.network.attention_weights(fitted, self.example.inputs, self.example.test)
        return AttentiveFit(attention_weights=attention, **fields_of(fitted))


def fields_of(fitted: FittedForecaster) -> dict[str, Any]:
    return {part.name: getattr(fitted, part.name) for part in fields(FittedForecaster)}


def to_forecast(outcome: FittedModel) -> ExampleForecast:
    """The predictions of a task whose model was `OnExample`."""
    fit = outcome.forecaster
    return ExampleForecast(fit, outcome.train, outcome.validation, fit.test, fit.quantiles)


def _outputs(model: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict_on_batch([x, np.ones(len(x), bool)]))[:, 0]


def _saved_and_loaded(model: Any, x: np.ndarray) -> np.ndarray:
    import keras

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.keras"
        model.save(file)
        loaded = keras.saving.load_model(file, safe_mode=True)
    return _outputs(loaded, x)


def _without_effect(model: Any, x: np.ndarray, outputs: np.ndarray) -> list[str]:
    rng = np.random.default_rng(0)
    idle = []
    for variable in model.trainable_variables:
        value = np.array(variable)
        variable.assign(value + rng.normal(size=value.shape))
        if np.allclose(_outputs(model, x), outputs, rtol=0, atol=1e-5):
            idle.append(variable.path)
        variable.assign(value)
    return idle


def _blocks(model: Any) -> list[Any]:
    return [layer.output for layer in model.layers if layer.name.startswith("block_")]


def _changes(model: Any, x: np.ndarray) -> tuple[list[float], list[float]]:
    import keras

    reader = keras.Model(model.inputs, [*_blocks(model), model.output])

    def read(inputs: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        *states, output = reader.predict_on_batch([inputs, np.ones(len(inputs), bool)])
        return [np.asarray(state) for state in states], np.asarray(output)

    states, output = read(x)
    before, since = [], []
    for step in range(x.shape[1]):
        changed = x.copy()
        changed[:, step] += 1
        now, then = read(changed)
        gaps = [np.abs(a - b)[:, :step] for a, b in zip(states, now, strict=True)]
        before.append(max(float(gap.max(initial=0)) for gap in gaps))
        since.append(float(np.abs(then - output).max()))
    return before, since
