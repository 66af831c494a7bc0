"""What the weights of a book depend on beside its section of the strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.portfolio.calendar_periods import TradingCalendar


@dataclass(frozen=True)
class BookTerms:
    """What the weights of a book depend on beside its section of the strategy.

    Attributes:
        max_weight: Limit of the sum of |weight|.
        horizon: Bars that a forecast is over.
        periods_per_year: Bars a year; needed by a volatility target alone.
        calendar: Of the bars; needed by a rebalancing at the end of a week or month alone.
    """

    max_weight: float = 1.0
    horizon: int = 1
    periods_per_year: float | None = None
    calendar: TradingCalendar | None = None
