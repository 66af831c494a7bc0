"""Measurements on a network's built model, taken in a worker with real settings."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engine.models import AttentionLstm, Forecast

if TYPE_CHECKING:
    from engine.models import TrainingSpec, WindowDataset
    from engine.models.networks.base import Network


@dataclass(frozen=True, kw_only=True)
class Inspection(Forecast):
    """A forecast, and measurements on a network with its weights.

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


@dataclass(frozen=True, kw_only=True)
class AttentiveForecast(Forecast):
    """A forecast, and its network's attention weights on the test rows."""

    attention_weights: np.ndarray


def fields_of(forecast: Forecast) -> dict[str, Any]:
    return {part.name: getattr(forecast, part.name) for part in fields(Forecast)}


@dataclass(frozen=True)
class Inspect:
    """Takes the place of a forecaster in a task, and returns an inspection of its fit."""

    network: Network
    stochastic: bool = False
    kind: ClassVar[str] = "inspect"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Any:
        forecast = self.network.fit_predict(dataset, training, seed)
        model = self.network.build_model(dataset.branches)
        for variable, value in zip(model.variables, forecast.weights, strict=True):
            variable.assign(value)
        x = dataset.sequences(dataset.test, self.network.lookback)
        outputs = _outputs(model, x)
        before, since = _changes(model, x) if _blocks(model) else ([], [])
        attention = None
        if isinstance(self.network, AttentionLstm):
            attention = self.network.attention_weights(dataset, forecast, dataset.test)
        return Inspection(
            outputs=outputs,
            loaded=_saved_and_loaded(model, x),
            without_effect=_without_effect(model, x, outputs),
            penalties=len(model.losses),
            before=before,
            since=since,
            attention_weights=attention,
            **fields_of(forecast),
        )


@dataclass(frozen=True)
class ReadAttention:
    """Takes the place of a forecaster in a task; adds the attention weights to its forecast."""

    network: AttentionLstm
    stochastic: bool = False
    kind: ClassVar[str] = "read_attention"

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Any:
        forecast = self.network.fit_predict(dataset, training, seed)
        attention = self.network.attention_weights(dataset, forecast, dataset.test)
        return AttentiveForecast(attention_weights=attention, **fields_of(forecast))


def _outputs(model: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict_on_batch([x, np.ones(len(x), bool)]))[:, 0]


def _saved_and_loaded(model: Any, x: np.ndarray) -> np.ndarray:
    import keras

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.keras"
        model.save(file)
        loaded = keras.saving.load_model(file, safe_mode=True)
    read = loaded([x, np.ones(len(x), bool)], training=False)
    return keras.ops.convert_to_numpy(read)[:, 0]


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
