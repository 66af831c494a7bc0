"""Program: a plain Keras loop that builds, compiles and fits a model for every window."""

from __future__ import annotations

import json
import sys
from typing import Any

import keras
import numpy as np
from workload import (
    BATCH_SIZE,
    CLIP_NORM,
    LEARNING_RATE,
    LOOKBACK,
    SERIES,
    Workload,
    make_parser,
    make_sequences,
)


def build_model() -> Any:  # noqa: ANN401 - Keras ships no types
    """A compiled MICDL of Keras layers."""
    inputs = [keras.Input((LOOKBACK, 1)) for _ in SERIES]
    branches = []
    for series in inputs:
        x = keras.layers.Conv1D(16, 2, activation="relu")(series)
        x = keras.layers.AveragePooling1D(2)(x)
        branches.append(keras.layers.LSTM(50)(x))
    x = keras.layers.Concatenate()(branches)
    for neurons, rate in ((256, 0.3), (64, 0.2)):
        x = keras.layers.Dense(neurons, activation="relu")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Dropout(rate)(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.compile(keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=CLIP_NORM), "mse")
    return model


def main() -> None:
    """Fits every window and prints the number of forecasts."""
    options = make_parser(__doc__).parse_args()
    work = Workload(options.windows, options.epochs)
    history = work.make_history()
    forecasts, losses = [], []
    for window in work.make_windows(history):
        train, validation, test = make_sequences(history, window)
        keras.backend.clear_session()
        keras.utils.set_random_seed(window.index)
        model = build_model()
        fitted = model.fit(
            train.series,
            train.target,
            batch_size=BATCH_SIZE,
            epochs=work.epochs,
            validation_data=(validation.series, validation.target),
            verbose=0,
        )
        losses.append(fitted.history["loss"][-1])
        forecasts.append(model.predict(test.series, verbose=0)[:, 0])
    summary = {"forecasts": len(np.concatenate(forecasts)), "train_loss": float(np.mean(losses))}
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
