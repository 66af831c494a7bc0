"""The workload of all programs: MICDL on three random series, walk-forward.

1,152 train samples of 14 bars, batches of 64, Adam, MSE, 20 epochs, no early stopping; after every
epoch the validation loss, after the last one the forecasts of the test bars.
"""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.features.build import FeatureMatrix
from engine.features.config import TargetSpec
from engine.splits.config import StandardScaling, WindowSpec
from engine.splits.walk_forward import WalkForwardWindow, make_walk_forward_windows
from engine.training.feature_history import FeatureHistory

if TYPE_CHECKING:
    import numpy.typing as npt

SERIES = ("A", "B", "C")
LOOKBACK = 14
TRAIN = 1_152
VALIDATION = 94
TEST = 30
BATCH_SIZE = 64
LEARNING_RATE = 1e-3
CLIP_NORM = 1.0
SIGNAL_CORRELATION = 0.5
"""Correlation of the return with the value that forecasts it, so that the loss can fall."""


@dataclass(frozen=True)
class Workload:
    """The size of the workload.

    Attributes:
        windows: Number of windows.
        epochs: Epochs of each fit.
    """

    windows: int = 24
    epochs: int = 20

    @property
    def bars(self) -> int:
        """Bars of the history: lookback, train, validation and tests, with gaps of 1 between."""
        return LOOKBACK - 1 + TRAIN + 1 + VALIDATION + 1 + TEST * self.windows

    def make_history(self) -> FeatureHistory:
        """Three standard normal series; the first forecasts its own next return."""
        rng = np.random.default_rng(2021)
        values = rng.normal(size=(self.bars, len(SERIES)))
        noise = rng.normal(size=self.bars)
        ahead = 0.02 * (
            SIGNAL_CORRELATION * values[:, 0] + np.sqrt(1 - SIGNAL_CORRELATION**2) * noise
        )
        timestamps = pd.date_range("2015-01-01", periods=self.bars, freq="D", tz="UTC")
        features = FeatureMatrix(
            timestamps=timestamps,
            values=values,
            names=SERIES,
            symbol_columns=tuple((name, (column,)) for column, name in enumerate(SERIES)),
            warmup=0,
        )
        returns = pd.DataFrame({SERIES[0]: ahead}, index=timestamps)
        return FeatureHistory(
            features, {1: returns}, {1: returns.shift(1)}, TargetSpec(), StandardScaling()
        )

    def make_windows(self, history: FeatureHistory) -> tuple[WalkForwardWindow, ...]:
        """The windows, in time order."""
        spec = WindowSpec(train=TRAIN, validation=VALIDATION, test=TEST)
        windows = make_walk_forward_windows(
            history.features.timestamps, spec, first_row=LOOKBACK - 1, horizon=1
        )
        assert len(windows) == self.windows
        return windows


@dataclass(frozen=True)
class SequenceArrays:
    """One part of a window with materialised sequences, as in a plain loop.

    Attributes:
        series: One (n, lookback, 1) float32 array for each series.
        target: (n, 1) float32, scaled by the train rows.
    """

    series: list[npt.NDArray[np.float32]]
    target: npt.NDArray[np.float32]


def make_sequences(
    history: FeatureHistory, window: WalkForwardWindow
) -> tuple[SequenceArrays, SequenceArrays, SequenceArrays]:
    """Train, validation and test part, scaled by the train rows."""
    values, target = history.features.values, history.forward_returns[1][SERIES[0]].to_numpy()
    train = slice(window.train.start, window.train.stop)
    scaled = (values - values[train].mean(axis=0)) / values[train].std(axis=0)
    scaled_target = (target - target[train].mean()) / target[train].std()

    def part(rows: range) -> SequenceArrays:
        steps = np.asarray(rows)[:, None] + np.arange(1 - LOOKBACK, 1)
        cube = scaled[steps].astype(np.float32)
        return SequenceArrays(
            [cube[:, :, column : column + 1] for column in range(len(SERIES))],
            scaled_target[rows.start : rows.stop, None].astype(np.float32),
        )

    return part(window.train), part(window.validation), part(window.test)


def make_parser(description: str | None) -> ArgumentParser:
    """A parser with the arguments that all programs have."""
    arguments = ArgumentParser(description=description)
    arguments.add_argument("--windows", type=int, default=Workload.windows)
    arguments.add_argument("--epochs", type=int, default=Workload.epochs)
    return arguments
