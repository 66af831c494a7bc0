"""Program: one forecast of every network by NumPy and by Keras, in turn.

Arguments: forecasts by NumPy and by `tf.function`, forecasts by `predict`. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from live_workload import LOOKBACK

from engine.models import AttentionLstm, CnnLstm, Gru, Lstm, Micdl, Mlp, Tcn, Transformer
from engine.models.inference import trace_program

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.models.networks.base import Network

COLUMNS, ROWS = 8, 256
NETWORKS: dict[str, Network] = {
    "LSTM(50)": Lstm(lookback=LOOKBACK),
    "LSTM 2x64": Lstm(lookback=LOOKBACK, units=(64, 64)),
    "bidirectional LSTM(64)": Lstm(lookback=LOOKBACK, units=(64,), bidirectional=True),
    "CNN-LSTM": CnnLstm(lookback=LOOKBACK),
    "MICDL": Micdl(lookback=LOOKBACK),
    "GRU(50)": Gru(lookback=LOOKBACK),
    "TCN": Tcn(lookback=LOOKBACK),
    "transformer": Transformer(lookback=LOOKBACK),
    "attention LSTM": AttentionLstm(lookback=LOOKBACK),
    "MLP": Mlp(lookback=LOOKBACK),
}
WARM_UP = 10


def main() -> None:
    """Measures every network and prints the table."""
    many, few = int(sys.argv[1]), int(sys.argv[2])
    sys.stdout.write(json.dumps({n: _measure(each, many, few) for n, each in NETWORKS.items()}))


def _measure(network: Network, many: int, few: int) -> dict[str, Any]:
    model = network.build_model(((tuple(range(COLUMNS)),),))
    weights = [keras.ops.convert_to_numpy(each) for each in model.variables]
    run = trace_program(model).bind(weights).run
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(ROWS, LOOKBACK, COLUMNS)).astype(np.float32)
    real = np.ones(1, dtype=bool)
    compiled = tf.function(lambda x, real: model([x, real], training=False))
    ways: dict[str, tuple[Callable[[np.ndarray], Any], int]] = {
        "numpy": (lambda x: run([x]), many),
        "tf_function": (lambda x: compiled(tf.constant(x), tf.constant(real)).numpy(), many),
        "predict": (lambda x: model.predict([x, real], verbose=0), few),
    }
    taken = _time_in_turn(ways, rows)
    oracle = model.predict_on_batch([rows, np.ones(ROWS, dtype=bool)])
    own = np.concatenate([run([rows[row : row + 1]]) for row in range(ROWS)])
    difference = np.abs(own - oracle).max() / oracle.std()
    return {
        "parameters": int(sum(each.size for each in weights)),
        "ms": {
            way: {
                "p50": 1e3 * float(np.median(seconds)),
                "p99": 1e3 * float(np.quantile(seconds, 0.99)),
            }
            for way, seconds in taken.items()
        },
        "largest_difference_over_sd": float(difference),
    }


def _time_in_turn(
    ways: dict[str, tuple[Callable[[np.ndarray], Any], int]], rows: np.ndarray
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(WARM_UP + max(count for _, count in ways.values())):
        row = rows[number % ROWS][None]
        for way, (call, count) in ways.items():
            if number < WARM_UP + count:
                start = time.perf_counter()
                call(row)
                taken[way].append(time.perf_counter() - start)
    return {way: seconds[WARM_UP:] for way, seconds in taken.items()}


if __name__ == "__main__":
    main()
