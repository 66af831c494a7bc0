"""Lets the models of every window predict again from other features at many of its bars.

The prediction of a row depends on that row and on `FittedModel.context` rows before it alone, bit
for bit. So features are replaced at rows further apart than that, and every prediction that
depends on none of them has to be equal: those just before such a row are where a model that reads
a later row shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.core.randomness import derive_seed
from engine.leakage.comparison import OutputPair
from engine.leakage.perturb import perturb_feature_rows, perturb_features
from engine.training.forecast import predict_window

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from engine.core.types import IntVector
    from engine.leakage.comparison import OutputComparison
    from engine.pipeline.result import BacktestResult
    from engine.training.datasets import FeatureHistory
    from engine.training.forecast import Forecast
    from engine.training.task import FitTask

PASSES = 2
"""Times that each model predicts its test rows, with other rows replaced each time."""

COARSE_WINDOWS = 16
"""Windows at most in which coarser bars are replaced too, each from one close on."""


def probe_predictions(result: BacktestResult, comparison: OutputComparison) -> None:
    """Compares the predictions of every model of the first seed.

    Args:
        result: The run.
        comparison: Counts what is equal.

    Raises:
        LookaheadError: A prediction depends on a row after its own.
    """
    fits = zip(result.fits.tasks, result.fits.forecasts, strict=True)
    served = [
        (task, forecast)
        for task, forecast in fits
        if task.seed_index == 0 and not isinstance(forecast, TrainingError)
    ]
    if served:
        probe = _PredictionProbe(result, comparison)
        probe.compare_before_rows(served)
        probe.compare_before_coarse_bars(served)


class _PredictionProbe:
    def __init__(self, result: BacktestResult, comparison: OutputComparison) -> None:
        self._comparison = comparison
        self._tests = {window.index: window.test for window in result.prepared.windows}
        self._history = result.prepared.feature_history
        self._rng = np.random.default_rng(
            derive_seed(result.spec.seed, "certificate", "predictions")
        )

    def compare_before_rows(self, served: list[tuple[FitTask, Forecast]]) -> None:
        """Replaces rows of all test parts, as far apart as the longest context asks for."""
        context = max(forecast.fitted.context for _, forecast in served)
        first = min(test.start for test in self._tests.values())
        count = len(self._history.features.timestamps)
        for _ in range(PASSES):
            start = first + 1 + int(self._rng.integers(context + 2))
            replaced = np.arange(start, count, context + 2, dtype=np.int64)
            is_read = np.zeros(count, dtype=bool)
            for later in range(context + 1):
                is_read[replaced[replaced + later < count] + later] = True
            history = perturb_feature_rows(self._history, replaced)
            for task, forecast in served:
                test = self._tests[task.window]
                known = np.flatnonzero(~is_read[test.start : test.stop])
                self._require_equal(task, forecast, history, known)

    def compare_before_coarse_bars(self, served: list[tuple[FitTask, Forecast]]) -> None:
        """Replaces rows and coarser bars from a close on that completes one of these."""
        if not self._history.coarse:
            return
        latest = np.stack([coarse.latest for coarse in self._history.coarse])
        completes = np.append(False, (np.diff(latest, axis=1) != 0).any(axis=0))
        windows = self._rng.permutation(sorted({task.window for task, _ in served}))
        for window in windows[:COARSE_WINDOWS].tolist():
            test = self._tests[window]
            rows = np.flatnonzero(completes[test.start + 1 : test.stop])
            if not len(rows):
                continue
            known = np.arange(int(self._rng.choice(rows)) + 1)
            history = perturb_features(self._history, test.start + len(known) - 1)
            for task, forecast in served:
                if task.window == window:
                    self._require_equal(task, forecast, history, known)

    def _require_equal(
        self, task: FitTask, original: Forecast, history: FeatureHistory, known: IntVector
    ) -> None:
        """Compares rows of the test part, given by their position in it."""
        test = self._tests[task.window]
        again = predict_window(original.fitted, history, task.symbol, test)
        stamps = self._history.features.timestamps
        bars = stamps[test.start : test.stop][known]
        for pair in _pair_rows(task, bars, known, original, again):
            self._comparison.require_equal(pair, stamps[test.stop - 1])


def _pair_rows(
    task: FitTask, bars: pd.DatetimeIndex, known: IntVector, original: Forecast, again: Forecast
) -> Iterator[OutputPair]:
    yield OutputPair(
        "predictions", (f"{task}, test rows",), bars, original.test[known], again.test[known]
    )
    one, two = original.quantiles, again.quantiles
    if one is not None and two is not None:
        count = len(known)
        yield OutputPair(
            "predictions",
            (f"{task}, quantiles",),
            bars,
            one[known].reshape(count, -1),
            two[known].reshape(count, -1),
        )
