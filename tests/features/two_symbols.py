"""A feature on synthetic bars, with a second symbol where it needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.types import PRICE_COLUMNS
from engine.features.config import FEATURE_KINDS
from engine.features.cross_asset import CrossAsset

if TYPE_CHECKING:
    import pandas as pd

    from engine.features.base import FeatureSpec

OWN, OTHER = "OWN", "OTHER"
KINDS: tuple[type[FeatureSpec], ...] = FEATURE_KINDS.built_in


def with_defaults(other: str = OTHER) -> list[FeatureSpec]:
    """Every kind of feature, with default parameters."""
    return [kind(symbol=other) if issubclass(kind, CrossAsset) else kind() for kind in KINDS]


def second_symbol(bars: pd.DataFrame) -> pd.DataFrame:
    """Bars of another symbol, derived from the first one's: constant where those are."""
    other, ratio = bars.copy(), (bars["high"] / bars["low"]) ** 2
    for name in PRICE_COLUMNS:
        other[name] = bars[name] ** 0.5 * ratio
    return other


def values_of(feature: FeatureSpec, bars: pd.DataFrame) -> pd.Series[float]:
    """The feature at each bar."""
    return feature.compute_for_symbol({OWN: bars, OTHER: second_symbol(bars)}, OWN)
