"""The forecast return: the only module that may look ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.core.types import WideFrame


def forward_returns(close: WideFrame, horizon: int) -> WideFrame:
    """The simple return over the next `horizon` bars: close_{t+horizon} / close_t - 1.

    Args:
        close: Closes, one column per symbol, all bars in time order.
        horizon: Bars ahead.

    Returns:
        The shape of `close`; NaN in the last `horizon` rows, where it is not yet known.
    """
    return close.shift(-horizon) / close - 1.0
