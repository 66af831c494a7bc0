"""How much of a result is left with other costs, other delays, other thresholds.

Forecasts stay as they were stored: nothing is fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.fragility_sentence import fragility_sentence
from engine.evaluation.measures import sharpe
from engine.signals.decide import target_weights
from engine.signals.neighbours import neighbours
from engine.signals.thresholds import levels
from engine.signals.timing import fill_schedule
from engine.simulation.portfolio import simulate_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from engine.signals.forecasts import Forecasts
    from engine.signals.sizing import SizingSpec
    from engine.signals.thresholds import ThresholdSpec
    from engine.simulation.spec import Costs, Execution
    from engine.types import Vector, WideFrame

DELAYS = (1, 2, 3, 5)
MULTIPLES = (0.0, 0.5, 1.0, 2.0, 4.0)
FEES_FROM_NOTHING = (0.0, 5.0, 10.0, 20.0, 40.0)

SEARCHED_BPS = 2_000.0
"""The break-even cost is looked for up to here: a fifth of the value of every fill."""

_PRECISION_BPS = 1e-4
_HIGHEST_BPS = 9_999.0
"""A fee or a slippage of 10,000 bps takes all there is; `Costs` refuses it."""


@dataclass(frozen=True)
class Fragility:
    """The surface.

    Attributes:
        cost_bps: Fee and slippage of a fill together, ascending.
        delay_bars: From decision to fill, ascending.
        threshold: Where a long begins, ascending, in `threshold_unit`.
        threshold_unit: `bps`, `round trips` or `quantile`.
        threshold_bps: The same as a predicted return, mean over the forecast bars.
        sharpe: Sharpe ratio a year, by cost, then delay, then threshold; None where the returns do
            not vary, as of a threshold that nothing reaches.
        chosen: Places of the strategy's own cost, delay and threshold.
        break_even_cost_bps: See `fragility`.
    """

    cost_bps: tuple[float, ...]
    delay_bars: tuple[int, ...]
    threshold: tuple[float, ...]
    threshold_unit: str
    threshold_bps: tuple[float | None, ...]
    sharpe: tuple[tuple[tuple[float | None, ...], ...], ...]
    chosen: tuple[int, int, int]
    break_even_cost_bps: float | None

    def document(self) -> dict[str, Any]:
        """As it stands in significance.json."""
        cost, delay, threshold = self.chosen
        found = {
            "cost_bps": list(self.cost_bps),
            "delay_bars": list(self.delay_bars),
            "threshold": list(self.threshold),
            "threshold_unit": self.threshold_unit,
            "threshold_bps": list(self.threshold_bps),
            "sharpe": [[list(row) for row in sheet] for sheet in self.sharpe],
            "break_even_cost_bps": self.break_even_cost_bps,
            "searched_to_bps": max(SEARCHED_BPS, self.cost_bps[-1]),
            "chosen": {
                "cost_bps": self.cost_bps[cost],
                "delay_bars": self.delay_bars[delay],
                "threshold": self.threshold[threshold],
                "threshold_bps": self.threshold_bps[threshold],
                "sharpe": self.sharpe[cost][delay][threshold],
            },
        }
        return found | {"sentence": fragility_sentence(found)}


@dataclass(frozen=True)
class Terms:
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
    costs: Costs
    execution: Execution
    periods_per_year: float
    max_weight: float


def fragility(
    forecasts: Forecasts, bars_open: WideFrame, bars_close: WideFrame, terms: Terms
) -> Fragility:
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
    where nothing is earned even without costs, or where something still is at `SEARCHED_BPS`.

    Args:
        forecasts: n out-of-sample bars of the target symbols.
        bars_open: The same bars, at least these symbols; positive, no NaN.
        bars_close: All bars, at least these symbols; sizes look back.
        terms: The strategy's own.

    Source: Brent (1973), Algorithms for Minimization without Derivatives, ch. 4.
    """
    around = neighbours(terms.signal)
    made = _Made(forecasts, bars_open, bars_close, terms)
    delays = sorted({*DELAYS, terms.execution.delay})
    priced = _grid(terms.costs)
    own = (
        priced.index(_one_way(terms.costs)),
        delays.index(terms.execution.delay),
        [each.signal for each in around].index(terms.signal),
    )
    weights = [made.weights(each.signal) for each in around]
    charged = [_charged(terms.costs, cost) for cost in priced]
    # Costs innermost: of long histories no more schedules are held than are filled at once.
    schedules = (fill_schedule(each, delay) for delay in delays for each in weights)
    cells = made.returns((due, each) for due in schedules for each in charged)
    ratios = [sharpe(returns, terms.periods_per_year) for returns in cells]
    mean_at = _mean_at(made, fill_schedule(weights[own[2]], terms.execution.delay))
    return Fragility(
        cost_bps=tuple(priced),
        delay_bars=tuple(delays),
        threshold=tuple(each.enter for each in around),
        threshold_unit=around[own[2]].unit,
        threshold_bps=tuple(made.entry_bps(each.signal) for each in around),
        sharpe=_by_cost(ratios, len(priced), len(delays)),
        chosen=own,
        break_even_cost_bps=_break_even(mean_at, priced),
    )


@dataclass(frozen=True)
class _Made:
    """Weights and returns of variations."""

    forecasts: Forecasts
    bars_open: WideFrame
    bars_close: WideFrame
    terms: Terms

    def weights(self, signal: ThresholdSpec) -> WideFrame:
        return target_weights(
            self.forecasts,
            self.bars_close,
            signal,
            self.terms.sizing,
            round_trip=self.terms.costs.round_trip,
            periods_per_year=self.terms.periods_per_year,
            max_weight=self.terms.max_weight,
        )

    def returns(self, variations: Iterable[tuple[WideFrame, Costs]]) -> Iterator[Vector]:
        symbols = list(self.forecasts.predicted.columns)
        opens = self.bars_open[symbols]
        closes = self.bars_close.loc[opens.index, symbols]
        return simulate_each(variations, opens, closes, price=self.terms.execution.price)

    def entry_bps(self, signal: ThresholdSpec) -> float | None:
        """Mean over the bars and symbols that are forecast."""
        entries = [
            by_window[window].enter
            for symbol in self.forecasts.predicted.columns
            for by_window in [levels(signal, self.forecasts, symbol, self.terms.costs.round_trip)]
            for window in self.forecasts.window.tolist()
            if window in by_window
        ]
        return round(10_000 * float(np.mean(entries)), 9) if entries else None


def _by_cost(
    ratios: Sequence[float | None], costs: int, delays: int
) -> tuple[tuple[tuple[float | None, ...], ...], ...]:
    """From delay, threshold, cost to cost, delay, threshold."""
    cells = np.array(ratios, dtype=object).reshape(delays, -1, costs).transpose(2, 0, 1)
    return tuple(tuple(tuple(row) for row in sheet) for sheet in cells.tolist())


def _one_way(costs: Costs) -> float:
    return costs.fee_bps + costs.slippage_bps


def _grid(costs: Costs) -> list[float]:
    paid = _one_way(costs)
    if paid == 0:
        return list(FEES_FROM_NOTHING)
    highest = _HIGHEST_BPS / max(costs.fee_bps, costs.slippage_bps)
    return [paid * multiple for multiple in MULTIPLES if multiple <= max(1.0, highest)]


def _charged(costs: Costs, one_way: float) -> Costs:
    """Costs of that fee and slippage together, in the proportion of those charged."""
    paid = _one_way(costs)
    if paid == 0:
        return costs.model_copy(update={"fee_bps": one_way})
    # The multiples are powers of 2, so that their costs and these factors are exact.
    factor = one_way / paid
    fee, slippage = costs.fee_bps * factor, costs.slippage_bps * factor
    return costs.model_copy(update={"fee_bps": fee, "slippage_bps": slippage})


def _mean_at(made: _Made, due: WideFrame) -> Callable[[Sequence[float]], list[float]]:
    """Mean return of one schedule at several costs."""

    def mean_at(costs: Sequence[float]) -> list[float]:
        charged = [(due, _charged(made.terms.costs, cost)) for cost in costs]
        return [float(np.mean(returns)) for returns in made.returns(charged)]

    return mean_at


def _break_even(
    mean_at: Callable[[Sequence[float]], list[float]], priced: Sequence[float]
) -> float | None:
    from scipy.optimize import brentq

    costs = list(priced)
    while costs[-1] < SEARCHED_BPS:
        costs.append(min(2.0 * costs[-1], SEARCHED_BPS))
    means = mean_at(costs)
    beyond = next((place for place, mean in enumerate(means) if mean <= 0), 0)
    if beyond == 0:
        return None
    return float(
        brentq(
            lambda cost: mean_at([cost])[0], costs[beyond - 1], costs[beyond], xtol=_PRECISION_BPS
        )
    )
