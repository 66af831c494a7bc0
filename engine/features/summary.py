"""Summary of each feature on its bars: inputs, range and distribution shift by window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BoolVector, IntVector, Vector, WideFrame
    from engine.features.build import FeatureMatrix
    from engine.features.config import Feature


@dataclass(frozen=True)
class FeatureSummary:
    """One feature of one symbol.

    Attributes:
        symbol: Symbol of the feature.
        name: Kind and parameters.
        input_columns: What the values depend on, as `FeatureSpec.input_columns`.
        warmup: Leading bars without a valid value.
        nan_bars: Bars of the symbol without a value.
        low: Lowest value of all bars; None without any.
        high: Highest value of all bars; None without any.
        ks_by_window: A window each: Kolmogorov-Smirnov distance of its test rows from its train
            rows; None where one of them has no value.
    """

    symbol: str
    name: str
    input_columns: tuple[str, ...]
    warmup: int
    nan_bars: int
    low: float | None
    high: float | None
    ks_by_window: tuple[float | None, ...]


def summarise_features(
    features: FeatureMatrix,
    specs: Sequence[Feature],
    windows: Sequence[tuple[range, range]],
    present: WideFrame | None = None,
) -> list[FeatureSummary]:
    """Summarises every column.

    Args:
        features: As built from `specs`.
        specs: In the order of each symbol's columns.
        windows: Train and test rows of each.
        present: Wide and bool: whether a symbol has a bar; None where all always have.

    Returns:
        In the order of the columns.
    """
    everywhere = np.ones(len(features.values), dtype=bool)
    return [
        _summarise_column(
            symbol,
            spec,
            features.values[:, column],
            everywhere if present is None else present[symbol].to_numpy(),
            windows,
        )
        for symbol, columns in features.symbol_columns
        for spec, column in zip(specs, columns, strict=True)
    ]


def coarse_bars_known_at(latest: IntVector, rows: range) -> range:
    """Coarse bars that are the newest at the closes of these base rows.

    Args:
        latest: As in `CoarseFeatures`.
        rows: At least one, each with a coarse bar behind it.
    """
    return range(int(latest[rows[0]]), int(latest[rows[-1]]) + 1)


def _summarise_column(
    symbol: str,
    spec: Feature,
    column: Vector,
    present: BoolVector,
    windows: Sequence[tuple[range, range]],
) -> FeatureSummary:
    valid = column[np.isfinite(column)]
    return FeatureSummary(
        symbol=symbol,
        name=spec.name,
        input_columns=spec.input_columns,
        warmup=spec.warmup,
        nan_bars=int(np.count_nonzero(present & ~np.isfinite(column))),
        low=float(valid.min()) if len(valid) else None,
        high=float(valid.max()) if len(valid) else None,
        ks_by_window=tuple(
            _kolmogorov_smirnov(column[train.start : train.stop], column[test.start : test.stop])
            for train, test in windows
        ),
    )


def _kolmogorov_smirnov(train: Vector, test: Vector) -> float | None:
    """D = max_x |F_train(x) - F_test(x)|, the distance between two empirical distributions.

    0 for equal distributions, 1 for ranges that do not overlap (Smirnov 1939). Unlike the
    population stability index it needs no bins and takes labels with few values. It is given
    without a p-value: rows of a feature are autocorrelated, for which the test is not valid.
    Rows without a value, as a symbol of a panel has where it has no bar, are left out; None where
    none is left.
    """
    train, test = train[np.isfinite(train)], test[np.isfinite(test)]
    if not (len(train) and len(test)):
        return None
    from scipy.stats import ks_2samp

    with np.errstate(divide="ignore"):  # in the p-value, where each part has a single row
        return float(ks_2samp(train, test, method="asymp").statistic)
