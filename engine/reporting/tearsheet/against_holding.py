"""How the strategy's returns stand to those of holding: beta, alpha, correlation."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.regression import Line, hac_line
from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, STRATEGY
from engine.reporting.significance.section import Table

if TYPE_CHECKING:
    from engine.artifacts import Run

DEFAULT_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Against:
    """What there is to say, both empty without a book to compare with."""

    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


def against_holding(run: Run) -> Against:
    """The strategy's bar returns regressed on those of buy and hold."""
    if BUY_AND_HOLD not in run.returns:
        return Against()
    mine, other = (run.returns[key].to_numpy(dtype=np.float64) for key in (STRATEGY, BUY_AND_HOLD))
    line = hac_line(other, mine)
    if line is None:
        return Against()
    confidence = run.significance.get("method", {}).get("confidence") or DEFAULT_CONFIDENCE
    return _told(line, run.metrics["span"]["periods_per_year"], confidence)


def _told(line: Line, periods: float, confidence: float) -> Against:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    alpha = 100.0 * periods * line.intercept
    error = None if line.intercept_error is None else 100.0 * periods * line.intercept_error
    level = formatting.level(confidence)
    interval = formatting.SIGNED_PERCENT.interval(*_ends(alpha, error, z))
    table = Table(
        ("Against buy and hold", "Figure"),
        (
            ("Beta", formatting.RATIO(line.slope)),
            (
                f"{level} interval of beta",
                formatting.RATIO.interval(*_ends(line.slope, line.slope_error, z)),
            ),
            ("Correlation", formatting.RATIO(line.correlation)),
            ("Alpha a year", formatting.SIGNED_PERCENT(alpha)),
            (
                f"{level} interval of alpha",
                formatting.SIGNED_PERCENT.interval(*_ends(alpha, error, z)),
            ),
            ("t of alpha, HAC", formatting.SIGNED_RATIO(line.intercept_t)),
            ("Bars", formatting.COUNT(line.rows)),
        ),
        title="Against buy and hold",
        note="Least squares of the strategy's return of a bar on that of holding, errors HAC. "
        "Alpha is the intercept times the bars of a year: simple returns, not compounded.",
    )
    beta = formatting.RATIO(line.slope)
    told = (
        f"For each 1{formatting.NO_BREAK}% that holding made or lost, the strategy made or lost "
        f"{beta}{formatting.NO_BREAK}%; beyond that it made "
        f"{formatting.SIGNED_PERCENT(alpha)} a year"
    )
    if error is not None:
        holds = "includes" if abs(alpha) < z * error else "leaves out"
        told += f" ({level} interval {interval}, which {holds} 0)"
    return Against((f"{told}.",), (table,))


def _ends(estimate: float, error: float | None, z: float) -> tuple[float | None, float | None]:
    return (None, None) if error is None else (estimate - z * error, estimate + z * error)
