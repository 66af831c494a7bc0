"""From the decision to the fill: the only module that shifts target weights in time.

A weight decided at the close of row t is filled at row t + delay, at that row's open or close by
`execution.price`; with the default delay of 1 at the next bar's open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from engine.core.types import WideFrame


def schedule_orders(weights: WideFrame, delay: int) -> WideFrame:
    """The target weight at each bar where an order is due.

    Args:
        weights: Weights decided at each row's close, without NaN.
        delay: Rows from the decision to the fill, at least 1.

    Returns:
        The shape of `weights`: row t + delay has the weight of row t where it differs from the one
        before (before the first row all weights are 0), and NaN otherwise. Decisions whose fill is
        after the last row are not filled.

    Raises:
        UsageError: A delay below 1, which would trade on a close that is not yet known.
    """
    if delay < 1:
        raise UsageError(
            "Orders cannot be filled before they are decided",
            expected="a delay of at least 1 bar",
            found=f"{delay}",
            where="execution.delay",
            fix="raise execution.delay to 1",
        )
    changed = weights.ne(weights.shift(fill_value=0.0))
    return weights.where(changed).shift(delay)
