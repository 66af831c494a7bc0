"""The return to be forecast: the one file that may look ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.core.types import WideFrame


def forward_returns(close: WideFrame, horizon: int) -> WideFrame:
    """The simple return over the next `horizon` bars: close_{t+horizon} / close_t - 1.

    Args:
        close: Closes, a column a symbol, every bar in time order.
        horizon: Bars ahead.

    Returns:
        The shape of `close`; NaN in the last `horizon` rows, whose future is not known.
    """
    return close.shift(-horizon) / close - 1.0
