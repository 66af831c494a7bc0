"""Values relative to those of the other symbols at the same bar.

The cross-section of a strategy is every symbol that has features: the targets with
`inputs: target`, all symbols of the dataset with `inputs: all`. A row of a matrix is transformed
from that row alone, so that the values of a bar are the same bits whatever bars come with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from pydantic import ConfigDict, field_validator

from engine.core.errors import UsageError
from engine.features.base import FeatureSpec
from engine.features.kinds import Feature
from engine.features.price import LogReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import BoolMatrix, Matrix
    from engine.features.window_state import FeatureState


def rank_across(values: Matrix) -> Matrix:
    """Rank of each value among those of its row, scaled to [-0.5, 0.5].

    (rank - 1) / (count - 1) - 1/2; equal values share the mean of their ranks. It is 0 where the
    row has one value.

    Args:
        values: (n, symbols); a symbol that is NaN is not ranked, and counts for no other.

    Returns:
        (n, symbols), NaN where the value is.
    """
    known = ~np.isnan(values)
    order = np.argsort(values, axis=1, kind="stable")  # NaN last
    ascending = np.take_along_axis(values, order, axis=1)
    places = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    differs = ascending[:, 1:] != ascending[:, :-1]
    edge = np.ones((len(values), 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, differs]), places, 0), axis=1)
    last_if = np.where(np.hstack([differs, edge]), places, values.shape[1])
    last = np.minimum.accumulate(last_if[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2.0, axis=1)
    others = known.sum(axis=1, keepdims=True) - 1
    scaled = np.where(others > 0, ranks / np.maximum(others, 1) - 0.5, 0.0)
    return np.where(known, scaled, np.nan)


def demean_across(values: Matrix) -> Matrix:
    """Each value less the mean of its row: (n, symbols), NaN where the value is."""
    return values - _row_means(values, ~np.isnan(values))


def standardise_across(values: Matrix) -> Matrix:
    """Distance of each value from the mean of its row, in standard deviations of the row.

    The deviation is that of the whole row (divided by the count). It is 0 where all values of a
    row are equal.

    Args:
        values: (n, symbols); a symbol that is NaN counts for no other.

    Returns:
        (n, symbols), NaN where the value is.
    """
    known = ~np.isnan(values)
    centred = values - _row_means(values, known)
    deviation = np.sqrt(_row_means(centred * centred, known))
    spread = np.where(known, values, -np.inf).max(axis=1, keepdims=True) - np.where(
        known, values, np.inf
    ).min(axis=1, keepdims=True)
    varies = (spread > 0.0) & (deviation > 0.0)
    scaled = np.where(varies, centred / np.where(varies, deviation, 1.0), 0.0)
    return np.where(known, scaled, np.nan)


def _row_means(values: Matrix, known: BoolMatrix) -> Matrix:
    """(n, 1) means over the known values of each row; NaN where there is none."""
    # Added one symbol after the other: NumPy adds up a row in an order that depends on the shape.
    total = np.add.accumulate(np.where(known, values, 0.0), axis=1)[:, -1:]
    count = known.sum(axis=1, keepdims=True)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


TargetTransform: TypeAlias = Literal["raw", "demeaned", "rank"]
"""What of a return is forecast: itself, or where it stands among the symbols of the bar."""


def transform_returns(returns: Matrix, transform: TargetTransform) -> Matrix:
    """Returns of the symbols of each bar: as they are, less their mean, or their ranks.

    Args:
        returns: (n, symbols); NaN where one is not known, which counts for no other.
        transform: `raw`, `demeaned`, or `rank` in [-0.5, 0.5].
    """
    if transform == "demeaned":
        return demean_across(returns)
    return rank_across(returns) if transform == "rank" else returns


class CrossSectional(FeatureSpec, ABC):
    """A feature of each symbol relative to the same feature of the other symbols at the bar.

    Attributes:
        kind: Kind of the feature; the first part of its name.
        of: The feature that is compared over the symbols.
    """

    model_config = ConfigDict(defer_build=True)

    kind: str
    of: Feature = LogReturn()

    @field_validator("of")
    @classmethod
    def _check_own(cls, of: FeatureSpec) -> FeatureSpec:
        if isinstance(of, CrossSectional):
            raise ValueError("a feature that is not of the cross-section itself")
        return of

    @property
    def name(self) -> str:
        """The kind and the name of the other feature: `cross_sectional_rank_volatility_20`."""
        return f"{self.kind}_{self.of.name}"

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Those of the other feature."""
        return self.of.required_columns

    @property
    def warmup(self) -> int:
        """That of the other feature."""
        return self.of.warmup

    @property
    def input_columns(self) -> tuple[str, ...]:
        """Those of the other feature; of every symbol."""
        return self.of.input_columns

    @abstractmethod
    def compare(self, values: Matrix) -> Matrix:
        """(n, symbols) from the values of the other feature, each row from that row alone."""

    def compute_for_symbol(
        self, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> pd.Series[float]:
        """The feature of one symbol among all symbols of the market.

        Raises:
            UsageError: The market has one symbol.
        """
        check_cross_section([self], tuple(market))
        columns = [self.of.compute_for_symbol(market, each) for each in market]
        return self._select(columns, tuple(market).index(symbol))

    def update_for_symbol(
        self, state: FeatureState | None, market: Mapping[str, pd.DataFrame], symbol: str
    ) -> tuple[FeatureState, pd.Series[float]]:
        """The feature of one symbol at the new bars; the state is that of every symbol."""
        before = [None] * len(market) if state is None else list(state)
        updated = [
            self.of.update_for_symbol(own, market, each)
            for own, each in zip(before, market, strict=True)
        ]
        kept = np.stack([own for own, _ in updated])
        return kept, self._select([column for _, column in updated], tuple(market).index(symbol))

    def _select(self, columns: Sequence[pd.Series[float]], place: int) -> pd.Series[float]:
        compared = self.compare(np.column_stack([column.to_numpy() for column in columns]))
        return pd.Series(compared[:, place], index=columns[place].index, name=self.name)


class CrossSectionalRank(CrossSectional):
    """Rank of a feature among the symbols of the bar, scaled to [-0.5, 0.5].

    The lowest is -0.5, the highest 0.5; equal values share the mean of their ranks. A symbol
    without a value is not ranked and counts for no other; the only symbol that has one gets 0.
    Ranks keep no size, so that no extreme value dominates a fit (as in Gu, Kelly & Xiu 2020, Rev.
    Financial Studies 33).
    """

    kind: Literal["cross_sectional_rank"] = "cross_sectional_rank"

    def compare(self, values: Matrix) -> Matrix:
        """The rank of each value in its row."""
        return rank_across(values)


class CrossSectionalZscore(CrossSectional):
    """Distance of a feature from its mean over the symbols of the bar, in standard deviations.

    The deviation is that over the symbols of the bar, divided by their count. It is 0 where all
    are equal. A symbol without a value counts for no other.
    """

    kind: Literal["cross_sectional_zscore"] = "cross_sectional_zscore"

    def compare(self, values: Matrix) -> Matrix:
        """The z-score of each value in its row."""
        return standardise_across(values)


def own_feature(feature: FeatureSpec) -> FeatureSpec:
    """The feature that is computed of each symbol before the symbols are compared."""
    return feature.of if isinstance(feature, CrossSectional) else feature


def compare_symbols(values: Matrix, features: Sequence[FeatureSpec]) -> Matrix:
    """The feature matrix from that of the own features.

    Args:
        values: (n, symbols x features) of `own_feature` of each, symbol by symbol.
        features: In the order of each symbol's columns.

    Returns:
        The same array where no feature is of the cross-section.
    """
    width = len(features)
    places = [place for place, each in enumerate(features) if isinstance(each, CrossSectional)]
    if not places:
        return values
    compared = values.copy()
    for place in places:
        feature = features[place]
        assert isinstance(feature, CrossSectional)
        compared[:, place::width] = feature.compare(values[:, place::width])
    return compared


def check_cross_section(features: Sequence[FeatureSpec], symbols: Sequence[str]) -> None:
    """Refuses features of a cross-section of one symbol.

    Raises:
        UsageError: One of the features compares symbols, and there is one.
    """
    compared = [each.name for each in features if isinstance(each, CrossSectional)]
    if compared and len(symbols) < 2:
        raise UsageError(
            "a feature compares the symbols of a bar, and there is one",
            expected="two symbols or more that have features",
            found=", ".join(symbols),
            where=f"features: {', '.join(compared)}",
            fix="give `data.targets` several symbols, set `inputs: all` with a dataset of several "
            "symbols, or leave the feature out",
        )
