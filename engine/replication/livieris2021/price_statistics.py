"""Statistics of the closes: moments, movements, unit root tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.diagnostics import augmented_dickey_fuller
from engine.replication.livieris2021.comparison_row import ComparisonRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.core.types import Vector, WideFrame
    from engine.replication.livieris2021.protocol import PaperProtocol
    from engine.replication.livieris2021.published import (
        PublishedDescriptive,
        PublishedMovements,
        PublishedTables,
    )

STATISTICS = ("min", "max", "mean", "std", "median", "skewness", "kurtosis")
MOVEMENT_FIELDS = ("up", "up_pct", "down", "down_pct")


def compare_descriptive(
    closes: WideFrame, protocol: PaperProtocol, published: PublishedTables
) -> list[ComparisonRow]:
    """The descriptive table: one row for each coin and part."""
    digits = dict.fromkeys(STATISTICS, 2)
    return [
        _compare_part(closes, protocol, row, descriptive_statistics, digits)
        for row in published.descriptive
    ]


def compare_movements(
    closes: WideFrame, protocol: PaperProtocol, published: PublishedTables
) -> list[ComparisonRow]:
    """The counts of days up and down: one row for each coin and part."""
    digits = {"up": 0, "up_pct": 2, "down": 0, "down_pct": 2}
    return [
        _compare_part(closes, protocol, row, count_movements, digits)
        for row in published.movements
    ]


def compare_stationarity(
    closes: WideFrame, protocol: PaperProtocol, published: PublishedTables
) -> list[ComparisonRow]:
    """The unit root tests: of the closes of all parts, then of their differences."""
    printed = {"levels": published.adf.levels, "transformed": published.adf.transformed}
    rows = []
    for series, by_coin in printed.items():
        for coin in protocol.coins:
            values = closes[coin].to_numpy()
            tested = values if series == "levels" else np.diff(values)
            test = augmented_dickey_fuller(tested, autolag="bic")
            rows.append(
                ComparisonRow(
                    {"series": series, "symbol": coin},
                    dict(zip(("statistic", "p_value"), by_coin[coin], strict=True)),
                    {"statistic": test.statistic, "p_value": test.p_value},
                    {"statistic": 6, "p_value": 6},
                )
            )
    return rows


def descriptive_statistics(values: Vector) -> dict[str, float | None]:
    """Population moments: divisor n, skewness and excess kurtosis without bias correction.

    skewness = m3 / m2^1.5 and kurtosis = m4 / m2^2 - 3, with m_k the mean of (x - mean)^k; these
    two are None for constant values.
    """
    centred = values - values.mean()
    second, third, fourth = (float(np.mean(centred**power)) for power in (2, 3, 4))
    varies = np.ptp(values) > 0
    return {
        "min": float(values.min()),
        "max": float(values.max()),
        "mean": float(values.mean()),
        "std": second**0.5,
        "median": float(np.median(values)),
        "skewness": third / second**1.5 if varies else None,
        "kurtosis": fourth / second**2 - 3 if varies else None,
    }


def count_movements(values: Vector) -> dict[str, float | None]:
    """Days up and down within a part; its first day and unchanged days are left out.

    The shares are in per cent of the days with a movement; None if there is none.
    """
    changes = np.diff(values)
    up, down = int(np.sum(changes > 0)), int(np.sum(changes < 0))
    moved = up + down
    return {
        "up": up,
        "up_pct": 100 * up / moved if moved else None,
        "down": down,
        "down_pct": 100 * down / moved if moved else None,
    }


def _compare_part(
    closes: WideFrame,
    protocol: PaperProtocol,
    row: PublishedDescriptive | PublishedMovements,
    compute: Callable[[Vector], Mapping[str, float | None]],
    digits: Mapping[str, int],
) -> ComparisonRow:
    """A published row of one coin and part next to the figures of its closes."""
    days: range = getattr(protocol.split, row.part)
    values: Vector = closes[row.symbol].to_numpy()[days.start : days.stop]
    printed = {name: getattr(row, name) for name in digits}
    return ComparisonRow(
        {"symbol": row.symbol, "part": row.part}, printed, compute(values), digits
    )
