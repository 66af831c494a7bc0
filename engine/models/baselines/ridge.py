"""Ridge regression on the flattened lookback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field
from typing_extensions import override

from engine.core.errors import TrainingError
from engine.models.dataset import Prediction
from engine.models.forecaster import FittedForecaster, Forecaster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import ModelInputs, TrainingSet
    from engine.models.training.config import TrainingSpec


MAX_LAG_VALUES = 2**25
"""Values of the matrix of lags that are in memory together, 256 MB; larger ones are summed up."""


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
        rows, held_out = training_set.train, training_set.validation
        whole = len(rows) * self.lookback * training_set.column_count <= MAX_LAG_VALUES
        moments = _moments_of(training_set, rows, self.lookback, whole=whole)
        fits = _solve(moments, sorted(self.alphas))
        errors = _squared_errors(training_set, held_out, self.lookback, fits, whole=whole)
        weights, intercept = fits[int(np.argmin(errors))]
        return FittedForecaster(self, (weights, np.array([intercept])))

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """Summed row by row: a product of matrices rounds a row by the number of rows."""
        coefficients, (intercept,) = fitted.weights
        returns = np.empty(len(rows))
        for chunk in inputs.chunk_rows(len(rows), self.lookback):
            products = inputs.flat_sequences(rows[chunk], self.lookback) * coefficients
            returns[chunk] = products.sum(axis=1) + intercept
        return Prediction(returns)


class _Moments(NamedTuple):
    """Sums over the train rows: X'X and X'y of centred rows, and the means."""

    products: Matrix
    with_target: Vector
    mean: Vector
    target_mean: float


def _moments_of(
    training_set: TrainingSet, rows: IntVector, lookback: int, *, whole: bool
) -> _Moments:
    """The moments of the flattened sequences of some rows.

    Unless they are `whole` in memory they are added up chunk by chunk, which rounds otherwise in
    the last digits.
    """
    target = training_set.target[rows]
    width = lookback * training_set.column_count
    if whole:
        train = training_set.flat_sequences(rows, lookback)
        mean, target_mean = train.mean(axis=0), target.mean()
        centred = train - mean
        return _Moments(centred.T @ centred, centred.T @ (target - target_mean), mean, target_mean)
    chunks = list(training_set.chunk_rows(len(rows), lookback))
    mean, target_mean = np.zeros(width), float(target.mean())
    for chunk in chunks:
        mean += training_set.flat_sequences(rows[chunk], lookback).sum(axis=0)
    mean /= len(rows)
    products, with_target = np.zeros((width, width)), np.zeros(width)
    for chunk in chunks:
        centred = training_set.flat_sequences(rows[chunk], lookback) - mean
        products += centred.T @ centred
        with_target += centred.T @ (target[chunk] - target_mean)
    return _Moments(products, with_target, mean, target_mean)


def _squared_errors(
    training_set: TrainingSet,
    rows: IntVector,
    lookback: int,
    fits: Sequence[tuple[Vector, float]],
    *,
    whole: bool,
) -> list[float]:
    """The mean squared error of each fit on some rows."""
    errors, actual = np.empty((len(fits), len(rows))), training_set.target[rows]
    chunks = [slice(None)] if whole else training_set.chunk_rows(len(rows), lookback)
    for chunk in chunks:
        flat = training_set.flat_sequences(rows[chunk], lookback)
        for place, (weights, intercept) in enumerate(fits):
            errors[place, chunk] = (flat @ weights + intercept - actual[chunk]) ** 2
    return [float(np.mean(own)) for own in errors]


def _solve(moments: _Moments, alphas: list[float]) -> list[tuple[Vector, float]]:
    """Weights and intercept for each penalty, of which the intercept is not penalised.

    (X'X + alpha I) w = X'y over centred rows; X'X is the same for all penalties. scikit-learn's
    Ridge gives the same weights, after an import of a second; SciPy's solvers take half of one.
    """
    products, with_target, mean, target_mean = moments
    if not (np.isfinite(products).all() and np.isfinite(with_target).all()):
        raise TrainingError(
            "the train rows of a fit are not finite",
            expected="numbers whose squares are finite",
            found="NaN or infinity",
            fix="check the bars with `backtest data check`, or leave the feature out",
        )
    fits = []
    for alpha in alphas:
        penalised = products + alpha * np.eye(len(mean))
        weights: Vector = np.asarray(np.linalg.solve(penalised, with_target), np.float64)
        fits.append((weights, float(target_mean - mean @ weights)))
    return fits
