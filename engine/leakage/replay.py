"""Checks decisions and fills against a replay that is shown one bar after the other.

A decision or a fill that knows a later bar may do so at few bars, none of which is at a cutoff. A
replay cannot know one: it is given each row after those before it. So the position of every model
at every close, and every fill of every book, has to be that of a replay from the forecasts, the
thresholds and the bars of the run, which are tested by themselves.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import BacktestError, LookaheadError
from engine.core.randomness import derive_seed
from engine.leakage.comparison import FIXES, format_bar
from engine.leakage.fill_records import find_columns, find_rows, find_signs
from engine.leakage.size_probe import check_sizes
from engine.pipeline.steps import make_decision_spec
from engine.portfolio import PortfolioRow, PortfolioState, rebalance
from engine.signals.decision_levels import compute_decision_levels
from engine.signals.hysteresis import next_position
from engine.signals.inputs import SignalInputs
from engine.signals.target_weights import compute_decisions
from engine.simulation.alignment import align_trading
from engine.simulation.book_values import Terms, Variation, value_books

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BoolVector, IntVector, Matrix, Vector, WideFrame
    from engine.pipeline.prepared_data import PreparedData
    from engine.simulation.fills import Fills
    from engine.simulation.portfolio import SimulationResult
    from engine.strategy import Strategy
    from engine.training.out_of_sample import Predictions

REPLAY_TOLERANCE = 1e-9
"""Largest relative difference; both are equal to the last bit but for parts that are a user's."""

SIZED_ENTRIES = 24
"""Entries of a symbol whose size is computed again from what was known at them, beside all that
have none: an entry that was left out must have had a reason."""

MAX_SIZED_ENTRIES = 240
"""Those of a book with many symbols, divided over them."""


def check_decisions(
    spec: Strategy,
    prepared: PreparedData,
    predictions: Mapping[str, Predictions],
    weights: Mapping[str, WideFrame],
) -> None:
    """Refuses weights of a model that a decision bar by bar does not make.

    Raises:
        LookaheadError: The first such weight.
    """
    check = _check_equal_parts if spec.portfolio.is_equal_share else _check_portfolio
    for book, own in predictions.items():
        forecasts = SignalInputs.from_predictions(own)
        check_sizes(
            book,
            make_decision_spec(spec, prepared.market),
            forecasts,
            prepared.target_close,
            prepared.tested.start,
        )
        check(book, _DecisionReplay(spec, prepared, forecasts), weights[book])


def _check_equal_parts(book: str, replayed: _DecisionReplay, weights: WideFrame) -> None:
    """The weight of each symbol is that of its own position."""
    for symbol in weights.columns:
        found = weights[symbol].to_numpy(dtype=np.float64)
        positions = replayed.positions(symbol)
        kept = np.maximum.accumulate(np.where(_changes(positions), np.arange(len(found)), 0))
        found = found * replayed.forecasts.shares[:, 0]
        due = np.where(positions == 0.0, 0.0, np.abs(found[kept]) * positions)
        entries = _entries(positions)
        sized = {*replayed.choose_entries(book, symbol, entries)}
        for row in sorted(sized.union(entries[found[entries] == 0.0].tolist())):
            due[row] = positions[row] * replayed.size(row, symbol)
        _require_close(found, due, replayed.span, f"{book} {symbol}")


def _check_portfolio(book: str, replayed: _DecisionReplay, weights: WideFrame) -> None:
    """The weights are the shares of the replayed positions in one book."""
    spec, symbols = replayed.spec, tuple(weights.columns)
    positions = np.column_stack([replayed.positions(symbol) for symbol in symbols])
    sizes: Matrix = np.full(positions.shape, spec.ranked_size)
    if not spec.portfolio.allocation.by_rank:
        decided = compute_decisions(replayed.forecasts, replayed.close, spec).sizes
        sizes = decided.to_numpy(dtype=np.float64)
        for column, symbol in enumerate(symbols):
            rows = replayed.choose_entries(book, symbol, _entries(positions[:, column]))
            due = sizes[:, column].copy()
            due[rows] = [replayed.size(row, symbol) for row in rows]
            _require_close(sizes[:, column], due, replayed.span, f"{book} {symbol}")
    predicted = replayed.forecasts.predicted.to_numpy(dtype=np.float64)
    close, needed = replayed.close[list(symbols)].to_numpy(), spec.closes_needed
    state, due_weights = PortfolioState.start(len(symbols)), []
    for row, stamp in enumerate(replayed.span):
        stop = replayed.first + row + 1
        known = close[:stop] if needed is None else close[max(0, stop - needed) : stop]
        absences = replayed.forecasts.absences
        shown = PortfolioRow(
            symbols,
            predicted[row],
            positions[row],
            sizes[row],
            known,
            *(() if absences is None else (absences.absent[row], absences.halted[row])),
        )
        state = rebalance(state, shown, stamp, spec.portfolio, spec.terms)
        due_weights.append(state.weights)
    for column, symbol in enumerate(symbols):
        due = np.array([own[column] for own in due_weights])
        found = weights[symbol].to_numpy(dtype=np.float64)
        _require_close(found, due, replayed.span, f"{book} {symbol}")


def _entries(positions: Vector) -> IntVector:
    """Rows at which a position is entered or reversed."""
    return np.flatnonzero(_changes(positions) & (positions != 0.0))


class _DecisionReplay:
    """Decisions of one model, each from the rows up to its own."""

    def __init__(self, spec: Strategy, prepared: PreparedData, forecasts: SignalInputs) -> None:
        self.spec = make_decision_spec(spec, prepared.market)
        self.close, self.first = prepared.target_close, prepared.tested.start
        self.forecasts, self.span = forecasts, prepared.span
        self._seed = spec.seed
        self._levels = {
            window: compute_decision_levels(
                self.spec,
                window,
                forecasts.train_predictions.get(window, {}),
                forecasts.residuals.get(window, {}),
            )
            for window in set(forecasts.window.tolist())
        }

    def positions(self, symbol: str) -> Vector:
        """(n,) 1 long, 0 flat, -1 short at each close."""
        side, position, positions = self.spec.signal.side, 0.0, []
        values = self.forecasts.predicted[symbol].tolist()
        levels = {window: own.thresholds for window, own in self._levels.items()}
        halted = self.forecasts.halted[:, self.forecasts.predicted.columns.get_loc(symbol)]
        for value, window, keeps in zip(
            values, self.forecasts.window.tolist(), halted.tolist(), strict=True
        ):
            if keeps:
                pass  # as at the row before
            elif isfinite(value):
                position = next_position(position, value, levels[window][symbol], side)
            else:
                position = 0.0
            positions.append(position)
        return np.array(positions)

    def size(self, row: int, symbol: str) -> float:
        """Share of the equity at which a position is entered, before the symbols share it."""
        forecasts, stamp = self.forecasts, self.forecasts.predicted.index[row]
        close = self.spec.select_closes(self.close.iloc[: self.first + row + 1])
        try:
            sizes = self.spec.sizing.compute_sizes(
                forecasts.row(row), close, self.spec.periods_per_year
            )
        except (BacktestError, LookupError, ValueError) as error:
            raise LookaheadError(
                f"Look-ahead: the size of {symbol} at {format_bar(stamp)} needs more than was "
                "known then",
                expected="a size from its forecasts and the closes up to it",
                found=f"{type(error).__name__}: {error}",
                where=f"positions: {STRATEGY_BOOK} {symbol} at {format_bar(stamp)}",
                fix=FIXES["positions"],
            ) from error
        return min(float(sizes[symbol].iloc[0]), self.spec.max_weight)

    def choose_entries(self, book: str, symbol: str, entries: IntVector) -> list[int]:
        """Entries whose size is computed again."""
        count = min(SIZED_ENTRIES, -(-MAX_SIZED_ENTRIES // self.forecasts.predicted.shape[1]))
        rng = np.random.default_rng(derive_seed(self._seed, "certificate", book, symbol))
        chosen: list[int] = rng.permutation(entries)[:count].tolist()
        return chosen


def _require_close(found: Vector, due: Vector, bars: pd.DatetimeIndex, name: str) -> None:
    wrong = np.flatnonzero(~np.isclose(found, due, rtol=REPLAY_TOLERANCE, atol=0.0))
    if wrong.size:
        row = int(wrong[0])
        raise LookaheadError(
            f"Look-ahead: the position of {name} at {format_bar(bars[row])} is not what the bars "
            "up to it decide",
            expected=f"{due[row]:.10g}",
            found=f"{found[row]:.10g}",
            where=f"positions: {name} at {format_bar(bars[row])}",
            fix=FIXES["positions"],
        )


def _changes(positions: Vector) -> BoolVector:
    """Where a position is another one than at the row before; 0 before the first."""
    return np.asarray(positions != np.concatenate([[0.0], positions[:-1]]))


def check_fills(
    spec: Strategy,
    prepared: PreparedData,
    weights: Mapping[str, WideFrame],
    books: Mapping[str, SimulationResult],
) -> None:
    """Refuses a fill that the decisions of its book do not make bar by bar, and one left out.

    Raises:
        LookaheadError: The first fill that differs.
    """
    terms = _make_terms(spec, prepared)
    costs, delay = spec.bind_costs(prepared.market), spec.execution.delay
    variations = [
        Variation(
            _schedule_waiting(weights[book][list(terms.closes)], delay, spec, prepared)
            if prepared.market.assembly
            else _schedule(weights[book][list(terms.closes)], delay),
            delay,
            costs,
            prepared.fill_lags(spec),
        )
        for book in books
    ]
    replays = value_books(variations, terms, bar_by_bar=True)
    for (book, result), replay in zip(books.items(), replays, strict=True):
        _require_equal_fills(book, result, replay.fills, terms.closes)


def _make_terms(spec: Strategy, prepared: PreparedData) -> Terms:
    opens, closes = (prepared.wide(price) for price in ("open", "close"))
    return Terms(
        prices=opens if spec.execution.price == "open" else closes,
        closes=closes,
        **align_trading(prepared.traded, prepared.settlements, closes),
        cash_rates=np.atleast_1d(np.asarray(prepared.rates_by_bar.cash, dtype=np.float64)),
        maintenance_margin=spec.execution.maintenance_margin or 0.0,
        fill_price=spec.execution.price,
    )


def _schedule(weights: WideFrame, delay: int) -> WideFrame:
    """A weight that changed, at the row so many bars later; NaN elsewhere."""
    values, due = weights.to_numpy(dtype=np.float64), np.full(weights.shape, np.nan)
    rows, columns = np.nonzero(np.diff(values, axis=0, prepend=0.0))
    in_time = rows + delay < len(values)
    rows, columns = rows[in_time], columns[in_time]
    due[rows + delay, columns] = values[rows, columns]
    return pd.DataFrame(due, index=weights.index, columns=weights.columns)


def _schedule_waiting(
    weights: WideFrame, delay: int, spec: Strategy, prepared: PreparedData
) -> WideFrame:
    """As `_schedule`, each at the first row whose price is not before the decision."""
    market, tested = prepared.market, prepared.tested
    decided = market.decided_at[tested].tolist()
    instants = market.price_instants(spec.execution.price)[list(weights)].to_numpy()[tested]
    due = np.full(weights.shape, np.nan)
    for column, values in enumerate(weights.to_numpy(dtype=np.float64).T.tolist()):
        at, known, in_force = instants[:, column].tolist(), -1, 0.0
        for row, instant in enumerate(at):
            while known + 1 + delay <= row and decided[known + 1] <= instant:
                known += 1
            target = values[known] if known >= 0 else 0.0
            if target != in_force:
                due[row, column] = in_force = target
    return pd.DataFrame(due, index=weights.index, columns=weights.columns)


def _require_equal_fills(
    book: str, result: SimulationResult, replay: Fills, closes: WideFrame
) -> None:
    trades = result.trades
    rows = find_rows(trades, pd.DatetimeIndex(closes.index))
    columns = find_columns(trades, closes.columns)
    signed = find_signs(trades) * trades["size"].to_numpy(dtype=np.float64)
    found = _sort_fills(rows, columns, signed, trades["price"].to_numpy())
    due = _sort_fills(replay.row, replay.column, replay.size, replay.price)
    count = min(len(found), len(due))
    same = np.isclose(found[:count], due[:count], rtol=REPLAY_TOLERANCE, atol=0.0).all(axis=1)
    if same.all() and len(found) == len(due):
        return
    place = count if same.all() else int(np.argmin(same))
    first = min(int(each[place, 0]) for each in (found, due) if place < len(each))
    bar = format_bar(closes.index[first])
    raise LookaheadError(
        f"Look-ahead: the fills of {book} at {bar} are not those of its decisions before it",
        expected=_describe_fill(due, place, first),
        found=_describe_fill(found, place, first),
        where=f"fills: {book} at {bar}",
        fix=FIXES["fills"],
    )


def _sort_fills(rows: IntVector, columns: IntVector, size: Vector, price: Vector) -> Matrix:
    """(m, 4) row, column, size and price, by row, then by column."""
    table = np.column_stack([rows, columns, size, price]).astype(np.float64)
    return table[np.lexsort([table[:, 1], table[:, 0]])]


def _describe_fill(fills: Matrix, place: int, row: int) -> str:
    if place >= len(fills) or int(fills[place, 0]) != row:
        return "no fill at this bar"
    return f"{fills[place, 2]:+.10g} units at {fills[place, 3]:.10g}"
