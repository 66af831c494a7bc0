"""Sequences without bars, and forecast functions whose attributions are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.interpretation.cell_groups import CellGroup, group_by_feature
from engine.interpretation.sequences import Sequences
from engine.models import ModelInputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix, Vector
    from engine.interpretation.sequences import ForecastFunction

LOOKBACK = 2


def make_sequences(
    rows: int, columns: int, seed: int = 1, values: Matrix | None = None
) -> Sequences:
    """Rows of a process that is autocorrelated, as features are."""
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((rows + LOOKBACK - 1, columns)) if values is None else values
    scaled = inputs.astype(np.float32)
    shape = ModelInputs(
        inputs=scaled, trailing=np.zeros(len(scaled)), groups=(tuple(range(columns)),)
    )
    return Sequences.of(shape, np.arange(LOOKBACK - 1, len(scaled)), LOOKBACK)


def newest(sequences: Sequences) -> Matrix:
    """(n, k) the inputs of the newest step."""
    values: Matrix = sequences.branches[0][:, -1].astype(np.float64)
    return values


def of_newest(function: Callable[[Matrix], Vector]) -> ForecastFunction:
    """A forecast that reads the newest step alone."""
    return lambda sequences: function(newest(sequences))


def feature_groups(columns: int) -> list[CellGroup]:
    """A group a feature, `a`, `b` and so on."""
    return group_by_feature([[chr(ord("a") + place) for place in range(columns)]], LOOKBACK)
