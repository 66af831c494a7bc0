"""The workload of the pooled LSTM: 250 bars of 100 symbols, sequences of 20 bars, 4 features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix, Vector

SYMBOLS, BARS, FEATURES, LOOKBACK = 100, 250, 4, 20
UNITS, BATCH_SIZE, CLIP_NORM = 32, 512, 1.0
_VALIDATION_SHARE = 0.05


def make_panel() -> tuple[Matrix, Vector, IntVector, IntVector]:
    """Inputs of all symbols below each other, their targets, and train and validation rows."""
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((SYMBOLS * BARS, FEATURES), dtype=np.float32)
    target = 0.01 * (0.3 * inputs[:, 0] + rng.standard_normal(len(inputs)))
    rows = np.arange(len(inputs)).reshape(SYMBOLS, BARS)[:, LOOKBACK - 1 :].ravel()
    mixed = rng.permutation(rows)
    few = int(_VALIDATION_SHARE * len(rows))
    return inputs, target, np.sort(mixed[few:]), np.sort(mixed[:few])
