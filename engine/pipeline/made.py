"""What a run made of its bars, from which everything it tells is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.pipeline.ground import Ground
    from engine.refit.fits import Fits
    from engine.refit.stitch import Predictions
    from engine.simulation.result import Result
    from engine.strategy import Strategy
    from engine.types import WideFrame


@dataclass(frozen=True, eq=False)
class Made:
    """Everything that a certificate makes again and a verdict is drawn from.

    Attributes:
        spec: The strategy.
        ground: What its books stand on.
        fits: All fits.
        predictions: Book -> stitched forecasts.
        weights: Book -> decisions.
        books: Book -> what they came to.
    """

    spec: Strategy
    ground: Ground
    fits: Fits
    predictions: Mapping[str, Predictions]
    weights: Mapping[str, WideFrame]
    books: Mapping[str, Result]

    @property
    def returns(self) -> pd.DataFrame:
        """Index timestamp, a column a book: net return of the bar."""
        return pd.DataFrame({name: book.returns for name, book in self.books.items()})
