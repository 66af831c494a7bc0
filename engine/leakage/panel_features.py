"""The probe of features on a panel: of some symbols, each on its own bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.randomness import derive_seed
from engine.features.cross_section import own_feature
from engine.leakage.feature_probe import FeatureProbe, probe_features
from engine.pipeline.feature_history import build_history

if TYPE_CHECKING:
    import pandas as pd

    from engine.leakage.comparison import OutputComparison
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy
    from engine.training.feature_history import FeatureHistory

MAX_SYMBOLS = 6
"""Symbols of a panel whose features are probed: those of all are computed by the same code."""

_MIN_ROWS = 20
"""Rows from the first that is trained on, of a symbol that is probed."""


def probe_own_features(
    spec: Strategy,
    prepared: PreparedData,
    first: int,
    fills: pd.DatetimeIndex,
    comparison: OutputComparison,
) -> FeatureProbe:
    """Probes the features of some symbols as if each were traded alone.

    Where the values stand on the panel, the absences between them, and what is compared over the
    symbols of a bar, are compared at the cutoffs.

    Args:
        spec: The strategy.
        prepared: Its panel.
        first: First row of the panel that a fit of the run uses.
        fills: Timestamps at which a book of the run was filled.
        comparison: Counts what is compared bit for bit.

    Returns:
        Of the symbol that was probed at the smallest share of its bars.

    Raises:
        LookaheadError: A value changed with the bars after it.
    """
    spec, history = _own_features(spec, prepared)
    panel = history.panel
    assert panel is not None
    begins = {
        symbol: max(int(panel.own_rows(symbol).searchsorted(first)), panel.first)
        for symbol in prepared.targets
    }
    long = [
        symbol
        for symbol, begin in begins.items()
        if len(panel.own_rows(symbol)) - begin >= _MIN_ROWS
    ]
    rng = np.random.default_rng(derive_seed(spec.seed, "certificate", "symbols"))
    probes = []
    for place in np.sort(rng.permutation(len(long))[:MAX_SYMBOLS]).tolist():
        symbol = long[place]
        alone = spec.data.model_copy(update={"target": symbol, "targets": None})
        probes.append(
            probe_features(
                spec.model_copy(update={"data": alone, "scope": "per_symbol"}),
                prepared.market.of_symbol(symbol),
                history.seen_by(symbol),
                begins[symbol],
                fills,
                comparison,
            )
        )
    if not probes:
        return FeatureProbe(0, 1, {}, ())
    return min(probes, key=lambda each: each.cuts / max(each.bars, 1))


def _own_features(spec: Strategy, prepared: PreparedData) -> tuple[Strategy, FeatureHistory]:
    """The features and returns that each symbol has before the symbols of a bar are compared."""
    own = tuple(dict.fromkeys(map(own_feature, spec.features)))
    if own == spec.features and not spec.target.compares_symbols:
        return spec, prepared.feature_history
    target = spec.target.model_copy(update={"transform": "raw"})
    alone = spec.model_copy(update={"features": own, "target": target})
    return alone, build_history(alone, prepared.market)
