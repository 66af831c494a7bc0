"""Ensemble: the combined forecast of several forecasters of any kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import ConfigDict, Field

from engine.core.errors import TrainingError
from engine.core.hashing import canonical_json
from engine.core.part_origin import is_built_in
from engine.core.randomness import derive_seed
from engine.models.dataset import Prediction
from engine.models.fitted import check_fitted
from engine.models.forecaster import FittedForecaster, Forecaster, Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import ModelInputs, TrainingSet
    from engine.models.training.config import TrainingSpec


class Ensemble(Forecaster):
    """y = mean, median or sum_m w_m y_m of the members' forecasts, row by row.

    `validation_weighted`: w_m is proportional to 1 / MSE_m on the validation rows, the weights
    that are best for unbiased errors without correlation (Bates & Granger 1969, Operational
    Research Quarterly 20(4)). Over several horizons each MSE is divided by the mean square of the
    realised returns, and they are averaged. The weights depend on the validation rows only;
    members that also choose their epoch, penalty or trees there look a little better than they
    are.

    All members are fitted on the same rows, each with a seed derived from its name: removing or
    moving a member changes no other.

    Attributes:
        members: Any forecasters, ensembles included; one listed twice is fitted twice.
        combine: How the forecasts are combined.
        seeds: Fits of each stochastic member; every fit enters the combination.
    """

    model_config = ConfigDict(defer_build=True)

    kind: Literal["ensemble"] = "ensemble"
    members: tuple[Model, ...] = Field(min_length=1, max_length=32)
    combine: Literal["mean", "median", "validation_weighted"] = "mean"
    seeds: int = Field(default=1, ge=1, le=100)

    @property
    def lookback(self) -> int:
        """The longest lookback of the members."""
        return max(member.lookback for member in self.members)

    @property
    def costly(self) -> bool:
        """Whether any member is costly."""
        return any(member.costly for member in self.members)

    @property
    def stochastic(self) -> bool:
        """Whether any member is stochastic."""
        return any(member.stochastic for member in self.members)

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those of all members."""
        return tuple(sorted({name for member in self.members for name in member.libraries}))

    @property
    def multi_output(self) -> bool:
        """Whether all members are multi-output."""
        return all(member.multi_output for member in self.members)

    def fit(
        self, training_set: TrainingSet, training: TrainingSpec, seed: int
    ) -> FittedForecaster:
        """Fits every member.

        Returns:
            `members` in the order of the list, once for each fit; `weights` is the (m,) w of
            `validation_weighted`.

        Raises:
            TrainingError: A member gave no usable forecaster; the error names it.
        """
        members = list(self._members_with_seeds(seed))
        previous = training_set.previous_fit
        before = previous.members if previous else (None,) * len(members)
        fitted = tuple(
            _fit_member(member, replace(training_set, previous_fit=start), training, own_seed)
            for (member, own_seed), start in zip(members, before, strict=True)
        )
        if self.combine != "validation_weighted":
            return FittedForecaster(self, members=fitted)
        rows = training_set.validation
        predicted = [member.predict(training_set, rows).returns for member in fitted]
        weights = _inverse_mse_weights(predicted, training_set.realised_returns(rows))
        return FittedForecaster(self, (weights,), members=fitted)

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """Combines the members; also their quantiles, where every member has them."""
        weights = fitted.weights[0] if fitted.weights else None
        predictions = [member.predict(inputs, rows) for member in fitted.members]
        quantiles = [each.quantiles for each in predictions if each.quantiles is not None]
        return Prediction(
            self._combine([each.returns for each in predictions], weights),
            self._combine(quantiles, weights) if len(quantiles) == len(predictions) else None,
        )

    def _members_with_seeds(self, seed: int) -> Iterator[tuple[Forecaster, int]]:
        fits: Counter[str] = Counter()
        for member in self.members:
            name = canonical_json(member.model_dump(mode="json"))
            for _ in range(self.seeds if member.stochastic else 1):
                fits[name] += 1
                yield member, derive_seed(seed, name, fits[name])

    def _combine(self, parts: Sequence[Vector | Matrix], weights: Vector | None) -> Vector:
        stacked = np.stack(parts)
        if self.combine == "median":
            return np.median(stacked, axis=0)
        combined: Vector = np.average(stacked, axis=0, weights=weights)
        return combined


def _fit_member(
    member: Forecaster, training_set: TrainingSet, training: TrainingSpec, seed: int
) -> FittedForecaster:
    try:
        fitted = member.fit(training_set, training, seed)
    except TrainingError as error:
        error.problem = f"{member!r} in the ensemble: {error.problem}"
        raise
    if not is_built_in(type(member)):
        check_fitted(member, fitted)
    return fitted


def _inverse_mse_weights(predictions: Sequence[Vector | Matrix], targets: Matrix) -> Vector:
    scale = np.nanmean(targets**2, axis=0) + np.finfo(np.float64).tiny  # equal weight of horizons
    errors = np.array(
        [
            np.nanmean((predicted.reshape(targets.shape) - targets) ** 2 / scale)
            for predicted in predictions
        ]
    )
    errors = np.maximum(errors, np.finfo(np.float64).tiny)
    precision = errors.min() / errors
    weights: Vector = precision / precision.sum()
    return weights
