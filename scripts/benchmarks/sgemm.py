"""The arithmetic of the workload, and the sgemm rate of the machine.

Multiplications of MICDL for one sample of three series of one column, lookback 14:

    convolution   3 x 13 steps x (2 x 1) x 16                =     1,248
    LSTM          3 x  6 steps x (16 + 50) x (4 x 50)        =   237,600
    dense         150 x 256 + 256 x 64 + 64 x 1              =    54,848
                                                               ---------
                                                                 293,696

Each comes with an addition, so a forward pass is 0.587 MFLOP. A training step takes three times
that: forward pass, gradient of the inputs, gradient of the weights. Activations, batch norm,
dropout and the optimizer are not counted, so the reported fraction of sgemm is a lower bound.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from workload import LOOKBACK, SERIES, TEST, TRAIN, VALIDATION, Workload

FILTERS, UNITS, DENSE = 16, 50, (256, 64)
MATRIX_SIZE = 2_048
BACKWARD_PASSES = 2


def forward_flop() -> int:
    """FLOP of one sample, see above."""
    steps = LOOKBACK - 1
    convolution = steps * 2 * FILTERS
    recurrence = steps // 2 * (FILTERS + UNITS) * 4 * UNITS
    first, second = DENSE
    dense = len(SERIES) * UNITS * first + first * second + second
    return 2 * (len(SERIES) * (convolution + recurrence) + dense)


def workload_flop(workload: Workload) -> int:
    """FLOP of all windows: training, the validation loss of every epoch, the test forecasts."""
    forward_passes = workload.epochs * (TRAIN * (1 + BACKWARD_PASSES) + VALIDATION) + TEST
    return workload.windows * forward_passes * forward_flop()


def measure_sgemm_rate() -> float:
    """FLOP per second of NumPy's float32 product on all cores: the best of ten."""
    left, right = np.random.default_rng(0).random((2, MATRIX_SIZE, MATRIX_SIZE), dtype=np.float32)
    fastest = np.inf
    for _ in range(10):
        start = time.perf_counter()
        left @ right
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * MATRIX_SIZE**3 / fastest


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"sgemm_flop_per_s": measure_sgemm_rate()}) + "\n")
