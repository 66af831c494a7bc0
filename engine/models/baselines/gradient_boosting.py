"""Gradient boosting: many small trees on the flattened lookback, the strongest cheap opponent."""

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
    """y = mean + rate * (tree_1(x) + .. + tree_m(x)); each tree fits what the others left over.

    Shapes: (n, lookback * k) -> (n,), k columns over all intervals. m is the number of trees with
    the least squared error on the validation rows; scikit-learn's own early stopping would hold
    back random rows instead.
    In the forecast's history an epoch is a tree; the trees themselves are not kept with it.
    Source: Friedman (2001), Annals of Statistics 29(5); on histograms as LightGBM (Ke et al.
    2017, NeurIPS).

    Attributes:
        trees: At most this many.
        learning_rate: What each tree adds of its fit.
        leaves: Of a tree, at most.
        min_leaf_rows: Train rows in a leaf, at least.
        l2: Penalty on the leaves' values, in rows of weight.
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

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:  # noqa: ARG002 - nothing is drawn, nothing is an epoch
        """Grows all trees, then keeps those up to the best on the validation rows."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        train, validation, test = (
            dataset.flat_sequences(rows, self.lookback)
            for rows in (dataset.train, dataset.validation, dataset.test)
        )
        grown = HistGradientBoostingRegressor(
            max_iter=self.trees,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.min_leaf_rows,
            l2_regularization=self.l2,
            early_stopping=False,
            random_state=0,  # above 200,000 rows the bins' edges come from a sample
        ).fit(train, dataset.target[dataset.train])

        def losses(inputs: Matrix, rows: IntVector) -> Vector:
            truth = dataset.target[rows]
            staged = [np.mean((p - truth) ** 2) for p in grown.staged_predict(inputs)]
            return np.array(staged) / (np.var(dataset.target[dataset.train]) or 1.0)

        on_validation = losses(validation, dataset.validation)
        best = int(np.argmin(on_validation))
        on_train = losses(train, dataset.train)

        def kept(inputs: Matrix) -> Vector:
            predicted: Vector = next(islice(grown.staged_predict(inputs), best, None))
            return predicted

        return Forecast(
            kept(train),
            kept(validation),
            kept(test),
            TrainingHistory(tuple(on_train.tolist()), tuple(on_validation.tolist()), best),
        )
