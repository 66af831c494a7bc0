"""The fitted models of a run, each with the sequences that it forecast and was fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.interpretation.sequences import Sequences, forecast_sequences
from engine.training.datasets import column_of, select_feature_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from engine.core.types import Vector
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.prepare import PreparedData
    from engine.training.fit_results import FitResults

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

    def forecast(self, sequences: Sequences) -> Vector:
        """(n,) what the fit forecasts of some sequences, over the traded horizon."""
        return forecast_sequences(self.model, sequences, self.horizon)

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The features of each branch."""
        transform = self.model.input_transform
        return tuple(columns.names for columns in (transform.columns, *transform.coarse))


def explained_fits(prepared: PreparedData, fits: FitResults) -> Iterator[ExplainedFit]:
    """The fits of the strategy that were not left out, in the order of their tasks.

    Args:
        prepared: Features and windows.
        fits: The outcomes of all tasks.
    """
    traded = prepared.feature_history.target.horizon
    windows = {window.index: window for window in prepared.windows}
    for task, outcome in zip(fits.tasks, fits.outcomes, strict=True):
        horizons = task.training_set.horizons
        if (
            task.book == STRATEGY_BOOK
            and not isinstance(outcome, TrainingError)
            and traded in horizons
        ):
            history, window = prepared.feature_history, windows[task.window]
            if history.panel is not None:
                window = history.own_split(task.symbol, window)
                history = history.seen_by(task.symbol)
            train, test = np.asarray(window.train), np.asarray(window.test)
            if not len(test):
                continue
            chosen = np.unique(np.linspace(0, len(train) - 1, BACKGROUND_ROWS).astype(np.int64))
            rows = range(int(train[0]), int(test[-1]) + 1)
            unscaled, places = select_feature_rows(history, outcome, task.symbol, rows)
            at = places[0] - rows.start
            read = np.concatenate([train[chosen], test]) + at
            inputs = outcome.prepare(unscaled, read)
            yield ExplainedFit(
                window=task.window,
                symbol=task.symbol,
                seed_index=task.seed_index,
                model=outcome,
                horizon=horizons.index(traded),
                stamps=history.features.timestamps[test],
                test=Sequences.of(inputs, test + at, outcome.lookback),
                realised=column_of(history.forward_returns[traded], task.symbol)[test],
                background=Sequences.of(inputs, train[chosen] + at, outcome.lookback),
                background_stamps=history.features.timestamps[train[chosen]],
            )
