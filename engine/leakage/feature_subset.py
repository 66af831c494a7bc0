"""Some features of a run by themselves, so that a probe builds no others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from engine.features.build import FeatureMatrix
    from engine.strategy import Strategy
    from engine.training.feature_history import FeatureHistory


def select_features(
    spec: Strategy, history: FeatureHistory, places: Collection[int]
) -> tuple[Strategy, FeatureHistory]:
    """The strategy with some of its features, and of the run's history what they are in it.

    Args:
        spec: The strategy.
        history: Of all its features.
        places: In `spec.features`, at least one.
    """
    kept = sorted(places)
    width = len(spec.features)
    return (
        spec.model_copy(update={"features": tuple(spec.features[place] for place in kept)}),
        replace(
            history,
            features=_select_columns(history.features, kept, width),
            coarse=tuple(
                replace(coarse, features=_select_columns(coarse.features, kept, width))
                for coarse in history.coarse
            ),
        ),
    )


def _select_columns(matrix: FeatureMatrix, kept: list[int], width: int) -> FeatureMatrix:
    """The columns of these features of every symbol."""
    symbols = [symbol for symbol, _ in matrix.symbol_columns]
    columns = [place * width + each for place in range(len(symbols)) for each in kept]
    return replace(
        matrix,
        values=matrix.values[:, columns],
        names=tuple(matrix.names[column] for column in columns),
        symbol_columns=tuple(
            (symbol, tuple(range(place * len(kept), (place + 1) * len(kept))))
            for place, symbol in enumerate(symbols)
        ),
    )
