"""A copy of the strategy that enters or exits at every bar, so that every bar is probed.

A strategy enters at few bars. Look-ahead in the size of an entry or in the fill of an order is
seen only at a cutoff with an entry: a strategy with ten trades a year would hide it from nearly
every cutoff. So the strategy is decided and simulated once more, with forecasts and with decisions
that alternate at every bar.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.leakage.output_pairs import pair_positions
from engine.pipeline.steps import decide_model_positions, simulate_books

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import WideFrame
    from engine.leakage.comparison import OutputPair
    from engine.pipeline.prepare import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.simulation.portfolio import SimulationResult
    from engine.training.out_of_sample import Predictions

ALTERNATING_BOOK = f"{STRATEGY_BOOK} turning at every bar,"
"""Its name in error messages."""

_CERTAIN_RETURN = 1.0
"""A return of 100 %, or of -100 %: beyond any threshold."""

_SMALL_WEIGHT = 1e-3
"""Fraction of the equity: small enough to survive the costs of a turnover at every bar."""


class AlternatingProbe:
    """A run's strategy that trades at every bar, on the real and on altered bars.

    Args:
        backtest: The run.
    """

    def __init__(self, backtest: BacktestResult) -> None:
        self._backtest = backtest
        self._positions_by_parity: dict[int, WideFrame] = {}

    def pair_positions(self, perturbed: PreparedData, last_row: int) -> Iterator[OutputPair]:
        """Pairs weights up to row `last_row` of the span, which enters, on both data sets.

        The forecasts are the same throughout: sizes and exits may depend on earlier closes alone.
        """
        spec, turn = self._backtest.spec, last_row % 2
        predictions = self._alternating_predictions(turn)
        if turn not in self._positions_by_parity:
            self._positions_by_parity[turn] = decide_model_positions(
                spec, self._backtest.prepared, predictions
            )
        yield from pair_positions(
            {ALTERNATING_BOOK: self._positions_by_parity[turn]},
            {ALTERNATING_BOOK: decide_model_positions(spec, perturbed, predictions)},
            self._backtest.prepared.span[: last_row + 1],
        )

    def _alternating_predictions(self, parity: int) -> Predictions:
        """The strategy's own predictions, up on every second row from `parity`, else down."""
        own = self._backtest.predictions[STRATEGY_BOOK]
        forecast, result = own.by_horizon[own.horizon], own.predicted
        up = (np.arange(len(result)) % 2 == parity)[:, None]
        values = np.where(result.isna(), np.nan, np.where(up, _CERTAIN_RETURN, -_CERTAIN_RETURN))
        turning = pd.DataFrame(values, index=result.index, columns=result.columns)
        replaced = replace(forecast, predicted=turning)
        return replace(own, by_horizon={**own.by_horizon, own.horizon: replaced})

    @cached_property
    def weights(self) -> WideFrame:
        """Weights that alternate at every bar: long, then short."""
        own = self._backtest.weights[STRATEGY_BOOK]
        side = np.where(np.arange(len(own)) % 2 == 0, _SMALL_WEIGHT, -_SMALL_WEIGHT)
        return pd.DataFrame(dict.fromkeys(own, side), index=own.index)

    @cached_property
    def simulation_result(self) -> SimulationResult:
        """The simulation of these weights on the real bars."""
        return simulate_books(
            self._backtest.spec, self._backtest.prepared, {ALTERNATING_BOOK: self.weights}
        )[ALTERNATING_BOOK]
