"""Networks and single layers, their programs, and what Keras computes; run as a script.

A process has one backend of Keras, so that each backend has a process of its own, which leaves
arrays in a folder: `python -m tests.models.inference.keras_networks FOLDER`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from engine.models import AttentionLstm, CnnLstm, Gru, Lstm, Micdl, Mlp, Tcn, Transformer

ONE = (((0, 1, 2),),)
TWO_SYMBOLS = (((0, 1), (2,)),)
TWO_INTERVALS = (((0, 1), (2,)), ((0,), (2, 1)))

NETWORKS = {
    "lstm": (Lstm(lookback=8, units=(12,)), ONE, 1),
    "lstm stacked": (Lstm(lookback=8, units=(9, 7, 5)), TWO_INTERVALS, 3),
    "lstm bidirectional": (Lstm(lookback=8, units=(8, 6), bidirectional=True), TWO_SYMBOLS, 1),
    "lstm not unrolled": (Lstm(lookback=40, units=(6,)), ONE, 1),
    "gru": (Gru(lookback=8, units=(12, 5)), TWO_INTERVALS, 2),
    "gru bidirectional": (Gru(lookback=34, units=(8, 6), bidirectional=True), ONE, 1),
    "cnn_lstm": (CnnLstm(lookback=9, filters=8, units=12, dense=16), TWO_INTERVALS, 1),
    "micdl": (Micdl(lookback=8, filters=8, units=12, dense=(32, 16)), TWO_INTERVALS, 4),
    "attention_lstm": (AttentionLstm(lookback=8, units=8, attention_units=6), TWO_INTERVALS, 1),
    "transformer": (Transformer(lookback=8, width=8, heads=2, feed_forward=16), TWO_INTERVALS, 3),
    "tcn": (Tcn(lookback=20, filters=8), TWO_INTERVALS, 1),
    "mlp": (Mlp(lookback=8, dense=(16, 8)), TWO_SYMBOLS, 2),
}
COMPUTED_ON_JAX = ("lstm stacked", "transformer")
"""Programs do not depend on the backend; JAX needs seconds to compute each network."""

ROWS = 70
STEPS, COLUMNS = 8, 3


def layers() -> dict[str, Any]:
    """Name -> function of (batch, 8, 3)."""
    from keras import Sequential, activations, ops
    from keras import layers as of

    functions = (
        "elu gelu hard_sigmoid leaky_relu relu relu6 selu sigmoid silu softmax softplus softsign "
        "tanh exponential linear"
    )
    activated = {
        f"activation {name}": of.Activation(getattr(activations, name))
        for name in functions.split()
    }
    table = np.linspace(-1, 1, STEPS * COLUMNS).reshape(STEPS, COLUMNS).astype(np.float32)
    shared = of.Dense(COLUMNS)
    return activated | {
        "arithmetic": lambda x: (2 - x) * x / (1 + abs(x)) - x**2,
        "a constant for each step": lambda x: x + table,
        "average pooling": of.AveragePooling1D(3, strides=2, padding="same"),
        "batch normalisation of steps": of.BatchNormalization(axis=1),
        "bidirectional sum": of.Bidirectional(of.LSTM(4, return_sequences=True), merge_mode="sum"),
        "bidirectional mean": of.Bidirectional(of.GRU(4), merge_mode="ave"),
        "comparison": lambda x: ops.where(x > 0.3, ops.exp(x), ops.minimum(x, -0.1)),
        "convolution same": of.Conv1D(5, 4, strides=3, padding="same", activation="gelu"),
        "convolution dilated": of.Conv1D(5, 3, dilation_rate=2, padding="same", use_bias=False),
        "convolution causal": of.Conv1D(5, 3, dilation_rate=3, padding="causal"),
        "cropping and padding": lambda x: of.ZeroPadding1D((1, 3))(of.Cropping1D((2, 1))(x)),
        "cumulative sum": lambda x: ops.cumsum(ops.flip(x, axis=1), axis=1),
        "elements": lambda x: ops.concatenate([x[:, ::2, -1], x[..., 0], x[:, 3, 1:]], axis=1),
        "global pooling": lambda x: of.Concatenate()(
            [of.GlobalAveragePooling1D()(x), of.GlobalMaxPooling1D()(x)]
        ),
        "gru before": of.GRU(5, reset_after=False, return_sequences=True, go_backwards=True),
        "gru without bias": of.GRU(5, use_bias=False, recurrent_activation="hard_sigmoid"),
        "layer normalisation of two axes": of.LayerNormalization(axis=(1, 2), epsilon=0.01),
        "layers of activations": lambda x: of.ReLU(0.7, 0.1, 0.2)(of.LeakyReLU(0.4)(of.ELU(2)(x))),
        "lstm with other activations": of.LSTM(5, activation="relu", use_bias=False),
        "masked by a cast": lambda x: x * ops.cast(x > 0, "float32"),
        "matrix product": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        "max pooling": of.MaxPooling1D(3, strides=2, padding="same"),
        "merging": lambda x: of.Average()([of.Multiply()([x, x]), of.Subtract()([x, x * 2]), x]),
        "multi-head attention": lambda x: of.MultiHeadAttention(2, 5, value_dim=3)(x, x[:, 4:]),
        "nested sequential": Sequential([of.Dense(4, activation="relu"), of.Dense(2)]),
        "noise in training": lambda x: of.GaussianNoise(1.0)(of.GaussianDropout(0.5)(x)),
        "permutation": lambda x: of.Permute((2, 1))(ops.swapaxes(x, 1, 2)[:, :2]),
        "reductions": lambda x: ops.stack(
            [ops.mean(x, 1), ops.max(x, 1), ops.var(x, axis=1), ops.sum(x, axis=1)], axis=1
        ),
        "repeated vector": lambda x: of.RepeatVector(4)(of.Flatten()(x)),
        "reshaped": lambda x: ops.squeeze(of.Reshape((4, -1, 1))(x), axis=-1),
        "shared layer": lambda x: shared(shared(x)),
        "split": lambda x: ops.add(*ops.split(x, 2, axis=1)),
    }


def refused() -> dict[str, Any]:
    """Name -> function of (batch, 8, 3) that only Keras can compute."""
    import keras
    from keras import layers as of
    from keras import ops

    class Doubled(of.Dense):
        def call(self, inputs):
            return 2 * super().call(inputs)

    return {
        "Doubled": Doubled(2),
        "Dropout": lambda x: of.Dropout(0.5)(x, training=True),
        "Embedding": lambda x: of.Embedding(9, 2, mask_zero=True)(x[:, :, 0]),
        "FFT2": lambda x: ops.fft2((x, x))[0],
        "Flip": lambda x: ops.flip(x, axis=0),
        "GetItem": lambda x: x[0],
        "LSTM": lambda x: of.LSTM(2)(x, mask=x[:, :, 0] > 0),
        "Lambda": of.Lambda(lambda x: x + 1),
        "Mean": ops.mean,
        "Reshape": lambda x: ops.reshape(x, (-1, COLUMNS)),
        "Softmax": lambda x: keras.ops.softmax(x, axis=0),
        "Take": lambda x: ops.take(x, [0], axis=0),
        "Sort": lambda x: ops.sort(x, axis=0),
        "Subtract": lambda x: x[:, 0] - x,
        "Transpose": ops.transpose,
    }


def _model(function: Any) -> Any:
    import keras

    x = keras.Input((STEPS, COLUMNS), name="inputs_0")
    real = keras.Input((), dtype="bool", name="real")
    return keras.Model([x, real], function(x))


def _write(folder: Path, name: str, model: Any, rng: np.random.Generator) -> None:
    import keras
    from keras import ops

    from engine.models.inference import trace_program

    (folder / f"{name}.json").write_text(trace_program(model).model_dump_json())
    if keras.backend.backend() == "jax" and name not in COMPUTED_ON_JAX:
        return
    for variable in model.variables:
        value = ops.convert_to_numpy(variable)
        if value.dtype == np.float32:
            variable.assign(np.abs(value + rng.normal(scale=0.3, size=value.shape)) + 0.05)
            if "variance" not in variable.path:
                variable.assign(value + rng.normal(scale=0.3, size=value.shape))
    weights = [ops.convert_to_numpy(variable) for variable in model.variables]
    inputs = [rng.normal(size=(ROWS, *x.shape[1:])).astype(np.float32) for x in model.inputs[:-1]]
    outputs = ops.convert_to_numpy(model([*inputs, np.ones(ROWS, bool)], training=False))
    np.savez(
        folder / f"{name}.npz",
        outputs=outputs,
        **{f"weights_{index:03}": value for index, value in enumerate(weights)},
        **{f"inputs_{index}": value for index, value in enumerate(inputs)},
    )


def main(folder: Path) -> None:
    """Writes a program and arrays for each network and layer, and the messages of refusals."""
    from engine.models.inference import UnsupportedLayerError, trace_program
    from engine.models.training.weight_init import use_numpy_initializers

    rng = np.random.default_rng(7)
    with use_numpy_initializers():
        for name, (network, branches, outputs) in NETWORKS.items():
            _write(folder, name, network.build_model(branches, outputs), rng)
        for name, function in layers().items():
            _write(folder, name, _model(function), rng)
    messages = {}
    for name, function in refused().items():
        try:
            trace_program(_model(function))
        except UnsupportedLayerError as error:
            messages[name] = str(error)
    (folder / "refused.json").write_text(json.dumps(messages))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
