"""A strategy whose bars arrive one after another: update features, predict, decide, step.

It keeps what the next bar needs and no history, so that its memory does not grow. Over the bars of
a run its forecasts, weights and account are those of the run bit for bit.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.errors import BacktestError, UsageError
from engine.core.part_origin import find_external_parts
from engine.core.progress import NullProgress
from engine.data.intervals import bar_end
from engine.data.next_bar import NextBar
from engine.data.rates import load_rates
from engine.live.fitted_strategy import fit_newest_window, fit_windows
from engine.live.loop.lazy_history import LazyHistory
from engine.live.loop.loop_state import BarOutcome, LoopState
from engine.live.loop.recent_bars import RecentBars
from engine.live.loop.window_source import HistoryWindows, PresentWindow
from engine.live.strategy_argument import require_market
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import (
    assemble_strategy_predictions,
    decide_state_at,
    predict_windows,
)
from engine.signals.decision import decide
from engine.signals.orders import place_orders
from engine.signals.prediction_row import PredictionRow
from engine.simulation.bar_step import step
from engine.simulation.costs import BoundCosts, Costs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from engine.core.progress import Progress
    from engine.core.types import BarsFrame
    from engine.data import Market
    from engine.data.rates import InterestRates
    from engine.live.loop.window_source import WindowSource
    from engine.signals.decision import DecisionState
    from engine.signals.orders import Order
    from engine.simulation.account import Account, BarPrices, Fill
    from engine.simulation.costs import CostModel, TradingCosts
    from engine.strategy import Strategy


class BarLoop:
    """A strategy, its features, the models of the present window, and its account.

    `start` makes one of a history. `advance` takes the bars of one timestamp; where it raises, the
    loop is as before, and the bar may be given again.

    Args:
        spec: The strategy.
        recent: What is kept of the bars so far.
        windows: Gives the models of a window that begins.
        load_history: Returns the market up to a bar and with it.
        present: The window of the newest bar; None before the first.
        state: Decisions and account after the newest bar.
        rates: Interest rates, instead of reading those of the strategy.
    """

    def __init__(
        self,
        spec: Strategy,
        recent: RecentBars,
        windows: WindowSource,
        load_history: Callable[[pd.Timestamp], Market],
        *,
        present: PresentWindow | None = None,
        state: LoopState | None = None,
        rates: InterestRates | None = None,
    ) -> None:
        self.spec = spec
        self._recent = recent
        self._windows = windows
        self._load_history = load_history
        self._present = present
        self._state = state or LoopState()
        self._rates = rates or load_rates(spec.rates)
        self._is_prepared = False
        self._is_built_in = not any(find_external_parts(spec))
        self._fixed_costs = _bind_fixed(spec.costs)
        self._decision_spec = spec.decision_spec(periods_per_year=1.0)

    @classmethod
    def start(
        cls,
        spec: Strategy,
        market: Market,
        *,
        load_history: Callable[[pd.Timestamp], Market],
        home: Path,
        workers: int | None = None,
        progress: Progress | None = None,
        state: LoopState | None = None,
    ) -> BarLoop:
        """The loop after the bars of a history, none of which is decided again.

        Without a state the decisions of a run on these bars are continued, whose positions depend
        on those before them, by a new account, which holds nothing: its first decision places
        orders for the whole target. A state continues its own decisions and account.

        Args:
            spec: The strategy.
            market: All bars up to the newest complete one, from the first of the history on.
            load_history: Returns the market up to a bar and with it; asked for when a window
                begins, since its models are fitted on the whole history, and at every bar where a
                user's cost model, funding or a sizing that needs all closes computes on it; of
                itemised costs at a bar before which nothing traded in the whole window.
            home: Folder of caches and fits.
            workers: Processes to train in, instead of `compute.workers`.
            progress: Receives progress and notices.
            state: That of an account that lives.

        Raises:
            UsageError: No window fits into the bars, the state is later than the bars, or as
                `engine.fit`.
            TrainingError: A fit failed, and the strategy does not leave such a fit out.
        """
        require_market(market)
        reporter = progress or NullProgress()
        prepared = prepare_data(spec, market)
        if state is None:
            fits = fit_windows(
                spec, prepared, prepared.windows, home=home, workers=workers, progress=reporter
            )
            fits = replace(fits, forecasts=predict_windows(prepared, fits))
            predictions = assemble_strategy_predictions(prepared, fits)
            state = LoopState(decision=decide_state_at(spec, prepared, predictions, -1))
        else:
            state.check_before(market.bars["timestamp"].iloc[-1])
            fits = fit_newest_window(spec, prepared, home=home, workers=workers, progress=reporter)
        recent = RecentBars.of_history(spec, market, prepared.span[0])
        return cls(
            spec,
            recent,
            HistoryWindows.of_bars(
                recent, load_history, home=home, workers=workers, progress=reporter
            ),
            load_history,
            present=PresentWindow.of_fits(spec, prepared, fits),
            state=state,
            rates=prepared.rates,
        )

    @property
    def state(self) -> LoopState:
        """Decisions and account after the newest bar."""
        return self._state

    @property
    def newest(self) -> pd.Timestamp:
        """The newest bar."""
        return self._recent.newest

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol of the market, whose bars `advance` takes."""
        return self._recent.strategy.symbols

    @property
    def present(self) -> frozenset[str] | None:
        """Target symbols that have the newest bar; None where every symbol has to have each."""
        return None if self._recent.panel is None else self._recent.panel.present

    def replace_orders(self, orders: tuple[Order, ...]) -> Account:
        """The account after the newest bar with other orders that are not filled.

        An order that is left out counts as not decided: the next bar places it where the target
        still differs from that of the last order.

        Args:
            orders: All of them, in the order of their decisions.
        """
        account = self._state.account.model_copy(update={"orders": orders})
        self._state = self._state.model_copy(update={"account": account})
        return account

    def replace_account(self, account: Account) -> None:
        """Goes on with another account after the newest bar: one that has paid what came late."""
        self._state = self._state.model_copy(update={"account": account})

    def advance(
        self, bars: BarsFrame | NextBar, *, traded: Mapping[str, bool] | None = None
    ) -> BarOutcome:
        """Moves over one bar: fills what is due at it, marks the account, decides at its close.

        Args:
            bars: Long bars of every market symbol at one timestamp, in the order of the market,
                with the columns of `Market.bars`; or the same as numbers, which saves reading a
                frame. Of a panel some symbols may be left out, or have NaN.
            traded: Whether something traded, by symbol; by default what the volumes up to this bar
                say, as `Market.traded`.

        Raises:
            InvalidBarsError: A symbol or a column is missing, the bar is not later than the newest
                one, a price cannot be traded at, or a feature is not finite.
            UsageError: A window begins, and `load_history` gives other bars.
            TrainingError: A fit failed, and the strategy does not leave such a fit out.
        """
        bar = bars if isinstance(bars, NextBar) else NextBar.of_bars(bars)
        recent, prices = self._recent.append(bar, traded)
        timestamp = recent.newest
        begins = self._recent.clock.begins(timestamp)
        present = self._windows.begin(timestamp) if begins else self._require_window(timestamp)
        history = LazyHistory(timestamp, self._load_history)
        outcome, decision = self._trade(recent, prices, present, history)
        self._recent, self._present, self._is_prepared = recent, present, False
        self._state = LoopState.of_checked(decision=decision, account=outcome.account)
        return replace(outcome, trained=present.trained) if begins else outcome

    def prepare_next(self) -> None:
        """Computes what the next forecast needs of the bars so far, while the next bar is awaited.

        `advance` gives the same without it, later. A second call before the next bar does nothing.
        """
        if self._present is not None and not self._is_prepared:
            self._present.models.prepare_next(self._recent.rows)
            self._is_prepared = True

    def rehearse(self) -> None:
        """Computes a next bar that repeats the newest one, and forgets all that follows from it.

        `advance` gives the same without it. After a wait of some milliseconds the instructions and
        the data of a bar have left the caches of the processor, and reading them again takes
        longer than the arithmetic; a bar that comes soon after a rehearsal finds them there.

        Nothing is computed where a part of the strategy is a user's, which may count its calls,
        or before the first window. An error of the repeated bar is none of a bar.
        """
        bar = self._recent.bar
        if self._present is None or not self._is_built_in:
            return
        following = bar.at(bar_end(bar.timestamp, self._recent.strategy.stream.interval))
        history = LazyHistory.refused(following.timestamp)
        with suppress(BacktestError):
            recent, prices = self._recent.append(following)
            self._trade(recent, prices, self._present, history)

    def _trade(
        self,
        recent: RecentBars,
        prices: BarPrices,
        present: PresentWindow,
        history: LazyHistory,
    ) -> tuple[BarOutcome, DecisionState]:
        """What follows from a bar: fills, the account, the decision at its close, its orders."""
        account, fills = self._step(prices, recent, history)
        row, decision, targets = self._decide(recent, present, history)
        orders = (
            ()
            if account.ruined
            else place_orders(
                account.targets,
                targets,
                decided_on=recent.newest,
                delay=self.spec.execution.delay,
                not_before=prices.closed_at,
            )
        )
        if orders:
            account = account.with_values(orders=(*account.orders, *orders))
        outcome = BarOutcome(
            recent.newest, row, targets, orders, fills, account, trained=0, window=present.index
        )
        return outcome, decision

    def _step(
        self, prices: BarPrices, recent: RecentBars, history: LazyHistory
    ) -> tuple[Account, tuple[Fill, ...]]:
        execution = self.spec.execution
        return step(
            self._state.account,
            prices,
            (),
            self._costs(recent, history),
            price=execution.price,
            cash_rate=self._rates.cash.at_bar(history.timestamp),
            maintenance_margin=execution.maintenance_margin,
        )

    def _costs(self, recent: RecentBars, history: LazyHistory) -> TradingCosts:
        """Costs with rates at the bar; those of users are computed on the history."""
        if self._fixed_costs is not None:
            return self._fixed_costs
        known = None if recent.costs is None else recent.costs.bind()
        return known or self.spec.bind_costs(history.market)

    def _decide(
        self, recent: RecentBars, present: PresentWindow, history: LazyHistory
    ) -> tuple[PredictionRow, DecisionState, dict[str, float]]:
        absences = recent.absences
        forecast = present.models.predict(recent.rows, absences)
        closes = recent.closes
        if recent.strategy.closes_needed is None:
            closes = history.market.marks[list(recent.strategy.targets)]
        row = PredictionRow(
            history.timestamp,
            forecast.predicted,
            present.models.levels,
            forecast.quantiles,
            closes,
            absences,
        )
        spec = self._decision_spec
        if (spec.periods_per_year, spec.calendar) != (present.periods_per_year, present.calendar):
            self._decision_spec = self.spec.decision_spec(
                present.periods_per_year, present.calendar
            )
        return row, *decide(self._state.decision, row, self._decision_spec)

    def _require_window(self, timestamp: pd.Timestamp) -> PresentWindow:
        if self._present is None:
            raise UsageError(
                "no window has begun, so that there is no model for the bar",
                expected=f"the bar {self._recent.clock.first} as the next one",
                found=f"{timestamp}",
                fix="start the loop with all bars before the first window",
            )
        return self._present


def _bind_fixed(costs: CostModel) -> BoundCosts | None:
    """Costs of the same rates at every bar, which are computed once; None of other ones."""
    if not isinstance(costs, Costs):
        return None
    return BoundCosts(costs, costs.rates, costs.one_way_cost_bps)
