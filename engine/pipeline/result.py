"""The result of the stages from fits to simulation, from which a run is evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import WideFrame
    from engine.pipeline.prepared_data import PreparedData
    from engine.simulation.portfolio import SimulationResult
    from engine.strategy import Strategy
    from engine.training.out_of_sample import Predictions
    from engine.training.results import FitResults


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """Forecasts, decisions and books: what the leakage test repeats and the evaluation reads.

    Attributes:
        spec: The strategy.
        prepared: Bars, features and windows of all books.
        fits: All fits.
        predictions: Book -> out-of-sample forecasts.
        weights: Book -> target weights.
        books: Book -> simulated result.
    """

    spec: Strategy
    prepared: PreparedData
    fits: FitResults
    predictions: Mapping[str, Predictions]
    weights: Mapping[str, WideFrame]
    books: Mapping[str, SimulationResult]

    @property
    def returns(self) -> pd.DataFrame:
        """Index timestamp, a column a book: net return of the bar."""
        return pd.DataFrame({name: book.returns for name, book in self.books.items()})
