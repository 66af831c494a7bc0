"""What the signals stage receives from the refits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import RefitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.types import Rows, Vector, WideFrame


@dataclass(frozen=True, eq=False)
class Forecasts:
    """One predicted return for every out-of-sample bar and target symbol.

    Attributes:
        predicted: Wide, out-of-sample bars: simple return over the horizon, mean over seeds; NaN
            only where `train_predictions` lacks the window and symbol: nothing is forecast there.
        window: The window each row of `predicted` belongs to, shape (n,).
        train_predictions: Window, then symbol: predictions on that window's train rows, mean
            over seeds.

    Raises:
        RefitError: A prediction is not finite.
    """

    predicted: WideFrame
    window: Rows
    train_predictions: Mapping[int, Mapping[str, Vector]]

    def __post_init__(self) -> None:
        """Refuses predictions that are not finite."""
        forecast = [
            np.isin(self.window, [w for w, made in self.train_predictions.items() if name in made])
            for name in self.predicted.columns
        ]
        finite = np.isfinite(self.predicted.to_numpy()) | ~np.column_stack(forecast)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise RefitError(
                "A prediction is not finite",
                expected="a number for every out-of-sample bar",
                found=f"{np.count_nonzero(~finite)} of {finite.size} missing",
                where=f"{self.predicted.columns[column]} at {self.predicted.index[row]}",
                fix="look at its window's losses; lower training.optimizer.learning_rate",
            )
