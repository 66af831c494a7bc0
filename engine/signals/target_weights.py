"""Target weights from predicted returns, decided at each close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.portfolio import (
    EQUAL_PARTS,
    PortfolioRow,
    PortfolioState,
    find_due_rows,
    rebalance,
)
from engine.signals.contract import check_sizes
from engine.signals.decision import FLAT, DecisionState, TargetPosition
from engine.signals.decision_levels import DecisionSpec
from engine.signals.hysteresis import apply_hysteresis
from engine.signals.thresholds import compute_window_thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import Matrix, Vector, WideFrame
    from engine.portfolio import PortfolioSpec, TradingCalendar
    from engine.signals.inputs import SignalInputs
    from engine.signals.sizing import SizingSpec
    from engine.signals.thresholds import ThresholdSpec
    from engine.training.panel_rows import Absences


@dataclass(frozen=True, eq=False)
class Decisions:
    """What was decided at each of n closes.

    Attributes:
        positions: Wide: 1 long, 0 flat, -1 short.
        sizes: Wide: share of the equity that the last entry set, 0 before the first one.
        shares: (n, 1) parts that the book is divided into, where they are equal.
        portfolio: Of each close, where the symbols do not have equal parts; else empty.
    """

    positions: WideFrame
    sizes: WideFrame
    shares: Matrix
    portfolio: Sequence[PortfolioState] = ()

    @property
    def weights(self) -> WideFrame:
        """Wide target weights: 1.0 is 100 % of the equity, negative is short; no NaN."""
        if self.portfolio:
            values = np.stack([state.weights for state in self.portfolio])
        else:
            values = self.positions.to_numpy() * self.sizes.to_numpy() / self.shares
        return pd.DataFrame(values, index=self.positions.index, columns=self.positions.columns)

    def state_at(self, row: int) -> DecisionState:
        """What `decide` leaves after the close of a row; -1 is the last."""
        cells = zip(
            self.positions.columns,
            self.positions.iloc[row].tolist(),
            self.sizes.iloc[row].tolist(),
            strict=True,
        )
        return DecisionState(
            decided_on=self.positions.index[row],
            positions={
                symbol: TargetPosition(position=position, size=size) if position else FLAT
                for symbol, position, size in cells
            },
            **({} if not self.portfolio else self._portfolio_at(self.portfolio[row])),
        )

    def _portfolio_at(self, state: PortfolioState) -> dict[str, Any]:
        weights = dict(zip(self.positions.columns, state.weights.tolist(), strict=True))
        return {
            "weights": weights,
            "bars_since_rebalancing": state.bars,
            "failed_optima": state.failed_optima,
        }


def compute_target_weights(  # noqa: PLR0913 - an argument a part of the strategy
    forecasts: SignalInputs,
    close: WideFrame,
    signal: ThresholdSpec,
    sizing: SizingSpec,
    *,
    round_trip_cost: float,
    periods_per_year: float,
    max_weight: float,
    portfolio: PortfolioSpec = EQUAL_PARTS,
    horizon: int = 1,
    calendar: TradingCalendar | None = None,
) -> WideFrame:
    """The target weights at each out-of-sample close, from values known at it.

    A position continues from one window to the next, where the next window's thresholds apply.
    Without a forecast the position is flat, and hysteresis restarts after it; a halted symbol of
    a panel keeps its position, as if there were no bar. The size of a
    position is set at the close that enters or reverses it, and kept until the exit. All rows at
    once are faster than `decide` row by row, and equal to it to the last bit.

    Args:
        forecasts: n out-of-sample bars of m target symbols.
        close: All bars, at least the target symbols.
        signal: Entry and exit thresholds.
        sizing: Sizes of positions.
        round_trip_cost: Cost of entry and exit, a fraction of the traded value.
        periods_per_year: Bars per year.
        max_weight: Limit of the sum of |weight| over the symbols.
        portfolio: How the symbols share it; by default each has an m-th part.
        horizon: Bars that a forecast is over.
        calendar: Of the bars, for a portfolio that is rebalanced at the end of a week or month.

    Returns:
        Shape (n, m), without NaN: 1.0 is 100 % of the equity, negative is short.
    """
    spec = DecisionSpec(
        signal,
        sizing,
        max_weight=max_weight,
        round_trip_cost=round_trip_cost,
        periods_per_year=periods_per_year,
        portfolio=portfolio,
        horizon=horizon,
        calendar=calendar,
    )
    return compute_decisions(forecasts, close, spec).weights


def compute_decisions(forecasts: SignalInputs, close: WideFrame, spec: DecisionSpec) -> Decisions:
    """The positions and sizes behind `compute_target_weights`, which has the rules.

    Args:
        forecasts: n out-of-sample bars of m target symbols.
        close: All bars, at least the target symbols.
        spec: How forecasts become weights.

    Raises:
        ContractError: A size is negative or missing.
    """
    predicted = forecasts.predicted
    values = predicted.to_numpy()
    positions = np.zeros(values.shape)
    for column, symbol in enumerate(predicted.columns):
        by_window = compute_window_thresholds(spec.signal, forecasts, symbol, spec.round_trip_cost)
        windows = sorted(by_window)
        halted = forecasts.halted[:, column]
        own = np.flatnonzero(~halted)
        for part in _contiguous_slices(np.isfinite(values[own, column])):
            rows = own[part]
            in_force = np.searchsorted(windows, forecasts.window[rows])
            positions[rows, column] = apply_hysteresis(
                values[rows, column],
                [by_window[window] for window in windows],
                spec.signal.side,
                in_force,
            )
        positions[:, column] = _keep_over(halted, positions[:, column])
    sizes = spec.sizing.compute_sizes(forecasts, close, spec.periods_per_year)
    check_sizes(spec.sizing.kind, predicted, sizes)
    limited = np.minimum(sizes.to_numpy(dtype=np.float64), spec.max_weight)

    def wide(cells: Matrix) -> WideFrame:
        return pd.DataFrame(cells, index=predicted.index, columns=predicted.columns)

    kept = _keep_entry_sizes(positions, limited)
    if spec.portfolio.is_equal_share:
        return Decisions(wide(positions), wide(kept), forecasts.shares)
    by_rank = spec.portfolio.allocation.by_rank
    used = np.full(kept.shape, spec.ranked_size) if by_rank else kept
    absences = () if forecasts.absences is None else (forecasts.absences,)
    portfolio = fold_portfolio(predicted, positions, used, close, spec, *absences)
    return Decisions(wide(positions), wide(kept), forecasts.shares, portfolio)


def fold_portfolio(
    predicted: WideFrame,
    positions: Matrix,
    sizes: Matrix,
    close: WideFrame,
    spec: DecisionSpec,
    absences: Absences | None = None,
) -> list[PortfolioState]:
    """The state of the portfolio after each close, from the rows up to it.

    Between rebalancings weights change only where a symbol has lost its forecast: other rows are
    not made.

    Args:
        predicted: n bars of m symbols.
        positions: (n, m) by the signal.
        sizes: (n, m) of the positions.
        close: All bars, at least these symbols.
        spec: How the symbols share the book.
        absences: Of these bars, of a panel.
    """
    symbols = tuple(predicted.columns)
    closes, needed = close[list(symbols)].to_numpy(), spec.portfolio.closes_needed
    last = close.index.get_indexer(predicted.index)
    state, states = PortfolioState.start(len(symbols)), []
    forecasts = predicted.to_numpy(dtype=np.float64)
    divided = find_due_rows(pd.DatetimeIndex(predicted.index), spec.portfolio, spec.terms)
    divided |= ~np.isfinite(forecasts).all(axis=1)
    for number, timestamp in enumerate(predicted.index):
        if not divided[number]:
            state = PortfolioState(timestamp, state.bars + 1, state.weights, state.failed_optima)
            states.append(state)
            continue
        known = closes[max(0, last[number] + 1 - needed) : last[number] + 1]
        row = PortfolioRow(
            symbols,
            forecasts[number],
            positions[number],
            sizes[number],
            known,
            *(() if absences is None else (absences.absent[number], absences.halted[number])),
        )
        state = rebalance(state, row, timestamp, spec.portfolio, spec.terms)
        states.append(state)
    return states


def _keep_entry_sizes(positions: Matrix, sizes: Matrix) -> Matrix:
    """(n, m) the size at the last row that entered or reversed a position; 0 before the first."""
    before = np.vstack([np.zeros((1, positions.shape[1])), positions[:-1]])
    entered = (positions != before) & (positions != 0.0)
    rows = np.arange(len(positions))[:, None]
    last_entry = np.maximum.accumulate(np.where(entered, rows, -1), axis=0)
    kept: Matrix = np.take_along_axis(sizes, np.maximum(last_entry, 0), axis=0)
    return np.where(last_entry < 0, 0.0, kept)


def _keep_over(halted: npt.NDArray[np.bool_], positions: Vector) -> Vector:
    """The positions, that of the row before where the symbol is halted; 0 before the first."""
    if not halted.any():
        return positions
    last = np.maximum.accumulate(np.where(halted, -1, np.arange(len(halted))))
    return np.where(last < 0, 0.0, positions[np.maximum(last, 0)])


def _contiguous_slices(mask: npt.NDArray[np.bool_]) -> list[slice]:
    """Slices of consecutive rows where the mask is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True)]
