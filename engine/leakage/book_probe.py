"""Decisions and fills of every book, compared under a fall and under a rally at one cutoff.

A position is one of few values and a fill depends on few bars: later bars that differ a little
seldom change either, and a book that is flat before rare falls alone changes only where a fall
follows. So every book is decided before a bar that falls and before one that rises, far beyond any
bar of the history, and forecasts are all high or all low from there on; a book that turns at every
bar is filled there too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.leakage.alternating import ALTERNATING_BOOK, AlternatingProbe
from engine.leakage.cutoffs import Cutoff
from engine.leakage.fill_records import FillRecords, pair_fills
from engine.leakage.output_pairs import (
    pair_cost_rates,
    pair_own_thresholds,
    pair_positions,
    pair_predictions,
    pair_thresholds,
)
from engine.leakage.perturb import perturb_forecast, perturb_weights
from engine.leakage.scenarios import choose_scenarios
from engine.pipeline import steps
from engine.signals.benchmarks import UniverseRule
from engine.simulation.cost_rates import RATE_NAMES
from engine.simulation.costs import Costs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.leakage.comparison import OutputPair
    from engine.leakage.plan import ProbePlan
    from engine.leakage.scenarios import Scenario
    from engine.leakage.synthetic_bars import SyntheticFuture
    from engine.pipeline.prepared_data import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.simulation.cost_rates import CostRates
    from engine.simulation.costs import TradingCosts

_REBALANCINGS = 12
"""Rebalancings of a benchmark of several symbols after which later bars are replaced."""

_BARS_AFTER_CUT = 30
"""Bars after a cutoff up to which fills are simulated, beside the delay of orders: a fill that
knows the sum of the next bars, or how many are left, differs by then."""


def find_unmet_rows(books: Iterable[WideFrame], met: set[int]) -> list[int]:
    """Rows at which books have positions that they have at none of the rows met.

    Args:
        books: Weights of each book, n rows.
        met: Rows that are compared anyway.

    Returns:
        Ascending; for each book, symbol and side (long, flat, short) that it takes somewhere but
        in the last row, one row at which it does is among these or `met`.
    """
    rows = set(met)
    for weights in books:
        for sides in np.sign(weights.to_numpy()[:-1]).T:
            for side in np.unique(sides):
                there = np.flatnonzero(sides == side)
                if not rows.intersection(there.tolist()):
                    rows.add(int(there[len(there) // 2]))
    return sorted(rows - met)


def find_rebalancing_rows(books: Iterable[WideFrame], met: set[int]) -> list[int]:
    """Rows at which books change their weights, where none of the rows met does.

    A book that is rebalanced once a month reads later bars, if it does, at those closes alone.

    Args:
        books: Weights of each book, n rows.
        met: Rows that are compared anyway.

    Returns:
        Ascending; up to `_REBALANCINGS` of each book, evenly over its changes but those of the
        last row.
    """
    rows = set()
    for weights in books:
        changed = np.diff(weights.to_numpy()[:-1], axis=0, prepend=0.0).any(axis=1)
        turns = np.flatnonzero(changed)
        count = min(len(turns), max(0, _REBALANCINGS - len(met.intersection(turns.tolist()))))
        rows |= set(turns[np.linspace(0, len(turns) - 1, count).astype(int)].tolist())
    return sorted(rows - met)


class BookProbe:
    """Decides and fills the books of a run again on altered bars.

    Args:
        result: The run.
        plan: Its cutoffs.
        synthetic_future: Bars that replace later ones.
        require_equal: Raises where a pair of outputs differs.
        draw: Cutoff and purpose -> random numbers.
    """

    def __init__(
        self,
        result: BacktestResult,
        plan: ProbePlan,
        synthetic_future: SyntheticFuture,
        require_equal: Callable[[Iterable[OutputPair], Cutoff], None],
        draw: Callable[[Cutoff, str], np.random.Generator],
    ) -> None:
        self.alternating = AlternatingProbe(result)
        self._result = result
        self._plan = plan
        self._synthetic_future = synthetic_future
        self._require_equal = require_equal
        self._draw = draw
        self._real_fills: dict[int, FillRecords] = {}

    def compare_at(self, index: int, prepared: PreparedData) -> None:
        """Compares forecasts, thresholds, positions and fills up to one cutoff.

        Args:
            index: Of the cutoff.
            prepared: Prepared from bars that were altered after it.
        """
        cutoff = self._plan.cutoffs[index]
        self._compare_predictions(index, prepared)
        for scenario in choose_scenarios(index):
            market = self._alter(cutoff, scenario)
            self._compare_decisions(index, prepared.with_market(market), scenario)
            if self._n_tested(index):
                costs = self._bind_costs(market, cutoff)
                if self._plan.price_known == "open":
                    market = self._alter(cutoff, scenario, keep_open=True)
                self._compare_fills(index, prepared, market, costs)

    def compare_thresholds(self) -> None:
        """Compares the thresholds of every window with those before other test forecasts.

        A cutoff compares those of the windows that it begins or cuts; here all test forecasts of
        all windows are other ones, and train and validation predictions are kept.
        """
        result = self._result
        windows = result.prepared.windows
        forecasts = [
            perturb_forecast(
                outcome, windows[task.window], windows[task.window].test.start, up=True
            )
            for task, outcome in zip(result.fits.tasks, result.fits.forecasts, strict=True)
        ]
        predictions = steps.assemble_predictions(
            result.spec, result.prepared, replace(result.fits, forecasts=forecasts)
        )
        first = self._plan.cutoffs[0]
        for book, real in result.predictions.items():
            pairs = pair_thresholds(
                book, real, predictions[book], result.spec, result.prepared, windows
            )
            self._require_equal(pairs, first)

    def compare_own_thresholds(self) -> None:
        """Compares the thresholds of every window with those of its own train predictions."""
        result = self._result
        for book, real in result.predictions.items():
            pairs = pair_own_thresholds(book, real, result.spec, result.prepared)
            self._require_equal(pairs, self._plan.cutoffs[0])

    def compare_rare_positions(self) -> None:
        """Compares decisions after one more bar for each position that no cutoff has met.

        A rule that is seldom in the market is flat at every cutoff, where no fall ends it.
        """
        result = self._result
        first = result.prepared.windows[0].test.start
        rules = [own for book, own in result.weights.items() if book not in result.predictions]
        met = {cutoff.row - first for cutoff in self._plan.cutoffs if cutoff.row >= first}
        several = [
            result.weights[name]
            for name, book in result.spec.books().items()
            if isinstance(book, UniverseRule)
        ]
        rows = {*find_unmet_rows(rules, met), *find_rebalancing_rows(several, met)}
        for index, row in enumerate(sorted(rows)):
            cutoff = Cutoff(first + row, "inside a window")
            for scenario in choose_scenarios(index):
                altered = result.prepared.with_market(self._alter(cutoff, scenario))
                weights = self._decide_rules(altered, cutoff)
                bars = result.prepared.span[: row + 1]
                self._require_equal(pair_positions(result.weights, weights, bars), cutoff)

    def _n_tested(self, index: int) -> int:
        """Out-of-sample bars up to the cutoff."""
        first = self._result.prepared.windows[0].test.start
        return max(0, self._plan.cutoffs[index].row + 1 - first)

    def _tested_bars(self, index: int) -> pd.DatetimeIndex:
        return self._result.prepared.span[: self._n_tested(index)]

    def _alter(self, cutoff: Cutoff, scenario: Scenario, *, keep_open: bool = False) -> Market:
        return self._synthetic_future.replace_after(
            cutoff.row,
            self._draw(cutoff, f"{scenario.name}, open kept" if keep_open else scenario.name),
            keep_open=keep_open,
            price_factor=scenario.price_factor,
            open_factor=scenario.open_factor,
            volume_factor=scenario.volume_factor,
        )

    def _bind_costs(self, market: Market, cutoff: Cutoff) -> TradingCosts:
        """The costs on altered bars; those of the run after the cutoff, where none is compared.

        The rates themselves are compared first, see `pair_cost_rates`.

        A cost may depend on the whole bar of its fill, of which an order knows the open alone: so
        the market is one that keeps all of the cutoff's bar. After it, prices move further than
        those that a cost model was written for.
        """
        spec = self._result.spec
        if isinstance(spec.costs, Costs):
            return spec.bind_costs(market)
        other, panel = spec.cost_rates(market), self._result.prepared.market.is_panel
        self._require_equal(
            pair_cost_rates(spec.costs, self._own_rates, other, cutoff.row, panel=panel), cutoff
        )
        count = cutoff.row + 1
        joined = {}
        for name in RATE_NAMES:
            one, two = getattr(self._own_rates, name), getattr(other, name)
            both = isinstance(one, pd.DataFrame) and isinstance(two, pd.DataFrame)
            joined[name] = pd.concat([two.iloc[:count], one.iloc[count:]]) if both else two
        bound = spec.costs.bind_rates(replace(other, **joined), market)
        return bound.with_capital(spec.capital or 1.0)

    @cached_property
    def _own_rates(self) -> CostRates:
        return self._result.spec.cost_rates(self._result.prepared.market)

    def _compare_predictions(self, index: int, prepared: PreparedData) -> None:
        """Assembles predictions again, with other forecasts after the cutoff, high or low."""
        result, cutoff = self._result, self._plan.cutoffs[index]
        windows = result.prepared.windows
        forecasts = [
            perturb_forecast(outcome, windows[task.window], cutoff.row, up=index % 2 == 1)
            for task, outcome in zip(result.fits.tasks, result.fits.forecasts, strict=True)
        ]
        predictions = steps.assemble_predictions(
            result.spec, prepared, replace(result.fits, forecasts=forecasts)
        )
        new = self._plan.windows_begun(index)
        for book, real in result.predictions.items():
            other = predictions[book]
            self._require_equal(
                pair_predictions(book, real, other, result.prepared, cutoff.row), cutoff
            )
            self._require_equal(
                pair_thresholds(book, real, other, result.spec, result.prepared, new), cutoff
            )

    def _compare_decisions(
        self,
        index: int,
        altered: PreparedData,
        scenario: Scenario,
    ) -> None:
        cutoff = self._plan.cutoffs[index]
        # Those of models are replayed at every bar by `replay.check_decisions`.
        bars = self._tested_bars(index)
        if len(bars) or not self._result.spec.has_optima:
            weights = self._decide_rules(altered, cutoff)
            self._require_equal(pair_positions(self._result.weights, weights, bars), cutoff)
        if len(bars):
            up = scenario.forecasts_up
            self._require_equal(
                self.alternating.pair_positions(altered, len(bars) - 1, index, up=up), cutoff
            )

    def _decide_rules(self, altered: PreparedData, cutoff: Cutoff) -> dict[str, WideFrame]:
        """The weights of the rules; where they are optima, not long after the cutoff."""
        spec = self._result.spec
        if spec.has_optima:
            altered = _end_after(altered, cutoff.row + _BARS_AFTER_CUT, altered.market)
        return steps.decide_positions(spec, altered, {}, include_models=False)

    def _compare_fills(
        self, index: int, prepared: PreparedData, market: Market, costs: TradingCosts
    ) -> None:
        """Fills the book that turns at every bar, with other decisions from the cutoff on.

        Costs, interest and what trades are read from the altered bars. They are the same for all
        books; every fill of the run's own books is replayed by `replay.check_fills`. The turn at a
        cutoff is of one kind where it is decided and where it is filled: by cutoffs they go
        through the cycle.
        """
        spec, cutoff, last = (
            self._result.spec,
            self._plan.cutoffs[index],
            self._n_tested(index) - 1,
        )
        due_row = last - spec.execution.delay
        decided = self.alternating.weights(due_row, index)
        ending = _end_after(prepared, cutoff.row + spec.execution.delay + _BARS_AFTER_CUT, market)
        weights = perturb_weights(decided.iloc[: len(ending.span)], last)
        filled = steps.simulate_books(spec, ending, {ALTERNATING_BOOK: weights}, costs=costs)
        pairs = pair_fills(
            ALTERNATING_BOOK,
            self._alternating_fills(due_row, index),
            FillRecords.from_result(filled[ALTERNATING_BOOK]),
            self._tested_bars(index),
            price_known=self._plan.price_known,
        )
        self._require_equal(pairs, cutoff)

    def _alternating_fills(self, row: int, turn: int) -> FillRecords:
        own = self.alternating.simulation_result(row, turn)
        if id(own) not in self._real_fills:
            self._real_fills[id(own)] = FillRecords.from_result(own)
        return self._real_fills[id(own)]


def _end_after(prepared: PreparedData, last_row: int, market: Market) -> PreparedData:
    """The data with other bars, and with out-of-sample bars up to a row."""
    windows = tuple(
        replace(window, test=range(window.test.start, min(window.test.stop, last_row + 1)))
        for window in prepared.windows
        if window.test.start <= last_row
    )
    ending = replace(prepared, market=market, windows=windows)
    # Each rate is that of its own bar, whatever bars follow.
    vars(ending)["rates_by_bar"] = prepared.rates_by_bar.rows(slice(len(ending.span)))
    return ending
