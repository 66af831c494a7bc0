"""Ridge regression on the flattened lookback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from engine.core.errors import TrainingError
from engine.models.dataset import Prediction
from engine.models.forecaster import FittedForecaster, Forecaster

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import ModelInputs, TrainingSet
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

    @override
    def fit(
        self,
        training_set: TrainingSet,
        training: TrainingSpec,
        seed: int,
    ) -> FittedForecaster:
        """Fits one ridge for each penalty and keeps the best on the validation rows."""
        train, validation = (
            training_set.flat_sequences(rows, self.lookback)
            for rows in (training_set.train, training_set.validation)
        )
        target = training_set.target[training_set.train]
        actual = training_set.target[training_set.validation]
        fits = _solve(train, target, sorted(self.alphas))
        errors = [
            float(np.mean((validation @ weights + intercept - actual) ** 2))
            for weights, intercept in fits
        ]
        weights, intercept = fits[int(np.argmin(errors))]
        return FittedForecaster(self, (weights, np.array([intercept])))

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """Summed row by row: a product of matrices rounds a row by the number of rows."""
        coefficients, (intercept,) = fitted.weights
        products = inputs.flat_sequences(rows, self.lookback) * coefficients
        return Prediction(products.sum(axis=1) + intercept)


def _solve(train: Matrix, target: Vector, alphas: list[float]) -> list[tuple[Vector, float]]:
    """Weights and intercept for each penalty, of which the intercept is not penalised.

    (X'X + alpha I) w = X'y over centred rows; X'X is the same for all penalties. scikit-learn's
    Ridge gives the same weights, after an import of a second; SciPy's solvers take half of one.
    """
    mean, target_mean = train.mean(axis=0), target.mean()
    centred = train - mean
    products, moments = centred.T @ centred, centred.T @ (target - target_mean)
    if not (np.isfinite(products).all() and np.isfinite(moments).all()):
        raise TrainingError(
            "the train rows of a fit are not finite",
            expected="numbers whose squares are finite",
            found="NaN or infinity",
            fix="check the bars with `backtest data check`, or leave the feature out",
        )
    fits = []
    for alpha in alphas:
        penalised = products + alpha * np.eye(len(mean))
        weights: Vector = np.linalg.solve(penalised, moments)
        fits.append((weights, float(target_mean - mean @ weights)))
    return fits
