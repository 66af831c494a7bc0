"""Stability over time: a break in the Sharpe ratio, and decay of the mean return."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.bootstrap import spawn_named_stream
from engine.evaluation.inference.hac import MIN_BARS, sharpe_influence
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.evaluation.inference.regression import fit_hac_regression
from engine.evaluation.inference.structural_break import MIN_BREAK_BARS, sup_lm_test
from engine.evaluation.metrics.return_metrics import sharpe
from engine.runs.documents.significance_paths import BreakFigures, DecayFigures, StabilityFigures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from engine.core.types import IntVector, Vector


def assess_stability(
    returns: pd.DataFrame,
    window_index: IntVector,
    periods_per_year: float,
    rng: np.random.Generator,
    *,
    holding: str | None = None,
) -> StabilityFigures | None:
    """Tests whether the strategy's edge is the same over the whole run.

    A break is tested in the Sharpe ratio, by the influence values of its bars, and in its lead
    over the Sharpe ratio of holding. Decay compares the mean return of the first walk-forward
    window with that of all later ones, and has the slope of a straight line through the returns;
    both for the return and for its lead over holding. Holm's adjustment covers all tests of the
    section together.

    Args:
        returns: Index timestamp, a column a book: net return of the bar; no NaN. The first column
            is the strategy.
        window_index: Window whose test part holds each bar, shape (n,).
        periods_per_year: Annualises.
        rng: Its seed determines the p-values of the breaks; its state is unchanged.
        holding: The column of holding; None where there is none.

    Returns:
        None below `MIN_BREAK_BARS` bars, or where the strategy's returns do not vary.
    """
    own = returns.iloc[:, 0].to_numpy(dtype=np.float64)
    if len(own) < MIN_BREAK_BARS or sharpe(own, 1.0) is None:
        return None
    held = None if holding is None else returns[holding].to_numpy(dtype=np.float64)
    if held is not None and (sharpe(held, 1.0) is None or np.allclose(own, held, 0.0, 1e-12)):
        held = None
    first = window_index == window_index[0]
    streams = {name: spawn_named_stream(rng, f"break in {name}") for name in ("sharpe", "lead")}
    breaks = {"sharpe": _test_break(returns.index, [own], periods_per_year, streams["sharpe"])}
    decay = {"return": _measure_decay(own, first, periods_per_year)}
    if held is not None:
        breaks["lead"] = _test_break(returns.index, [own, held], periods_per_year, streams["lead"])
        decay["lead"] = _measure_decay(own - held, first, periods_per_year)
    return _with_holm_p_values(StabilityFigures(bars=len(own), breaks=breaks, decay=decay))


def _test_break(
    timestamps: pd.Index,
    books: Sequence[Vector],
    periods_per_year: float,
    rng: np.random.Generator,
) -> BreakFigures:
    """Of the Sharpe ratio of one book, or of the difference to that of a second one."""
    influence, *subtracted = (sharpe_influence(book) for book in books)
    found = sup_lm_test(influence - subtracted[0] if subtracted else influence, rng)
    if found is None:
        return BreakFigures()
    before, after = (
        _sharpe_difference([book[part] for book in books], periods_per_year)
        for part in (slice(found.row), slice(found.row, None))
    )
    return BreakFigures(
        statistic=found.statistic,
        p_value=found.p_value,
        bar=timestamps[found.row].isoformat(),
        before=before,
        after=after,
    )


def _sharpe_difference(books: Sequence[Vector], periods_per_year: float) -> float | None:
    ratios = [sharpe(book, periods_per_year) for book in books]
    known = [ratio for ratio in ratios if ratio is not None]
    if len(known) < len(ratios):
        return None
    return known[0] - sum(known[1:])


def _measure_decay(
    returns: Vector, first: npt.NDArray[np.bool_], periods_per_year: float
) -> DecayFigures:
    """First window against the later ones, and the slope over time, in per cent a year."""
    bars, scale = len(returns), 100.0 * periods_per_year
    slope = fit_hac_regression(np.arange(bars) / periods_per_year, returns)
    figures: dict[str, float | None] = {}
    if slope is not None and slope.slope_standard_error:
        figures |= {
            "slope_pct": slope.slope * scale,
            "slope_standard_error_pct": slope.slope_standard_error * scale,
            "slope_p_value": NormalDist().cdf(slope.slope / slope.slope_standard_error),
        }
    if min(np.sum(first), np.sum(~first)) >= MIN_BARS:
        step = fit_hac_regression(first.astype(np.float64), returns)
        figures |= {
            "first_window_pct": float(returns[first].mean()) * scale,
            "later_pct": float(returns[~first].mean()) * scale,
        }
        if step is not None and step.slope_standard_error:
            figures |= {
                "difference_standard_error_pct": step.slope_standard_error * scale,
                "p_value": NormalDist().cdf(-step.slope / step.slope_standard_error),
            }
    return DecayFigures(**figures)


def _with_holm_p_values(figures: StabilityFigures) -> StabilityFigures:
    tests: dict[str, float | None] = {
        f"{kind} {name} {key}": getattr(each, key)
        for kind, parts in (("break", figures.breaks), ("decay", figures.decay))
        for name, each in parts.items()
        for key in ("p_value", "slope_p_value")
        if hasattr(each, key)
    }
    adjusted = holm_by_name(tests)

    def adjust(kind: str, name: str, keys: Mapping[str, str]) -> dict[str, float | None]:
        return {
            target: adjusted[f"{kind} {name} {key}"]
            for key, target in keys.items()
            if adjusted[f"{kind} {name} {key}"] is not None
        }

    one = {"p_value": "p_value_holm"}
    both = {**one, "slope_p_value": "slope_p_value_holm"}
    return StabilityFigures(
        bars=figures.bars,
        breaks={
            name: BreakFigures(**each.as_dict() | adjust("break", name, one))
            for name, each in figures.breaks.items()
        },
        decay={
            name: DecayFigures(**each.as_dict() | adjust("decay", name, both))
            for name, each in figures.decay.items()
        },
    )
