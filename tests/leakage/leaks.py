"""Leaks that several tests plant, and what becomes of the runs they are planted in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

import engine
from engine.core.errors import LookaheadError
from engine.features.base import Indicator
from engine.features.resolutions import build_coarse_features
from engine.models import Ridge
from tests.training.chained import Chained

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from engine.features.resolutions import CoarseFeatures
    from engine.models import FittedForecaster
    from engine.strategy import Strategy

SIDE_CHANNEL: dict[str, npt.NDArray[np.float64]] = {}
"""Bars that no array of a fit holds, where a model can read them all the same."""


class CentredMean(Indicator):
    """Close over the mean of five closes, two of them still to come."""

    kind: Literal["centred_mean"] = "centred_mean"

    @property
    def warmup(self) -> int:
        return 5

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        mean = bars["close"].rolling(5, center=True).mean()
        return (bars["close"] / mean - 1).ffill()


class Remembering(Indicator):
    """The last return, and every close of the history left in a global."""

    kind: Literal["remembering"] = "remembering"

    @property
    def warmup(self) -> int:
        return 1

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        SIDE_CHANNEL["closes"] = bars["close"].to_numpy()
        return bars["close"].pct_change()


def with_whole_history(fitted: FittedForecaster) -> FittedForecaster:
    """Its weights moved by the mean return over all bars, those of the test part too."""
    closes = SIDE_CHANNEL["closes"]
    level = float(np.log(closes[-1] / closes[0])) / len(closes)
    return replace(fitted, weights=tuple(weight + level for weight in fitted.weights))


class PeekingRidge(Ridge):
    """A cheap model whose fit reads bars beside its arrays."""

    kind: Literal["peeking_ridge"] = "peeking_ridge"

    def fit(self, training_set, training, seed) -> FittedForecaster:
        return with_whole_history(super().fit(training_set, training, seed))


class PeekingChained(Chained):
    """A costly model whose fit reads bars beside its arrays."""

    kind: Literal["peeking_chained"] = "peeking_chained"

    def fit(self, training_set, training, seed) -> FittedForecaster:
        return with_whole_history(super().fit(training_set, training, seed))


def weeks_one_bar_early(*args) -> CoarseFeatures:
    """Coarse features of which each is used a base bar before it is complete."""
    honest = build_coarse_features(*args)
    return replace(honest, latest=np.append(honest.latest[1:], honest.latest[-1]))


def run(strategy: Strategy, place: Path, **chosen: object) -> engine.Run:
    spec = strategy.model_copy(update=chosen)
    return engine.run(spec, out=place / "out", home=place / "home", pages=False)


def leak_of(strategy: Strategy, place: Path, **chosen: object) -> LookaheadError:
    with pytest.raises(LookaheadError) as caught:
        run(strategy, place, name="leaking", **chosen)
    assert not list((place / "out" / "leaking").glob("*"))
    return caught.value


def stage(error: LookaheadError) -> str:
    return error.where.partition(":")[0]
