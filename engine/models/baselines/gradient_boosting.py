"""Gradient boosting: many small trees on the flattened lookback."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.models.dataset import Forecast, TrainingHistory, WindowDataset
from engine.models.forecaster import Forecaster

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.training.config import TrainingSpec


class GradientBoosting(Forecaster):
    """y = mean + rate * (tree_1(x) + .. + tree_m(x)); each tree fits the last residuals.

    Shapes: (n, lookback * k) -> (n,), k columns over all intervals. m is the number of trees with
    the least squared error on the validation rows; scikit-learn's own early stopping would hold
    out random rows instead.
    In the forecast's history an epoch is a tree; the trees themselves are not stored.
    Source: Friedman (2001), Annals of Statistics 29(5); on histograms as LightGBM (Ke et al.
    2017, NeurIPS).

    Attributes:
        trees: Largest number of trees.
        learning_rate: Share of each tree's fit that is added.
        leaves: Largest number of leaves of a tree.
        min_leaf_rows: Least number of train rows in a leaf.
        l2: L2 penalty on the leaf values, equivalent to that many rows.
    """

    costly: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False

    kind: Literal["gradient_boosting"] = "gradient_boosting"
    lookback: int = Field(default=5, ge=1, le=500)
    trees: int = Field(default=200, ge=1, le=10_000)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    leaves: int = Field(default=15, ge=2, le=1024)
    min_leaf_rows: int = Field(default=20, ge=1)
    l2: float = Field(default=0.0, ge=0)

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - no training loop, no random draws
        """Fits all trees, then keeps those up to the best number on the validation rows."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        train, validation, test = (
            dataset.flat_sequences(rows, self.lookback)
            for rows in (dataset.train, dataset.validation, dataset.test)
        )
        booster = HistGradientBoostingRegressor(
            max_iter=self.trees,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.min_leaf_rows,
            l2_regularization=self.l2,
            early_stopping=False,
            random_state=0,  # above 200,000 rows the bins' edges come from a sample
        ).fit(train, dataset.target[dataset.train])

        def losses(inputs: Matrix, rows: IntVector) -> Vector:
            actual = dataset.target[rows]
            staged = [np.mean((p - actual) ** 2) for p in booster.staged_predict(inputs)]
            return np.array(staged) / (np.var(dataset.target[dataset.train]) or 1.0)

        on_validation = losses(validation, dataset.validation)
        best = int(np.argmin(on_validation))
        on_train = losses(train, dataset.train)

        def predict(inputs: Matrix) -> Vector:
            predicted: Vector = next(islice(booster.staged_predict(inputs), best, None))
            return predicted

        return Forecast(
            predict(train),
            predict(validation),
            predict(test),
            TrainingHistory(tuple(on_train.tolist()), tuple(on_validation.tolist()), best),
        )
