"""What the closes themselves say: statistics, movements, unit roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.diagnostics import augmented_dickey_fuller
from engine.replication.livieris2021.beside import Beside

if TYPE_CHECKING:
    from engine.replication.livieris2021.protocol import Protocol
    from engine.replication.livieris2021.published import Published
    from engine.types import Vector, WideFrame

STATISTICS = ("min", "max", "mean", "std", "median", "skewness", "kurtosis")
MOVES = ("up", "up_pct", "down", "down_pct")


def descriptive(closes: WideFrame, protocol: Protocol, published: Published) -> list[Beside]:
    """The paper's descriptive table, a row a coin and part."""
    digits = dict.fromkeys(STATISTICS, 2)
    return [
        Beside(
            {"symbol": row.symbol, "part": row.part},
            {name: getattr(row, name) for name in STATISTICS},
            statistics(_part(closes, protocol, row.symbol, row.part)),
            digits,
        )
        for row in published.descriptive
    ]


def movements(closes: WideFrame, protocol: Protocol, published: Published) -> list[Beside]:
    """The paper's counts of days up and down, a row a coin and part."""
    digits = {"up": 0, "up_pct": 2, "down": 0, "down_pct": 2}
    return [
        Beside(
            {"symbol": row.symbol, "part": row.part},
            {name: getattr(row, name) for name in MOVES},
            moves(_part(closes, protocol, row.symbol, row.part)),
            digits,
        )
        for row in published.movements
    ]


def stationarity(closes: WideFrame, protocol: Protocol, published: Published) -> list[Beside]:
    """The paper's unit root tests: of the closes of all parts, then of their differences."""
    printed = {"levels": published.adf.levels, "transformed": published.adf.transformed}
    rows = []
    for series, by_coin in printed.items():
        for coin in protocol.coins:
            values = closes[coin].to_numpy()
            tested = values if series == "levels" else np.diff(values)
            found = augmented_dickey_fuller(tested, autolag="bic")
            rows.append(
                Beside(
                    {"series": series, "symbol": coin},
                    dict(zip(("statistic", "p_value"), by_coin[coin], strict=True)),
                    {"statistic": found.statistic, "p_value": found.p_value},
                    {"statistic": 6, "p_value": 6},
                )
            )
    return rows


def statistics(values: Vector) -> dict[str, float | None]:
    """Moments of the population: divisor n, skewness and excess kurtosis without correction.

    skewness = m3 / m2^1.5 and kurtosis = m4 / m2^2 - 3, with m_k the mean of (x - mean)^k; those
    two are None where the values do not vary.
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


def moves(values: Vector) -> dict[str, float | None]:
    """Days up and down within a part, whose first day has no movement; days alike are left out.

    The shares are in per cent of the days that moved; None where none did.
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


def _part(closes: WideFrame, protocol: Protocol, coin: str, part: str) -> Vector:
    days: range = getattr(protocol.parts, part)
    values: Vector = closes[coin].to_numpy()[days.start : days.stop]
    return values
