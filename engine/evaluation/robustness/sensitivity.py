"""How much of a result is left with other costs, other delays, other thresholds.

Forecasts stay as they were stored: nothing is fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.robustness.sensitivity_sentence import describe_sensitivity
from engine.signals.orders import schedule_orders
from engine.signals.target_weights import compute_target_weights
from engine.signals.threshold_grid import build_threshold_grid
from engine.signals.thresholds import compute_window_thresholds
from engine.simulation.portfolio import simulate_variations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from engine.core.types import Vector, WideFrame
    from engine.signals.inputs import SignalInputs
    from engine.signals.sizing import SizingSpec
    from engine.signals.thresholds import ThresholdSpec
    from engine.simulation.config import Execution
    from engine.simulation.costs import TradingCosts

DELAYS_BARS = (1, 2, 3, 5)
COST_MULTIPLES = (0.0, 0.5, 1.0, 2.0, 4.0)
FEES_WITHOUT_COSTS_BPS = (0.0, 5.0, 10.0, 20.0, 40.0)

BREAK_EVEN_SEARCH_LIMIT_BPS = 2_000.0
"""The break-even cost is looked for up to here: a fifth of the value of every fill."""

_BREAK_EVEN_TOLERANCE_BPS = 1e-4
_MAX_COST_BPS = 9_999.0
"""A fee or a slippage of 10,000 bps takes all there is; `Costs` refuses it."""


@dataclass(frozen=True)
class SensitivitySurface:
    """The surface.

    Attributes:
        cost_bps: Fee and slippage of a fill together, ascending.
        delay_bars: From decision to fill, ascending.
        threshold: Where a long begins, ascending, in `threshold_unit`.
        threshold_unit: `bps`, `round trips` or `quantile`.
        threshold_bps: The same as a predicted return, mean over the forecast bars.
        sharpe: Sharpe ratio a year, by cost, then delay, then threshold; None where the returns do
            not vary, as of a threshold that nothing reaches.
        chosen_cell: Places of the strategy's own cost, delay and threshold.
        break_even_cost_bps: See `compute_sensitivity_surface`.
    """

    cost_bps: tuple[float, ...]
    delay_bars: tuple[int, ...]
    threshold: tuple[float, ...]
    threshold_unit: str
    threshold_bps: tuple[float | None, ...]
    sharpe: tuple[tuple[tuple[float | None, ...], ...], ...]
    chosen_cell: tuple[int, int, int]
    break_even_cost_bps: float | None

    def as_dict(self) -> dict[str, Any]:
        """As it stands in significance.json."""
        cost, delay, threshold = self.chosen_cell
        found = {
            "cost_bps": list(self.cost_bps),
            "delay_bars": list(self.delay_bars),
            "threshold": list(self.threshold),
            "threshold_unit": self.threshold_unit,
            "threshold_bps": list(self.threshold_bps),
            "sharpe": [[list(row) for row in sheet] for sheet in self.sharpe],
            "break_even_cost_bps": self.break_even_cost_bps,
            "searched_to_bps": max(BREAK_EVEN_SEARCH_LIMIT_BPS, self.cost_bps[-1]),
            "chosen": {
                "cost_bps": self.cost_bps[cost],
                "delay_bars": self.delay_bars[delay],
                "threshold": self.threshold[threshold],
                "threshold_bps": self.threshold_bps[threshold],
                "sharpe": self.sharpe[cost][delay][threshold],
            },
        }
        return found | {"sentence": describe_sensitivity(found)}


@dataclass(frozen=True)
class TradingParameters:
    """What makes returns of forecasts.

    Attributes:
        signal: The strategy's thresholds.
        sizing: Its sizes.
        costs: What it was charged.
        execution: When, and at which price, it was filled.
        periods_per_year: Bars a year.
        max_weight: Its limit.
    """

    signal: ThresholdSpec
    sizing: SizingSpec
    costs: TradingCosts
    execution: Execution
    periods_per_year: float
    max_weight: float


def compute_sensitivity_surface(
    forecasts: SignalInputs,
    bars_open: WideFrame,
    bars_close: WideFrame,
    parameters: TradingParameters,
) -> SensitivitySurface:
    """The Sharpe ratio over cost x delay x threshold, and the cost at which it is gone.

    Every cell is a simulation of its own, by the way that the run's own books go; the chosen cell
    is the run's Sharpe ratio to the last digit. Fee and slippage are multiplied by 0, 0.5, 1, 2
    and 4 (without either, a fee of 5, 10, 20 and 40 bps is charged), borrowing costs what it did;
    the delay is 1, 2, 3, 5 and the chosen one; thresholds are `neighbours`. The strategy decides
    as if it knew nothing of other costs: a threshold in round trips stays where the costs charged
    put it, so that neighbours in cost differ in nothing but what is paid.

    The break-even cost is the fee and slippage of a fill, at the chosen delay and threshold, at
    which the mean return is 0 and the Sharpe ratio with it: found by Brent's method over
    simulations, to 0.0001 bps, in the first interval of costs over which the sign changes. None
    where nothing is earned even without costs, or where something still is at
    `BREAK_EVEN_SEARCH_LIMIT_BPS`.

    Args:
        forecasts: n out-of-sample bars of the target symbols.
        bars_open: The same bars, at least these symbols; positive, no NaN.
        bars_close: All bars, at least these symbols; sizes look back.
        parameters: The strategy's own.

    Source: Brent (1973), Algorithms for Minimization without Derivatives, ch. 4.
    """
    around = build_threshold_grid(parameters.signal)
    made = _Resimulator(forecasts, bars_open, bars_close, parameters)
    delays = sorted({*DELAYS_BARS, parameters.execution.delay})
    priced = _cost_grid(parameters.costs)
    own = (
        priced.index(parameters.costs.one_way_cost_bps),
        delays.index(parameters.execution.delay),
        [each.signal for each in around].index(parameters.signal),
    )
    weights = [made.target_weights_for(each.signal) for each in around]
    charged = [parameters.costs.at_one_way_cost(cost) for cost in priced]
    # Costs innermost: of long histories no more schedules are held than are filled at once.
    schedules = (schedule_orders(each, delay) for delay in delays for each in weights)
    cells = made.simulate_returns((due, each) for due in schedules for each in charged)
    ratios = [sharpe(returns, parameters.periods_per_year) for returns in cells]
    mean_at = _mean_return_function(
        made, schedule_orders(weights[own[2]], parameters.execution.delay)
    )
    return SensitivitySurface(
        cost_bps=tuple(priced),
        delay_bars=tuple(delays),
        threshold=tuple(each.enter for each in around),
        threshold_unit=around[own[2]].unit,
        threshold_bps=tuple(made.mean_entry_threshold_bps(each.signal) for each in around),
        sharpe=_reshape_by_cost(ratios, len(priced), len(delays)),
        chosen_cell=own,
        break_even_cost_bps=_find_break_even_cost(mean_at, priced),
    )


@dataclass(frozen=True)
class _Resimulator:
    """Weights and returns of variations."""

    forecasts: SignalInputs
    bars_open: WideFrame
    bars_close: WideFrame
    parameters: TradingParameters

    def target_weights_for(self, signal: ThresholdSpec) -> WideFrame:
        return compute_target_weights(
            self.forecasts,
            self.bars_close,
            signal,
            self.parameters.sizing,
            round_trip_cost=self.parameters.costs.round_trip_cost,
            periods_per_year=self.parameters.periods_per_year,
            max_weight=self.parameters.max_weight,
        )

    def simulate_returns(
        self, variations: Iterable[tuple[WideFrame, TradingCosts]]
    ) -> Iterator[Vector]:
        symbols = list(self.forecasts.predicted.columns)
        opens = self.bars_open[symbols]
        closes = self.bars_close.loc[opens.index, symbols]
        return simulate_variations(
            variations, opens, closes, price=self.parameters.execution.price
        )

    def mean_entry_threshold_bps(self, signal: ThresholdSpec) -> float | None:
        """Mean over the bars and symbols that are forecast."""
        entries = [
            by_window[window].enter
            for symbol in self.forecasts.predicted.columns
            for by_window in [
                compute_window_thresholds(
                    signal, self.forecasts, symbol, self.parameters.costs.round_trip_cost
                )
            ]
            for window in self.forecasts.window.tolist()
            if window in by_window
        ]
        return round(10_000 * float(np.mean(entries)), 9) if entries else None


def _reshape_by_cost(
    sharpes: Sequence[float | None], costs: int, delays: int
) -> tuple[tuple[tuple[float | None, ...], ...], ...]:
    """From delay, threshold, cost to cost, delay, threshold."""
    cells = np.array(sharpes, dtype=object).reshape(delays, -1, costs).transpose(2, 0, 1)
    return tuple(tuple(tuple(row) for row in sheet) for sheet in cells.tolist())


def _cost_grid(costs: TradingCosts) -> list[float]:
    # The multiples are powers of 2, so that their costs and the factors to them are exact.
    paid = costs.one_way_cost_bps
    if paid == 0:
        return list(FEES_WITHOUT_COSTS_BPS)
    highest = _MAX_COST_BPS / costs.highest_rate_bps
    return [paid * multiple for multiple in COST_MULTIPLES if multiple <= max(1.0, highest)]


def _mean_return_function(
    simulator: _Resimulator, schedule: WideFrame
) -> Callable[[Sequence[float]], list[float]]:
    """Mean return of one schedule at several costs."""

    def mean_at(costs: Sequence[float]) -> list[float]:
        charged = [(schedule, simulator.parameters.costs.at_one_way_cost(cost)) for cost in costs]
        return [float(np.mean(returns)) for returns in simulator.simulate_returns(charged)]

    return mean_at


def _find_break_even_cost(
    mean_return_at: Callable[[Sequence[float]], list[float]], cost_grid: Sequence[float]
) -> float | None:
    from scipy.optimize import brentq

    costs = list(cost_grid)
    while costs[-1] < BREAK_EVEN_SEARCH_LIMIT_BPS:
        costs.append(min(2.0 * costs[-1], BREAK_EVEN_SEARCH_LIMIT_BPS))
    means = mean_return_at(costs)
    beyond = next((place for place, mean in enumerate(means) if mean <= 0), 0)
    if beyond == 0:
        return None
    return float(
        brentq(
            lambda cost: mean_return_at([cost])[0],
            costs[beyond - 1],
            costs[beyond],
            xtol=_BREAK_EVEN_TOLERANCE_BPS,
        )
    )
