"""The forecast return: the only module that may look ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix, WideFrame


def forward_returns(close: WideFrame, horizon: int) -> WideFrame:
    """The simple return over the next `horizon` bars: close_{t+horizon} / close_t - 1.

    Args:
        close: Closes, one column per symbol, all bars in time order.
        horizon: Bars ahead.

    Returns:
        The shape of `close`; NaN in the last `horizon` rows, where it is not yet known.
    """
    values = close.to_numpy(dtype=np.float64)
    ahead = np.full(values.shape, np.nan)
    if len(values) > horizon:
        ahead[:-horizon] = _returns_over(values, horizon)
    return pd.DataFrame(ahead, index=close.index, columns=close.columns)


def trailing_returns(close: WideFrame, horizon: int) -> WideFrame:
    """The simple return over the last `horizon` bars: close_t / close_{t-horizon} - 1.

    Args:
        close: As in `forward_returns`.
        horizon: Bars back.

    Returns:
        The shape of `close`; NaN in the first `horizon` rows.
    """
    values = close.to_numpy(dtype=np.float64)
    behind = np.full(values.shape, np.nan)
    if len(values) > horizon:
        behind[horizon:] = _returns_over(values, horizon)
    return pd.DataFrame(behind, index=close.index, columns=close.columns)


def over_own_bars(
    returns: Callable[[WideFrame, int], WideFrame],
) -> Callable[[WideFrame, int], WideFrame]:
    """Returns of each symbol over its own bars, NaN where it has none.

    Args:
        returns: `forward_returns` or `trailing_returns`.
    """

    def of_panel(close: WideFrame, horizon: int) -> WideFrame:
        values = np.full(close.shape, np.nan)
        for place in range(close.shape[1]):
            column = close.iloc[:, [place]]
            own = ~np.isnan(column.to_numpy()[:, 0])
            values[own, place] = returns(column[own], horizon).to_numpy()[:, 0]
        return pd.DataFrame(values, index=close.index, columns=close.columns)

    return of_panel


def _returns_over(values: Matrix, horizon: int) -> Matrix:
    """(n - horizon, k) the returns over so many bars, each at the first of them."""
    returns: Matrix = values[horizon:] / values[:-horizon] - 1.0
    return returns
