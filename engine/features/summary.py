"""Summary of each feature on its bars: inputs, range and distribution shift by window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector, Vector
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
        nan_bars: Bars without a value.
        low: Lowest value of all bars; None without any.
        high: Highest value of all bars; None without any.
        ks_by_window: A window each: Kolmogorov-Smirnov distance of its test rows from its train
            rows.
    """

    symbol: str
    name: str
    input_columns: tuple[str, ...]
    warmup: int
    nan_bars: int
    low: float | None
    high: float | None
    ks_by_window: tuple[float, ...]


def summarise_features(
    features: FeatureMatrix, specs: Sequence[Feature], windows: Sequence[tuple[range, range]]
) -> list[FeatureSummary]:
    """Summarises every column.

    Args:
        features: As built from `specs`.
        specs: In the order of each symbol's columns.
        windows: Train and test rows of each.

    Returns:
        In the order of the columns.
    """
    return [
        _summarise_column(symbol, spec, features.values[:, column], windows)
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
    symbol: str, spec: Feature, column: Vector, windows: Sequence[tuple[range, range]]
) -> FeatureSummary:
    valid = column[np.isfinite(column)]
    return FeatureSummary(
        symbol=symbol,
        name=spec.name,
        input_columns=spec.input_columns,
        warmup=spec.warmup,
        nan_bars=len(column) - len(valid),
        low=float(valid.min()) if len(valid) else None,
        high=float(valid.max()) if len(valid) else None,
        ks_by_window=tuple(
            _kolmogorov_smirnov(column[train.start : train.stop], column[test.start : test.stop])
            for train, test in windows
        ),
    )


def _kolmogorov_smirnov(train: Vector, test: Vector) -> float:
    """D = max_x |F_train(x) - F_test(x)|, the distance between two empirical distributions.

    0 for equal distributions, 1 for ranges that do not overlap (Smirnov 1939). Unlike the
    population stability index it needs no bins and takes labels with few values. It is given
    without a p-value: rows of a feature are autocorrelated, for which the test is not valid.
    """
    from scipy.stats import ks_2samp

    with np.errstate(divide="ignore"):  # in the p-value, where each part has a single row
        return float(ks_2samp(train, test, method="asymp").statistic)
