"""A copy of the strategy that changes its position at every bar, so that every bar is probed.

A strategy enters at few bars. Look-ahead in the size of an entry, in an exit or in the fill of an
order is seen only at a cutoff with such a turn: a strategy with ten trades a year would hide it
from nearly every cutoff. So the strategy is decided and simulated once more, with forecasts and
with decisions that turn at every bar, and each kind of turn is placed at cutoffs.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.leakage.output_pairs import pair_positions
from engine.pipeline import steps
from engine.signals.inputs import SignalInputs
from engine.signals.thresholds import compute_window_thresholds
from engine.training.out_of_sample import HorizonForecast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import IntVector, Vector, WideFrame
    from engine.leakage.comparison import OutputPair
    from engine.pipeline.prepared_data import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.signals.hysteresis import EntryExitThresholds, Side
    from engine.simulation.portfolio import SimulationResult
    from engine.training.out_of_sample import Predictions

ALTERNATING_BOOK = f"{STRATEGY_BOOK} turning at every bar,"
"""Its name in error messages."""

TURN_CYCLES: dict[Side, tuple[int, ...]] = {
    "long_only": (1, 0),
    "long_short": (1, 0, -1, 0, 1, -1),
}
"""Positions of successive bars: every turn that the side allows, reversals included.

An account that never sells short is simulated in another way than one that does; where the
strategy may not, its copy does not either.
"""

_CERTAIN_RETURN = 1.0
"""A return of 100 %, or of -100 %: beyond any threshold."""

_BARS_AFTER_CUT = 30
"""Bars after a cutoff up to which weights are decided where symbols share one book, bar by bar."""

_SMALL_WEIGHT = 1e-3
"""Fraction of the equity: small enough to survive the costs of a turnover at every bar."""


class AlternatingProbe:
    """A run's strategy that turns at every bar, on the real and on altered bars.

    Args:
        backtest: The run.
    """

    def __init__(self, backtest: BacktestResult) -> None:
        self._backtest = backtest
        self._cycle = TURN_CYCLES[backtest.spec.signal.side]
        self._turning: dict[int, Predictions] = {}
        self._real_positions: dict[int, WideFrame] = {}

    def pair_positions(
        self, perturbed: PreparedData, last_row: int, turn: int, *, up: bool
    ) -> Iterator[OutputPair]:
        """Pairs weights up to a row of the span on both data sets, before other forecasts.

        Args:
            perturbed: Altered data.
            last_row: Position in the span of the last row that is compared.
            turn: Place in the cycle, counted on beyond its end, of that row's decision.
            up: Whether the forecasts of later rows are all high on the altered data, or all low.
        """
        spec, phase = self._backtest.spec, self._phase(last_row, turn)
        if phase not in self._real_positions:
            self._turning[phase] = self._turning_predictions(phase)
            self._real_positions[phase] = steps.decide_model_positions(
                spec, self._backtest.prepared, self._turning[phase]
            )
        turning = self._turning[phase].predicted
        certain = _CERTAIN_RETURN if up else -_CERTAIN_RETURN
        values = turning.to_numpy(copy=True)
        ahead = values[last_row + 1 :]
        ahead[~np.isnan(ahead)] = 2 * certain
        other = pd.DataFrame(values, index=turning.index, columns=turning.columns)
        later = _with_forecasts(self._turning[phase], other)
        if not spec.portfolio.is_equal_share:
            later = _first_rows(later, last_row + 1 + _BARS_AFTER_CUT)
        yield from pair_positions(
            {ALTERNATING_BOOK: self._real_positions[phase]},
            {ALTERNATING_BOOK: steps.decide_model_positions(spec, perturbed, later)},
            self._backtest.prepared.span[: last_row + 1],
        )

    def weights(self, last_row: int, turn: int) -> WideFrame:
        """Weights that turn at every bar, those of row `last_row` at a place of the cycle."""
        return self._weights_by_phase[self._phase(last_row, turn)]

    def simulation_result(self, last_row: int, turn: int) -> SimulationResult:
        """The simulation of these weights on the real bars."""
        return self.simulation_results[f"{ALTERNATING_BOOK} {self._phase(last_row, turn)}"]

    @cached_property
    def simulated_weights(self) -> dict[str, WideFrame]:
        """The weights from every place of the cycle, by the name of their book."""
        return {f"{ALTERNATING_BOOK} {k}": own for k, own in enumerate(self._weights_by_phase)}

    @cached_property
    def simulation_results(self) -> dict[str, SimulationResult]:
        """The simulations from every place of the cycle, on the real bars."""
        named = {f"{ALTERNATING_BOOK} {k}": own for k, own in enumerate(self._weights_by_phase)}
        return steps.simulate_books(self._backtest.spec, self._backtest.prepared, named)

    def _phase(self, last_row: int, turn: int) -> int:
        """The place in the cycle of row 0."""
        return (turn - last_row) % len(self._cycle)

    def _sides(self, phase: int) -> IntVector:
        """(n,) 1 long, 0 flat, -1 short at each row of the span."""
        rows = np.arange(len(self._backtest.prepared.span))
        return np.array(self._cycle)[(rows + phase) % len(self._cycle)]

    @cached_property
    def _weights_by_phase(self) -> list[WideFrame]:
        own = self._backtest.weights[STRATEGY_BOOK]
        return [
            pd.DataFrame(dict.fromkeys(own, _SMALL_WEIGHT * self._sides(phase)), index=own.index)
            for phase in range(len(self._cycle))
        ]

    def _turning_predictions(self, phase: int) -> Predictions:
        """The strategy's own predictions, of which each enters or ends a position."""
        own = self._backtest.predictions[STRATEGY_BOOK]
        result = own.predicted
        sides = self._sides(phase)
        before = np.concatenate([[self._cycle[phase - 1]], sides[:-1]])
        values = {
            symbol: np.where(
                sides != 0,
                _CERTAIN_RETURN * sides,
                np.where(before > 0, *self._exit_forecasts[symbol]),
            )
            for symbol in self._backtest.prepared.targets
        }
        turning = pd.DataFrame(values, index=result.index).where(result.notna())
        return _with_forecasts(own, turning)

    @cached_property
    def _exit_forecasts(self) -> dict[str, tuple[Vector, Vector]]:
        """Symbol -> (n,) forecasts that end a long, and those that end a short, by window."""
        spec, own = self._backtest.spec, self._backtest.predictions[STRATEGY_BOOK]
        inputs = SignalInputs.from_predictions(own)
        found = {}
        for symbol in self._backtest.prepared.targets:
            by_window = compute_window_thresholds(
                spec.signal, inputs, symbol, spec.costs.round_trip_cost
            )
            exits = {
                window: _exit_forecasts(levels, spec.signal.side)
                for window, levels in by_window.items()
            }
            of_rows = np.array([exits.get(window, (0.0, 0.0)) for window in own.window_index])
            found[symbol] = (of_rows[:, 0], of_rows[:, 1])
        return found


def _with_forecasts(predictions: Predictions, predicted: WideFrame) -> Predictions:
    """The same with other forecasts of the traded horizon."""
    horizon = predictions.horizon
    other = replace(predictions.by_horizon[horizon], predicted=predicted)
    return replace(predictions, by_horizon={**predictions.by_horizon, horizon: other})


def _first_rows(predictions: Predictions, count: int) -> Predictions:
    """The same up to a row, over the traded horizon alone."""
    own, absences = predictions.by_horizon[predictions.horizon], predictions.absences
    cut = HorizonForecast(
        own.predicted.iloc[:count],
        {level: wide.iloc[:count] for level, wide in own.quantiles.items()},
    )
    return replace(
        predictions,
        by_horizon={predictions.horizon: cut},
        window_index=predictions.window_index[:count],
        absences=None if absences is None else absences.at(slice(count)),
    )


def _exit_forecasts(levels: EntryExitThresholds, side: Side) -> tuple[float, float]:
    """Forecasts that end a long and a short: to flat, or where no level leaves room, reversed."""
    if side == "long_only":
        return -_CERTAIN_RETURN, -_CERTAIN_RETURN
    of_long = (levels.enter_short + levels.exit) / 2
    of_short = (levels.exit_short + levels.enter) / 2
    return (
        of_long if levels.enter_short <= of_long < levels.exit else -_CERTAIN_RETURN,
        of_short if levels.exit_short < of_short <= levels.enter else _CERTAIN_RETURN,
    )
