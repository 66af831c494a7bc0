"""Fits of planted data as the interpretation sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.interpretation.fitted_rows import ExplainedFit
from engine.interpretation.sequences import Sequences
from tests.models.served_models import fit_model, make_feature_rows

if TYPE_CHECKING:
    from engine.models import Forecaster

AT, TRAIN = np.arange(320, 345), np.arange(60, 300, 5)


def explain_fit(model: Forecaster) -> ExplainedFit:
    """The fit of a model on `planted()`."""
    fitted, rows = fit_model(model), make_feature_rows()
    inputs = fitted.prepare(rows, np.concatenate([TRAIN, AT]))
    days = pd.date_range("2020-01-01", periods=len(rows.features), tz="UTC")
    return ExplainedFit(
        window=0,
        symbol="AAA",
        seed_index=0,
        model=fitted,
        horizon=0,
        stamps=days[AT],
        test=Sequences.of(inputs, AT, fitted.lookback),
        realised=np.zeros(len(AT)),
        background=Sequences.of(inputs, TRAIN, fitted.lookback),
        background_stamps=days[TRAIN],
        unscaled=rows.features[AT],
    )
