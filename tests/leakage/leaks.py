"""Leaks that several tests plant, and what becomes of the runs they are planted in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

import engine
from engine.core.errors import LookaheadError
from engine.features.base import Indicator

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from engine.strategy import Strategy


class CentredMean(Indicator):
    """Close over the mean of five closes, two of them still to come."""

    kind: Literal["centred_mean"] = "centred_mean"

    @property
    def warmup(self) -> int:
        return 5

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        mean = bars["close"].rolling(5, center=True).mean()
        return (bars["close"] / mean - 1).ffill()


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
