"""How forecasts become target weights, and what each window's decisions are measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.portfolio import EQUAL_PARTS, BookTerms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Vector, WideFrame
    from engine.portfolio import PortfolioSpec, TradingCalendar
    from engine.signals.hysteresis import EntryExitThresholds
    from engine.signals.sizing import SizingSpec
    from engine.signals.thresholds import ThresholdSpec


@dataclass(frozen=True)
class DecisionSpec:
    """How forecasts become target weights.

    Attributes:
        signal: Entry and exit thresholds.
        sizing: Sizes of positions.
        max_weight: Limit of the sum of |weight| over the symbols.
        round_trip_cost: Cost of entry and exit, a fraction of the traded value.
        periods_per_year: Bars per year.
        portfolio: How the symbols share it; by default each has an equal part.
        horizon: Bars that a forecast is over.
        calendar: Of the bars, for a portfolio that is rebalanced at the end of a week or month.
    """

    signal: ThresholdSpec
    sizing: SizingSpec
    max_weight: float
    round_trip_cost: float
    periods_per_year: float
    portfolio: PortfolioSpec = EQUAL_PARTS
    horizon: int = 1
    calendar: TradingCalendar | None = None

    @property
    def terms(self) -> BookTerms:
        """What the weights of the book depend on beside the portfolio."""
        return BookTerms(self.max_weight, self.horizon, self.periods_per_year, self.calendar)

    @property
    def closes_needed(self) -> int | None:
        """Closes that a decision is computed from, its own included; None is all of them."""
        sized = self.sizing.closes_needed
        return None if sized is None else max(sized, self.portfolio.closes_needed)

    @property
    def ranked_size(self) -> float:
        """Size of every symbol that an allocation by rank holds: that of a fixed sizing."""
        return min(getattr(self.sizing, "weight", 1.0), self.max_weight)

    def select_closes(self, close: WideFrame) -> WideFrame:
        """The last `closes_needed` rows."""
        return close if self.closes_needed is None else close.tail(self.closes_needed)


@dataclass(frozen=True, eq=False)
class DecisionLevels:
    """What a window's decisions are measured by, computed once per window.

    Attributes:
        window: Number of the window.
        thresholds: Symbol -> entry and exit thresholds, as simple returns; none for a symbol
            without a fit.
        train_predictions: Symbol -> predictions on the window's train rows, mean over seeds.
        residuals: Symbol -> realised minus predicted returns on its validation rows.
    """

    window: int
    thresholds: Mapping[str, EntryExitThresholds]
    train_predictions: Mapping[str, Vector]
    residuals: Mapping[str, Vector]


def compute_decision_levels(
    spec: DecisionSpec,
    window: int,
    train_predictions: Mapping[str, Vector],
    residuals: Mapping[str, Vector],
) -> DecisionLevels:
    """The thresholds of one window for every symbol that has a fit.

    Args:
        spec: Its signal and round-trip cost are used.
        window: Number of the window.
        train_predictions: Symbol -> predictions on the window's train rows, mean over seeds.
        residuals: Symbol -> realised minus predicted returns on its validation rows.
    """
    thresholds = {
        symbol: spec.signal.compute_thresholds(predictions, spec.round_trip_cost)
        for symbol, predictions in train_predictions.items()
    }
    return DecisionLevels(window, thresholds, train_predictions, residuals)
