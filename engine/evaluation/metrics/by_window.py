"""Figures of each walk-forward window's test part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.evaluation.metrics.return_metrics import sharpe

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix


def sharpe_by_window(
    returns: Matrix, window: IntVector, periods_per_year: float
) -> dict[int, tuple[float | None, ...]]:
    """Sharpe ratio of each column over the bars of each window's test part.

    Books go on from window to window: a position that the window before decided may be held over
    the first bars of a test part, and its returns count there.

    Args:
        returns: Net simple returns, shape (n bars, k); no NaN.
        window: Window in whose test part each bar lies, shape (n,).
        periods_per_year: Annualises, as in `measures.sharpe`.

    Returns:
        Window -> k ratios a year, in the order in which the windows come; None where the returns
        do not vary or there is one bar only.
    """
    return {
        index: tuple(sharpe(column, periods_per_year) for column in returns[window == index].T)
        for index in dict.fromkeys(window.tolist())
    }
