"""What trading costs, and when a decision is filled."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.core.types import Spec


class Costs(Spec):
    """Costs, each in basis points.

    Attributes:
        fee_bps: Of the traded value, each fill.
        slippage_bps: Paid on the price, against the trade, each fill.
        borrow_bps_per_year: Of the short value, by calendar time held.
    """

    fee_bps: float = Field(default=10.0, ge=0, lt=10_000)
    slippage_bps: float = Field(default=5.0, ge=0, lt=10_000)
    borrow_bps_per_year: float = Field(default=0.0, ge=0, lt=100_000)

    @property
    def round_trip_cost(self) -> float:
        """Cost of going in and out again, as a fraction of the traded value."""
        return 2.0 * (self.fee_bps + self.slippage_bps) / 10_000


class Execution(Spec):
    """Decided at the close of t, filled at the `price` of bar t + `delay`.

    A delay of 0 does not exist: the close of t is known only once nothing can be bought at it.

    Attributes:
        delay: Bars from the close that decides to the bar that fills; 1 is the next bar.
        price: Which price of the bar that fills is paid.
    """

    delay: int = Field(default=1, ge=1, le=20)
    price: Literal["open", "close"] = "open"
