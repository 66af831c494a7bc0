"""Fitted models that serve unscaled features."""

from __future__ import annotations

import numpy as np

from engine.models import Forecaster, TrainingSpec
from engine.models.fitted_model import (
    QUANTILE_LEVELS,
    CoarseRows,
    FeatureRows,
    FittedModel,
    InputTransform,
    ScaledColumns,
)
from engine.splits import fit_scaler
from engine.splits.scaling import ScalingSpec, StandardScaling
from engine.testing.models import cut_training_set
from tests.models.planted_data import planted

STANDARD = StandardScaling()
TRAIN_BARS = range(29, 310)


def make_feature_rows(*, coarse: bool = False) -> FeatureRows:
    """Features of all bars of `planted()`, in units of their own; a coarse bar every five."""
    window = planted()
    features = 100 + 7 * window.inputs.inputs.astype(np.float64)
    bars = len(features)
    weekly = 3 * np.random.default_rng(6).normal(size=(bars // 5 + 40, 2))
    branch = CoarseRows(weekly, np.arange(bars) // 5 + 30)
    return FeatureRows(features, window.inputs.trailing, (branch,) if coarse else ())


def fit_model(
    model: Forecaster, scaling: ScalingSpec = STANDARD, *, coarse: bool = False
) -> FittedModel:
    """A fit on the train rows of `planted()`, and all that serving needs."""
    window, rows = planted(), make_feature_rows(coarse=coarse)
    known = window.training_set
    branches = tuple(
        _fit_columns(scaling, branch.features, ("BBB:1w:x", "BBB:1w:y")) for branch in rows.coarse
    )
    columns = _fit_columns(scaling, rows.features, ("AAA:x", "AAA:y", "AAA:z"))
    transform = InputTransform("AAA", (1,), recursive=False, columns=columns, coarse=branches)
    training_set = cut_training_set(
        transform.apply(rows), window.target, known.train, known.validation
    )
    fitted = model.fit(training_set, TrainingSpec(), seed=1)
    train, validation = (
        fitted.predict(training_set, part).returns for part in (known.train, known.validation)
    )
    return FittedModel(
        fitted,
        train,
        validation,
        training_set.realised_returns(known.validation),
        transform,
        {"train": ("2020-01-01T00:00:00+00:00", "2021-01-01T00:00:00+00:00")},
        {"numpy": "2"},
    )


def _fit_columns(
    scaling: ScalingSpec, features: np.ndarray, names: tuple[str, ...]
) -> ScaledColumns:
    bars = range(TRAIN_BARS.start, min(TRAIN_BARS.stop, len(features)))
    return ScaledColumns(
        names,
        (tuple(range(len(names))),),
        fit_scaler(scaling, features, bars),
        lambda: np.quantile(features[bars.start : bars.stop], QUANTILE_LEVELS, axis=0),
    )
