"""A network whose weights are given, not trained: its forward pass is one dense layer."""

from __future__ import annotations

import numpy as np

from engine.models import FittedForecaster, Mlp

LOOKBACK, COLUMNS = 2, 3
NETWORK = Mlp(lookback=LOOKBACK)


def make_network(seed: int = 0, model: Mlp = NETWORK, columns: int = COLUMNS) -> FittedForecaster:
    """Random weights of a fit of `model`: a matrix, and a bias of 0.25."""
    rng = np.random.default_rng(seed)
    inputs = model.lookback * columns
    program = {
        "input_shapes": [[model.lookback, columns]],
        "operations": [
            {"kind": "reshape", "inputs": [0], "attributes": {"sizes": [inputs]}},
            {"kind": "dense", "inputs": [2], "weights": [0, 1]},
        ],
        "output": 3,
        "chunk_rows": 40,
    }
    state = {
        "program": program,
        "n_returns": 1,
        "levels": [],
        "n_inputs": 0,
        "target_mean": [0.0],
        "target_std": [0.01],
        "backend": "tensorflow",
    }
    weights = (rng.normal(size=(inputs, 1)).astype(np.float32), np.float32([0.25]))
    return FittedForecaster(model, weights, state)
