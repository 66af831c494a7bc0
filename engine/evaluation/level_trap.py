"""The level-forecast trap: prices forecast almost perfectly by a model that knows nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.forecast_tests import diebold_mariano, pesaran_timmermann
from engine.evaluation.measures import finite

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.types import Vector

HIGH = 0.9
"""An R² on prices from here on is one that gets quoted."""


@dataclass(frozen=True)
class LevelTrap:
    """Whether a high R² on prices hides that there is no skill; None where not defined.

    Attributes:
        present: The trap is there, see `level_trap`.
        r2_prices: Of the predicted against the actual price.
        r2_prices_persistence: The same of the price that stays.
        r2_vs_persistence: Of the predicted returns against no change, 1 - SSE / SSE of 0.
        r2_vs_drift: Of the predicted returns against the train rows' mean return.
        direction_pct: Rows whose direction was right; 0 is down, on both sides.
        up_pct: Rows that went up: what always saying up would have scored.
        sentence: The trap in words; None where it is not present.
    """

    present: bool
    r2_prices: float | None
    r2_prices_persistence: float | None
    r2_vs_persistence: float | None
    r2_vs_drift: float | None
    direction_pct: float | None
    up_pct: float | None
    sentence: str | None


def level_trap(
    before: Vector,
    after: Vector,
    predicted: Vector,
    drift: Vector | float,
    *,
    horizon: int = 1,
    confidence: float = 0.95,
) -> LevelTrap:
    """Names forecasts whose R² on prices is high though nothing speaks for their skill.

    A price is nearly the one before it, so that repeating that one explains nearly all of its
    variance: an R² on prices measures how far they wandered, not how well they were forecast.
    The trap is present where the predicted prices have an R² of 0.9 or more, and the forecasts
    show neither of these, each at the level 1 - confidence:

    - smaller errors of the return than no change, and than the train drift, by the one-sided
      Diebold-Mariano test of each. R² against persistence above 0 is not enough: half of all
      forecasts that are as good as no change have one, by chance.
    - more right directions than always saying up, and not by chance: by the Pesaran-Timmermann
      test, on every horizon-th row, as it needs rows that do not overlap.

    Skill is judged on returns and not on prices, so that a bar counts the same whatever the price
    was. The burden of proof is the model's: one with little skill and few rows is named too.

    Args:
        before: The price each forecast was made at, of one symbol, shape (n,).
        after: The price `horizon` bars later, shape (n,); NaN where it is not known yet.
        predicted: The simple return forecast in between, shape (n,); NaN where there is none.
            Rows with either are left out.
        drift: The mean return of the train rows behind each forecast, shape (n,) or one for all.
        horizon: Bars ahead.
        confidence: 1 - the level of the tests.

    Source: Granger & Newbold (1974), J. of Econometrics 2, on R² between levels; the tests'
    sources stand with them.
    """
    known = np.isfinite(after) & np.isfinite(predicted)
    train = np.broadcast_to(np.asarray(drift, dtype=np.float64), after.shape)[known]
    before, after, predicted = before[known], after[known], predicted[known]
    actual = after / before - 1.0
    error = actual - predicted
    r2_prices = _explained(after - before * (1.0 + predicted), after - _mean(after))
    direction_pct = _percent((predicted > 0) == (actual > 0))
    up_pct = _percent(actual > 0)
    level = 1 - confidence
    better = all(_beats(error, actual - other, horizon, level) for other in (0.0, train))
    directed = (
        direction_pct is not None
        and up_pct is not None
        and direction_pct > up_pct
        and _below(pesaran_timmermann(predicted[::horizon], actual[::horizon]).p_value, level)
    )
    high = r2_prices is not None and r2_prices >= HIGH
    found = LevelTrap(
        present=high and not better and not directed,
        r2_prices=r2_prices,
        r2_prices_persistence=_explained(after - before, after - _mean(after)),
        r2_vs_persistence=_explained(error, actual),
        r2_vs_drift=_explained(error, actual - train),
        direction_pct=direction_pct,
        up_pct=up_pct,
        sentence=None,
    )
    return replace(found, sentence=_sentence(found)) if found.present else found


def _beats(error: Vector, other: Vector, horizon: int, level: float) -> bool:
    test = diebold_mariano(error, other, horizon)
    if test.statistic is None or test.p_value is None:
        return False
    return test.statistic < 0 and test.p_value / 2 < level


def _below(p_value: float | None, level: float) -> bool:
    return p_value is not None and p_value < level


def _sentence(found: LevelTrap) -> str:
    """For a trader who was shown the R² on prices."""
    explained, right, up = found.r2_vs_persistence, found.direction_pct, found.up_pct
    skill = "no change was never wrong"
    if explained is not None:
        within = ", no more than chance or drift would give" if explained > 0 else ""
        skill = f"the forecasts' R² against no change is {explained:.4f}{within}"
    told = ""
    if right is not None and up is not None:
        chance = ", no more than chance would give" if right > up else ""
        told = (
            f", and their direction is right {right:.1f} % of the time{chance}, always saying up "
            f"{up:.1f} %"
        )
    return (
        f"The R² of {_cut(found.r2_prices)} on prices is the level-forecast trap: repeating the "
        f"last price has {_cut(found.r2_prices_persistence)}; {skill}{told}."
    )


def _cut(r2: float | None) -> str:
    """Three digits, never rounded up to a perfect 1."""
    return "none" if r2 is None else f"{math.floor(r2 * 1000) / 1000:.3f}"


def _explained(error: Vector, reference: Vector) -> float | None:
    total = float(np.sum(reference**2))
    return finite(1.0 - np.sum(error**2) / total) if total > 0 else None


def _mean(values: Vector) -> float:
    return float(values.mean()) if len(values) else 0.0


def _percent(hits: npt.NDArray[np.bool_]) -> float | None:
    return float(hits.mean() * 100) if len(hits) else None
