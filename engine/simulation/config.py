"""Settings of trading costs and of execution."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.core.types import Spec


class Costs(Spec):
    """Costs, each in basis points.

    Attributes:
        fee_bps: Fee of each fill, on the traded value.
        slippage_bps: Slippage of each fill, on the price, against the trade.
        borrow_bps_per_year: Borrow cost of the short value, by calendar time held.
    """

    fee_bps: float = Field(default=10.0, ge=0, lt=10_000)
    slippage_bps: float = Field(default=5.0, ge=0, lt=10_000)
    borrow_bps_per_year: float = Field(default=0.0, ge=0, lt=100_000)

    @property
    def round_trip_cost(self) -> float:
        """Cost of entry and exit, as a fraction of the traded value."""
        return 2.0 * (self.fee_bps + self.slippage_bps) / 10_000


class Execution(Spec):
    """Decided at the close of t, filled at the `price` of bar t + `delay`.

    A delay of 0 is not allowed: the close of t is known only when it can no longer be traded.

    Attributes:
        delay: Bars from the decision at a close to the bar of the fill; 1 is the next bar.
        price: Price of that bar at which orders are filled.
    """

    delay: int = Field(default=1, ge=1, le=20)
    price: Literal["open", "close"] = "open"
