"""The fitted models of a run, each with the sequences that it forecast and was fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.interpretation.sequences import Sequences, forecast_sequences
from engine.training.datasets import select_feature_rows
from engine.training.feature_history import column_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pandas as pd

    from engine.core.types import Matrix, Vector
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.prepared_data import PreparedData
    from engine.splits.rows import TrainTestSplit
    from engine.training.fit_results import FitResults
    from engine.training.task import FitTask

BACKGROUND_ROWS = 256
"""Train rows of a fit that stand for all of them: at equal distances, the first and last too."""


@dataclass(frozen=True, eq=False)
class ExplainedFit:
    """One fit of the strategy: what it read of its test rows, and of train rows.

    Attributes:
        window: Index of the window.
        symbol: Symbol of the forecast.
        seed_index: Index among the seeds.
        model: The fitted model.
        horizon: Place of the traded horizon among those of the model.
        stamps: (n,) of its test rows, those it forecast.
        test: (n,) sequences of the test rows.
        realised: (n,) realised return over the traded horizon; NaN where not yet known.
        background: Sequences of at most `BACKGROUND_ROWS` train rows.
        background_stamps: Of these rows.
        unscaled: (n, k) features of the bars' own interval at the test rows, before scaling.
    """

    window: int
    symbol: str
    seed_index: int
    model: FittedModel
    horizon: int
    stamps: pd.DatetimeIndex
    test: Sequences
    realised: Vector
    background: Sequences
    background_stamps: pd.DatetimeIndex
    unscaled: Matrix

    def forecast(self, sequences: Sequences) -> Vector:
        """(n,) what the fit forecasts of some sequences, over the traded horizon."""
        return forecast_sequences(self.model, sequences, self.horizon)

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The features of each branch."""
        transform = self.model.input_transform
        return tuple(columns.names for columns in (transform.columns, *transform.coarse))


def explained_fits(
    prepared: PreparedData, fits: FitResults, symbols: Collection[str]
) -> Iterator[ExplainedFit]:
    """The fits of the strategy that were not left out, in the order of their tasks.

    Args:
        prepared: Features and windows.
        fits: The outcomes of all tasks.
        symbols: Whose fits.
    """
    for task, outcome in zip(fits.tasks, fits.outcomes, strict=True):
        if task.book == STRATEGY_BOOK and task.symbol in symbols:
            fit = None if isinstance(outcome, TrainingError) else _explain(prepared, task, outcome)
            if fit is not None:
                yield fit


def _explain(prepared: PreparedData, task: FitTask, model: FittedModel) -> ExplainedFit | None:
    """None where another fit has the traded horizon, or no row of the symbol is forecast."""
    history, horizons = prepared.feature_history, task.training_set.horizons
    window = {each.index: each for each in prepared.windows}[task.window]
    traded = history.target.horizon
    if traded not in horizons:
        return None
    split: TrainTestSplit = window
    test = np.asarray(window.test)
    if history.panel is not None and not model.input_transform.symbols:
        panel = history.panel
        own = panel.own_range(task.symbol, window.test)
        places = panel.place(task.symbol, own) - window.test.start
        test = np.asarray(own)[panel.forecast_rows(task.symbol, window.test)[places]]
        split, history = history.own_split(task.symbol, window), history.seen_by(task.symbol)
    train = np.asarray(split.train)
    if not len(test) or not len(train):
        return None
    chosen = train[np.unique(np.linspace(0, len(train) - 1, BACKGROUND_ROWS).astype(np.int64))]
    rows = range(int(train[0]), int(test[-1]) + 1)
    unscaled, at = select_feature_rows(history, model, task.symbol, rows)
    shift = int(at[0]) - rows.start
    inputs = model.prepare(unscaled, np.concatenate([chosen, test]) + shift)
    return ExplainedFit(
        window=task.window,
        symbol=task.symbol,
        seed_index=task.seed_index,
        model=model,
        horizon=horizons.index(traded),
        stamps=history.features.timestamps[test],
        test=Sequences.of(inputs, test + shift, model.lookback),
        realised=column_of(history.forward_returns[traded], task.symbol)[test],
        background=Sequences.of(inputs, chosen + shift, model.lookback),
        background_stamps=history.features.timestamps[chosen],
        unscaled=history.features.values[test],
    )
