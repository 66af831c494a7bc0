"""Gradient boosting: many small trees on the flattened lookback."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from engine.models.dataset import Prediction
from engine.models.forecaster import FittedForecaster, Forecaster
from engine.models.training_history import TrainingHistory

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import ModelInputs, TrainingSet
    from engine.models.training.config import TrainingSpec


class GradientBoosting(Forecaster):
    """y = mean + rate * (tree_1(x) + .. + tree_m(x)); each tree fits the last residuals.

    Shapes: (n, lookback * k) -> (n,), k columns over all intervals. m is the number of trees with
    the least squared error on the validation rows; scikit-learn's own early stopping would hold
    out random rows instead.
    In the fit's history an epoch is a tree. Its weights are the mean, the end of each
    tree's nodes, and all nodes.
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

    @override
    def fit(
        self,
        training_set: TrainingSet,
        training: TrainingSpec,
        seed: int,
    ) -> FittedForecaster:
        """Fits all trees, then keeps those up to the best number on the validation rows."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        train, validation = (
            training_set.flat_sequences(rows, self.lookback)
            for rows in (training_set.train, training_set.validation)
        )
        target = training_set.target[training_set.train]
        booster = HistGradientBoostingRegressor(
            max_iter=self.trees,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.min_leaf_rows,
            l2_regularization=self.l2,
            early_stopping=False,
            random_state=0,  # above 200,000 rows the bins' edges come from a sample
        ).fit(train, target)

        def losses(inputs: Matrix, actual: Vector) -> Vector:
            staged = [np.mean((p - actual) ** 2) for p in booster.staged_predict(inputs)]
            return np.array(staged) / (np.var(target) or 1.0)

        on_train = losses(train, target)
        on_validation = losses(validation, training_set.target[training_set.validation])
        best = int(np.argmin(on_validation))
        # scikit-learn has no public access to the trees and to the mean that they are added to.
        trees = [stage[0].nodes for stage in booster._predictors[: best + 1]]
        mean: Vector = booster._baseline_prediction.ravel()
        return FittedForecaster(
            self,
            (mean, np.cumsum([len(nodes) for nodes in trees]), _to_matrix(np.concatenate(trees))),
            history=TrainingHistory(tuple(on_train.tolist()), tuple(on_validation.tolist()), best),
        )

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """The mean, then one tree after the other, as scikit-learn adds them."""
        (mean,), ends, nodes = fitted.weights
        flat = inputs.flat_sequences(rows, self.lookback)
        predicted = np.full(len(rows), mean)
        for tree in np.split(nodes, ends[:-1]):
            predicted += _predict_tree(tree, flat)
        return Prediction(predicted)


_NODE_COLUMNS = ("value", "is_leaf", "feature_idx", "num_threshold", "left", "right")


def _to_matrix(nodes: npt.NDArray[np.void]) -> Matrix:
    """(nodes, columns) of a tree of scikit-learn."""
    return np.column_stack([nodes[name].astype(np.float64) for name in _NODE_COLUMNS])


def _predict_tree(tree: Matrix, flat: Matrix) -> Vector:
    """The value of each row's leaf; a row goes left where its feature is at most the threshold."""
    value, is_leaf, feature, threshold, left, right = tree.T
    node = np.zeros(len(flat), dtype=np.int64)
    rows = np.arange(len(flat))
    while not is_leaf[node].all():
        goes_left = flat[rows, feature[node].astype(np.int64)] <= threshold[node]
        below = np.where(goes_left, left[node], right[node]).astype(np.int64)
        node = np.where(is_leaf[node] > 0, node, below)
    reached: Vector = value[node]
    return reached
