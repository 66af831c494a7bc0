"""The section `holdout` of `significance.json`: who looked at it, and what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.randomness import derive_seed
from engine.evaluation.inference.bootstrap import infer_sharpe_ratios
from engine.evaluation.metrics.return_metrics import max_drawdown, total_return
from engine.runs.documents.significance_registration import HoldoutBook, HoldoutFigures

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.data.rates import RatesByBar
    from engine.evaluation.config import EvaluationSpec
    from engine.evaluation.inference.bootstrap import SharpeInference
    from engine.trials.holdout_looks import HoldoutLooks


def make_holdout_section(
    looks: HoldoutLooks | None, *, sealed: bool, books: dict[str, HoldoutBook], bars: int
) -> dict[str, HoldoutFigures]:
    """`holdout` and its figures; no section where there is none, and never was.

    Args:
        looks: By the ledger.
        sealed: Whether the run was made without it.
        books: As by `measure_holdout`.
        bars: Bars of the holdout in the run.
    """
    if looks is None:
        return {}
    figures = HoldoutFigures(
        sealed_from=looks.sealed_from,
        sealed=sealed,
        unsealings=looks.unsealings,
        beyond=looks.beyond,
        others=looks.others,
        bars=bars,
        books=books,
    )
    return {"holdout": figures}


def select_holdout(returns: pd.DataFrame, sealed_from: str) -> pd.Series[bool]:
    """Whether each bar is of a holdout that begins on a day."""
    first = pd.Timestamp(sealed_from, tz="UTC")
    return pd.Series(returns.index >= first, index=returns.index)


def measure_holdout(
    returns: pd.DataFrame,
    rates: RatesByBar,
    sealed_from: str,
    *,
    periods_per_year: float,
    spec: EvaluationSpec,
    seed: int,
) -> dict[str, HoldoutBook]:
    """Every book over the bars of the holdout alone.

    Args:
        returns: Index timestamp, a column a book: net returns of all bars.
        rates: On the same bars.
        sealed_from: First day of the holdout.
        periods_per_year: Bars a year.
        spec: Resamples and level of the intervals.
        seed: Of the strategy.

    Returns:
        Book -> figures; intervals are None below 30 bars. Empty without a bar.
    """
    chosen = select_holdout(returns, sealed_from).to_numpy()
    if not chosen.any():
        return {}
    excess = rates.excess(returns)
    values = {str(book): excess[book].to_numpy(dtype=np.float64)[chosen] for book in returns}
    own = values[STRATEGY_BOOK]
    asked: dict[str, list[Vector]] = {f"{book} alone": [each] for book, each in values.items()}
    rivals = {book: each for book, each in values.items() if book != STRATEGY_BOOK}
    asked |= {f"against {book}": [own, each] for book, each in rivals.items()}
    rng = np.random.default_rng(derive_seed(seed, "holdout"))
    inferred = infer_sharpe_ratios(asked, periods_per_year, spec, rng)
    return {
        book: _describe(
            returns[book].to_numpy(dtype=np.float64)[chosen],
            inferred[f"{book} alone"],
            inferred.get(f"against {book}"),
        )
        for book in values
    }


def _describe(
    net: Vector, sharpe: SharpeInference, difference: SharpeInference | None
) -> HoldoutBook:
    grown, deepest = total_return(net), max_drawdown(net)
    against = (
        {}
        if difference is None
        else {
            "difference": difference.estimate,
            "difference_low": difference.low,
            "difference_high": difference.high,
        }
    )
    return HoldoutBook(
        total_return_pct=None if grown is None else 100 * grown,
        max_drawdown_pct=None if deepest is None else 100 * deepest,
        sharpe=sharpe.estimate,
        low=sharpe.low,
        high=sharpe.high,
        **against,
    )
