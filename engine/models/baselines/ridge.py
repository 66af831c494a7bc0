"""Ridge regression on the flattened lookback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.models.dataset import Forecast, WindowDataset
from engine.models.forecaster import Forecaster

if TYPE_CHECKING:
    from engine.models.training.config import TrainingSpec


class Ridge(Forecaster):
    """y = b + X w with the penalty alpha |w|^2 (Hoerl & Kennard 1970).

    Shapes: (n, lookback * k) -> (n,), k columns over all intervals. The penalty with the
    least squared error on the validation rows is chosen, the smaller of two equal ones.

    Attributes:
        alphas: Penalties to choose from.
    """

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False

    kind: Literal["ridge"] = "ridge"
    lookback: int = Field(default=5, ge=1, le=500)
    alphas: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(1.0, 10.0, 100.0, 1_000.0, 10_000.0), min_length=1
    )

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - no training loop, no random draws
        """Fits one ridge for each penalty and keeps the best on the validation rows."""
        from sklearn.linear_model import Ridge as Regression

        train, validation, test = (
            dataset.flat_sequences(rows, self.lookback)
            for rows in (dataset.train, dataset.validation, dataset.test)
        )
        fits = [
            Regression(alpha=alpha, solver="cholesky").fit(train, dataset.target[dataset.train])
            for alpha in sorted(self.alphas)
        ]
        actual = dataset.target[dataset.validation]
        errors = [float(np.mean((fit.predict(validation) - actual) ** 2)) for fit in fits]
        best = fits[int(np.argmin(errors))]
        weights = (best.coef_, np.array([best.intercept_]))
        return Forecast(
            best.predict(train), best.predict(validation), best.predict(test), weights=weights
        )
