"""`rival_engine.py probes` and `rival_engine.py statistics SAMPLES.npz`: this engine's figures."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import rival_functions
import rival_statistics
from rival_samples import (
    DSR,
    DSR_TRIALS,
    DSR_VARIANCE,
    LEVEL,
    MINTRL,
    MINTRL_BENCHMARK,
    PSR,
    Printed,
)

from engine.auditing import probe_function
from engine.evaluation.config import EvaluationSpec
from engine.evaluation.inference import (
    TrackRecord,
    expected_maximum_sharpe,
    infer_sharpe_ratios,
    probabilistic_sharpe,
    probability_of_backtest_overfitting,
)
from engine.evaluation.inference.studentised_estimate import studentise_sharpe

SPEC = EvaluationSpec(resamples=1_000)


def measure(samples: dict[str, np.ndarray]) -> dict[str, Any]:
    """Printed examples, overfitting, and the tests of a run."""

    def record(example: Printed) -> TrackRecord:
        return TrackRecord(example.sharpe, example.bars, example.skewness, example.kurtosis)

    def bootstrap_p_value(returns: np.ndarray) -> float:
        inferred = infer_sharpe_ratios({"own": [returns]}, 252.0, SPEC, np.random.default_rng(0))
        return inferred["own"].p_value or 0.0

    def selection_p_value(returns: np.ndarray) -> float:
        estimate = studentise_sharpe(returns)
        return estimate.p_value if estimate else 1.0

    overfit = [
        probability_of_backtest_overfitting(samples[name]) for name in rival_statistics.MATRICES
    ]
    hurdle = expected_maximum_sharpe(DSR_TRIALS, DSR_VARIANCE**0.5)
    return {
        "psr": record(PSR).probability_above(0.0),
        "dsr": record(DSR).probability_above(hurdle),
        "mintrl": record(MINTRL).minimum_bars(MINTRL_BENCHMARK, 1 - LEVEL),
        "pbo": [each.probability if each else None for each in overfit],
        "tests": {
            "PSR": lambda returns: (probabilistic_sharpe(returns) or 0.0) > 1 - LEVEL,
            "block bootstrap": lambda returns: bootstrap_p_value(returns) <= LEVEL,
            "p-value of a grade": lambda returns: selection_p_value(returns) <= LEVEL,
        },
    }


if __name__ == "__main__":
    if sys.argv[1] == "probes":
        rival_functions.report(
            lambda function, bars: bool(probe_function(function, bars).findings)
        )
    else:
        with np.load(sys.argv[2]) as stored:
            everything = dict(stored)
        rival_statistics.report(measure(everything), everything)
