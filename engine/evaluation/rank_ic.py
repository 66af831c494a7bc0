"""Whether forecasts put outcomes in the right order, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from engine.types import Vector

FEWEST_IN_A_PERIOD = 5
"""Rows below which a rank correlation says nothing."""

ROWS_A_PERIOD = 10
"""Months are taken where the median one has as many rows, else quarters, else years."""

PERIODS = (("M", "month"), ("Q", "quarter"), ("Y", "year"))


@dataclass(frozen=True)
class RankIc:
    """Rank correlation of forecasts and outcomes, period by period.

    Attributes:
        period: `month`, `quarter` or `year`.
        names: Of the periods that have a figure, such as `2020-03`, ascending.
        values: Spearman's rank correlation of each, mean over the symbols.
        rows: Forecasts in each.
        mean: Of the values; None without any.
        t: mean / (deviation (ddof 1) / sqrt(periods)); None below two periods.
        positive: Share of the periods above 0.
    """

    period: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    rows: tuple[int, ...]
    mean: float | None
    t: float | None
    positive: float | None


def rank_ic(made: pd.DataFrame) -> RankIc:
    """Information coefficient by month: Spearman's, within the month, for each symbol.

    A period counts if it has 5 rows of a symbol and neither forecasts nor outcomes are all equal.
    The t-statistic takes periods for independent; with a horizon of several bars the outcomes of
    one reach into the next.

    Args:
        made: As `forecast.mean_forecasts` gives it.

    Source: Grinold & Kahn (2000), Active Portfolio Management, chapter 6.
    """
    stamps = pd.DatetimeIndex(made["timestamp"]).tz_localize(None)
    symbols = max(1, made["symbol"].nunique())
    frequency, word = next(
        (
            (frequency, word)
            for frequency, word in PERIODS
            if len(made) and _median_rows(stamps, frequency) >= ROWS_A_PERIOD * symbols
        ),
        PERIODS[-1],
    )
    periods = stamps.to_period(frequency)
    found: dict[str, list[tuple[float, int]]] = {}
    for (period, _), rows in made.groupby([periods, "symbol"], sort=True):
        value = spearman(rows["predicted"].to_numpy(), rows["actual"].to_numpy())
        if len(rows) >= FEWEST_IN_A_PERIOD and value is not None:
            found.setdefault(str(period), []).append((value, len(rows)))
    values = np.array([np.mean([value for value, _ in each]) for each in found.values()])
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return RankIc(
        period=word,
        names=tuple(found),
        values=tuple(values.tolist()),
        rows=tuple(sum(rows for _, rows in each) for each in found.values()),
        mean=float(values.mean()) if len(values) else None,
        t=float(values.mean() / spread * np.sqrt(len(values))) if spread > 0 else None,
        positive=float((values > 0).mean()) if len(values) else None,
    )


def _median_rows(stamps: pd.DatetimeIndex, frequency: str) -> float:
    return float(np.median(np.unique(stamps.to_period(frequency), return_counts=True)[1]))


def spearman(one: Vector, other: Vector) -> float | None:
    """Correlation of the ranks, ties at their mean rank; None where one side is all equal."""
    from scipy.stats import rankdata

    ranks, others = rankdata(one), rankdata(other)
    if np.ptp(ranks) == 0 or np.ptp(others) == 0:
        return None
    return float(np.corrcoef(ranks, others)[0, 1])
