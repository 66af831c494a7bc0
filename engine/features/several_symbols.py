"""Indicators of many symbols at once, each with the bits that it has alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.part_origin import is_built_in
from engine.features.base import WindowIndicator
from engine.features.oscillators import Rsi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Matrix
    from engine.data import Market
    from engine.features.base import FeatureSpec

_SYMBOLS_AT_ONCE = 32
"""Symbols of one call: enough that calls cost little, few enough that many bars of them fit into
a core's cache."""


def compute_together(
    feature: FeatureSpec, market: Market, symbols: Sequence[str]
) -> Matrix | None:
    """An indicator of each symbol, from arrays of the bars of several.

    Args:
        feature: Of a symbol's own bars.
        market: Checked bars.
        symbols: Symbols of the market, in any order.

    Returns:
        (n, symbols), NaN in the warm-up. None where each symbol has to be computed by itself: of
        one symbol, where a symbol has no bar at some time, for a feature that is not the engine's
        own or is not computed from arrays, and where a value past the warm-up is not finite, which
        is an error that names its symbol.
    """
    if (
        len(symbols) < 2
        or not isinstance(feature, WindowIndicator | Rsi)
        or not is_built_in(type(feature))
        or market.has_absences
    ):
        return None
    wide = {name: market.wide(name, symbols).to_numpy() for name in feature.required_columns}
    values = np.empty((len(market.present), len(symbols)))
    for start in range(0, len(symbols), _SYMBOLS_AT_ONCE):
        part = slice(start, start + _SYMBOLS_AT_ONCE)
        columns = {
            name: np.ascontiguousarray(each[:, part], np.float64) for name, each in wide.items()
        }
        values[:, part] = feature.compute_array(columns)
    values[: feature.warmup] = np.nan
    return values if np.isfinite(values[feature.warmup :]).all() else None
