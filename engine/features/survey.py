"""What each feature is on its bars: its inputs, its range, and how far it drifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.features.drift import kolmogorov_smirnov

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.features.build import Features
    from engine.features.spec import Feature
    from engine.types import Rows


@dataclass(frozen=True)
class Surveyed:
    """One feature of one symbol.

    Attributes:
        symbol: Whose.
        name: Kind and parameters.
        inputs: What decides it, as `FeatureSpec.inputs`.
        warmup: Leading bars that are not to be used.
        missing: Bars without a value.
        low: Lowest value of all bars; None without any.
        high: Highest value of all bars; None without any.
        drift: A window each: Kolmogorov-Smirnov distance of its test rows from its train rows.
    """

    symbol: str
    name: str
    inputs: tuple[str, ...]
    warmup: int
    missing: int
    low: float | None
    high: float | None
    drift: tuple[float, ...]


def survey(
    features: Features, specs: Sequence[Feature], windows: Sequence[tuple[range, range]]
) -> list[Surveyed]:
    """Looks at every column.

    Args:
        features: As built from `specs`.
        specs: In the order of each symbol's columns.
        windows: Train and test rows of each.

    Returns:
        In the order of the columns.
    """
    return [
        _surveyed(symbol, spec, features.values[:, column], windows)
        for symbol, columns in features.groups
        for spec, column in zip(specs, columns, strict=True)
    ]


def reached(latest: Rows, rows: range) -> range:
    """Coarse bars that are the newest at the closes of these base rows.

    Args:
        latest: As in `CoarseFeatures`.
        rows: At least one, each with a coarse bar behind it.
    """
    return range(int(latest[rows[0]]), int(latest[rows[-1]]) + 1)


def _surveyed(
    symbol: str, spec: Feature, column: np.ndarray, windows: Sequence[tuple[range, range]]
) -> Surveyed:
    valid = column[np.isfinite(column)]
    return Surveyed(
        symbol=symbol,
        name=spec.name,
        inputs=spec.inputs,
        warmup=spec.warmup,
        missing=len(column) - len(valid),
        low=float(valid.min()) if len(valid) else None,
        high=float(valid.max()) if len(valid) else None,
        drift=tuple(
            kolmogorov_smirnov(column[train.start : train.stop], column[test.start : test.stop])
            for train, test in windows
        ),
    )
