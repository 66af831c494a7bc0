"""Sensitivity analysis: the Sharpe ratio at other costs, fill delays and thresholds.

It uses the stored forecasts; no model is fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.data.rates import RatesByBar
from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.robustness.sensitivity_sentence import describe_sensitivity
from engine.portfolio import EQUAL_PARTS
from engine.runs.documents.significance_models import SensitivityCell, SensitivityFigures
from engine.signals.orders import schedule_orders
from engine.signals.target_weights import compute_target_weights
from engine.signals.threshold_grid import build_threshold_grid
from engine.signals.thresholds import compute_window_thresholds
from engine.simulation.book_values import Variation
from engine.simulation.portfolio import simulate_variations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from engine.core.types import Vector, WideFrame
    from engine.portfolio import PortfolioSpec, TradingCalendar
    from engine.signals.inputs import SignalInputs
    from engine.signals.sizing import SizingSpec
    from engine.signals.thresholds import ThresholdSpec
    from engine.simulation.config import Execution
    from engine.simulation.costs import TradingCosts

DELAYS_BARS = (1, 2, 3, 5)
COST_MULTIPLES = (0.0, 0.5, 1.0, 2.0, 4.0)
FEES_WITHOUT_COSTS_BPS = (0.0, 5.0, 10.0, 20.0, 40.0)

BREAK_EVEN_SEARCH_LIMIT_BPS = 2_000.0
"""Upper limit of the search for the break-even cost: one fifth of the value of every fill."""

_BREAK_EVEN_TOLERANCE_BPS = 1e-4
_LEAST_LOG_GROWTH = -50.0
"""Stands for a book that lost everything, so that a search by straight lines has a finite end."""

_MAX_COST_BPS = 9_999.0
"""A fee or slippage of 10,000 bps is the whole value of the fill; `Costs` rejects it."""


@dataclass(frozen=True)
class SensitivitySurface:
    """The Sharpe ratio over a grid of costs, delays and thresholds.

    Attributes:
        cost_bps: One-way costs (fee + slippage of a fill), ascending.
        delay_bars: Delays from decision to fill, ascending.
        threshold: Entry thresholds of a long position, ascending, in `threshold_unit`.
        threshold_unit: `bps`, `round trips` or `quantile`.
        threshold_bps: The thresholds as predicted returns, mean over the forecast bars.
        sharpe: Annualised Sharpe ratio, by cost, then delay, then threshold; None for constant
            returns, as with a threshold that no forecast reaches.
        chosen_cell: Indices of the strategy's own cost, delay and threshold.
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

    def to_document(self) -> SensitivityFigures:
        """The section `fragility` of significance.json."""
        cost, delay, threshold = self.chosen_cell
        figures = SensitivityFigures(
            cost_bps=self.cost_bps,
            delay_bars=self.delay_bars,
            threshold=self.threshold,
            threshold_unit=self.threshold_unit,
            threshold_bps=self.threshold_bps,
            sharpe=self.sharpe,
            break_even_cost_bps=self.break_even_cost_bps,
            searched_to_bps=max(BREAK_EVEN_SEARCH_LIMIT_BPS, self.cost_bps[-1]),
            chosen=SensitivityCell(
                cost_bps=self.cost_bps[cost],
                delay_bars=self.delay_bars[delay],
                threshold=self.threshold[threshold],
                threshold_bps=self.threshold_bps[threshold],
                sharpe=self.sharpe[cost][delay][threshold],
            ),
        )
        return figures | {"sentence": describe_sensitivity(figures)}


@dataclass(frozen=True)
class TradingParameters:
    """The settings of a strategy that turn forecasts into returns.

    Attributes:
        signal: Thresholds.
        sizing: Position sizing.
        costs: Trading costs.
        execution: Delay and price of fills.
        periods_per_year: Bars a year.
        max_weight: Largest absolute weight.
        rates: Interest rates on the out-of-sample bars; None for 0.
        portfolio: How the symbols share the book.
        lags: Of the out-of-sample bars, as in `schedule_orders`.
        horizon: Bars that a forecast is over.
        calendar: Of the bars.
    """

    signal: ThresholdSpec
    sizing: SizingSpec
    costs: TradingCosts
    execution: Execution
    periods_per_year: float
    max_weight: float
    rates: RatesByBar | None = None
    portfolio: PortfolioSpec = EQUAL_PARTS
    lags: WideFrame | None = None
    horizon: int = 1
    calendar: TradingCalendar | None = None


def compute_sensitivity_surface(
    forecasts: SignalInputs,
    bars_open: WideFrame,
    bars_close: WideFrame,
    parameters: TradingParameters,
    traded: WideFrame | None = None,
    settlements: WideFrame | None = None,
) -> SensitivitySurface:
    """Computes the Sharpe ratio over cost x delay x threshold, and the break-even cost.

    Every cell is a simulation, by the same steps as the books of the run; the chosen cell equals
    the Sharpe ratio of the run to the last digit. All that a fill pays is multiplied by 0, 0.5, 1,
    2 and 4: fee, minimum, spread, impact (where a fill pays nothing, a fee of 5, 10, 20 and 40 bps
    is charged); the borrow cost and the limit of a bar are unchanged. The cost of a cell in basis
    points is the multiple of `costs.one_way_cost_bps`.
    The delays are 1, 2, 3, 5 and the chosen one; the thresholds are those of
    `build_threshold_grid`, or the chosen one alone where forecasts are ranked and none takes part.
    Decisions use the strategy's own costs: a threshold in round trips is
    not rescaled, so that cells with different costs differ only in the costs paid.

    The break-even cost is the fee + slippage of a fill, at the chosen delay and threshold, at
    which the total return is 0: the book ends with the money that it began with. It is determined
    by Brent's method over simulations, to 0.0001 bps, in the first interval of costs in which the
    sign changes. It is 0 where the total return is not positive without costs, and None where it
    is still positive at `BREAK_EVEN_SEARCH_LIMIT_BPS`.

    Args:
        forecasts: n out-of-sample bars of the target symbols.
        bars_open: The same bars, at least these symbols; positive, no NaN.
        bars_close: All bars, at least these symbols; position sizing uses past bars. NaN before
            the first bar of a symbol of a panel.
        parameters: Settings of the strategy.
        traded: Whether something traded at each of the bars, as in `defer_orders`.
        settlements: As in `simulate`.

    Source: Brent (1973), Algorithms for Minimization without Derivatives, ch. 4.
    """
    grid = build_threshold_grid(parameters.signal)
    if parameters.portfolio.allocation.by_rank:
        grid = [each for each in grid if each.signal == parameters.signal]
    simulator = _Resimulator(forecasts, bars_open, bars_close, parameters, traded, settlements)
    delays = sorted({*DELAYS_BARS, parameters.execution.delay})
    costs = _cost_grid(parameters.costs)
    own = (
        costs.index(parameters.costs.one_way_cost_bps),
        delays.index(parameters.execution.delay),
        [each.signal for each in grid].index(parameters.signal),
    )
    weights = [simulator.target_weights_for(each.signal) for each in grid]
    charged = [parameters.costs.at_one_way_cost(cost) for cost in costs]
    # Costs innermost, so that few schedules of a long history are in memory at a time.
    schedules = (
        (schedule_orders(each, delay, parameters.lags), delay)
        for delay in delays
        for each in weights
    )
    cells = simulator.excess_returns(
        Variation(schedule, delay, charge, parameters.lags)
        for schedule, delay in schedules
        for charge in charged
    )
    ratios = [sharpe(returns, parameters.periods_per_year) for returns in cells]
    log_growth_at = _log_growth_function(
        simulator,
        schedule_orders(weights[own[2]], parameters.execution.delay, parameters.lags),
    )
    return SensitivitySurface(
        cost_bps=tuple(costs),
        delay_bars=tuple(delays),
        threshold=tuple(each.enter for each in grid),
        threshold_unit=grid[own[2]].unit,
        threshold_bps=tuple(simulator.mean_entry_threshold_bps(each.signal) for each in grid),
        sharpe=_reshape_by_cost(ratios, len(costs), len(delays)),
        chosen_cell=own,
        break_even_cost_bps=_find_break_even_cost(log_growth_at, costs),
    )


@dataclass(frozen=True)
class _Resimulator:
    """Target weights and excess returns of variations of a strategy."""

    forecasts: SignalInputs
    bars_open: WideFrame
    bars_close: WideFrame
    parameters: TradingParameters
    traded: WideFrame | None
    settlements: WideFrame | None = None

    def target_weights_for(self, signal: ThresholdSpec) -> WideFrame:
        return compute_target_weights(
            self.forecasts,
            self.bars_close,
            signal,
            self.parameters.sizing,
            round_trip_cost=self.parameters.costs.round_trip_cost,
            periods_per_year=self.parameters.periods_per_year,
            max_weight=self.parameters.max_weight,
            portfolio=self.parameters.portfolio,
            horizon=self.parameters.horizon,
            calendar=self.parameters.calendar,
        )

    def excess_returns(self, variations: Iterable[Variation]) -> Iterator[Vector]:
        return map(self._rates.excess_values, self.simulate_returns(variations))

    def simulate_returns(self, variations: Iterable[Variation]) -> Iterator[Vector]:
        symbols = list(self.forecasts.predicted.columns)
        opens = self.bars_open[symbols]
        closes = self.bars_close.loc[opens.index, symbols]
        if self.forecasts.absences is not None:
            closes = closes.fillna(opens)  # before a listing, when nothing is held
        return simulate_variations(
            variations,
            opens,
            closes,
            execution=self.parameters.execution,
            traded=self.traded,
            settlements=self.settlements,
            cash_rates=self._rates.cash,
        )

    @property
    def _rates(self) -> RatesByBar:
        return self.parameters.rates or RatesByBar.constant(self.bars_open.index)

    def mean_entry_threshold_bps(self, signal: ThresholdSpec) -> float | None:
        """Mean entry threshold over the bars and symbols with a forecast."""
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
    """Reorders delay, threshold, cost to cost, delay, threshold."""
    cells = np.array(sharpes, dtype=object).reshape(delays, -1, costs).transpose(2, 0, 1)
    return tuple(tuple(tuple(row) for row in sheet) for sheet in cells.tolist())


def _cost_grid(costs: TradingCosts) -> list[float]:
    # The multiples are powers of 2, so that their costs and the factors to them are exact.
    paid = costs.one_way_cost_bps
    if paid == 0:
        return list(FEES_WITHOUT_COSTS_BPS)
    highest = _MAX_COST_BPS / max(costs.highest_rate_bps, 1e-9)
    return [paid * multiple for multiple in COST_MULTIPLES if multiple <= max(1.0, highest)]


def _log_growth_function(
    simulator: _Resimulator, schedule: WideFrame
) -> Callable[[Sequence[float]], list[float]]:
    """A function of costs: at each the log of what one schedule of orders makes of 1.

    The log of the growth is nearly a straight line in the cost, so that a search needs few costs.
    """

    def log_growth_at(costs: Sequence[float]) -> list[float]:
        parameters = simulator.parameters
        charged = [
            Variation(
                schedule,
                parameters.execution.delay,
                parameters.costs.at_one_way_cost(cost),
                parameters.lags,
            )
            for cost in costs
        ]
        with np.errstate(divide="ignore"):  # all equity lost: -inf
            grown = np.log([np.prod(1.0 + each) for each in simulator.simulate_returns(charged)])
        return [max(float(each), _LEAST_LOG_GROWTH) for each in grown]

    return log_growth_at


def _find_break_even_cost(
    log_growth_at: Callable[[Sequence[float]], list[float]], cost_grid: Sequence[float]
) -> float | None:
    from scipy.optimize import brentq

    costs = list(cost_grid)
    while costs[-1] < BREAK_EVEN_SEARCH_LIMIT_BPS:
        costs.append(min(2.0 * costs[-1], BREAK_EVEN_SEARCH_LIMIT_BPS))
    growths = log_growth_at(costs)
    beyond = next((index for index, growth in enumerate(growths) if growth <= 0), None)
    if beyond is None or beyond == 0:
        return None if beyond is None else 0.0
    return float(
        brentq(
            lambda cost: log_growth_at([cost])[0],
            costs[beyond - 1],
            costs[beyond],
            xtol=_BREAK_EVEN_TOLERANCE_BPS,
        )
    )
