"""The decision at one close: from its forecasts to target weights, and the state it leaves.

    state, targets = decide(state, row, spec)

Folded over the rows of a run it gives the weights of `compute_target_weights` to the last bit.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from pydantic import AwareDatetime, Field

from engine.core.errors import UsageError
from engine.core.persistent_value import PersistentValue
from engine.portfolio import PortfolioRow, PortfolioState, rebalance
from engine.signals.hysteresis import next_position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.signals.decision_levels import DecisionSpec
    from engine.signals.hysteresis import Side
    from engine.signals.prediction_row import PredictionRow


class TargetPosition(PersistentValue):
    """What is meant to be held of one symbol.

    Attributes:
        position: 1 long, 0 flat, -1 short.
        size: Share of the equity that was set when the position was entered or reversed, before
            the symbols share it; 0 where the position is flat.
    """

    position: float = Field(default=0.0, ge=-1, le=1, multiple_of=1)
    size: float = Field(default=0.0, ge=0, allow_inf_nan=False)


FLAT = TargetPosition()
"""Nothing is held."""


class DecisionState(PersistentValue):
    """All that a decision needs of those before it; the default is that of a start.

    It survives its JSON (`model_dump_json`, `model_validate_json`) to the last bit.

    Attributes:
        decided_on: The bar that was decided last; None before the first.
        positions: Symbol -> what is meant to be held.
        weights: Symbol -> target weight, where the portfolio does not give equal parts.
        bars_since_rebalancing: Closes since the portfolio was rebalanced.
        failed_optima: Rebalancings so far that had no optimum, and kept the weights.
    """

    decided_on: AwareDatetime | None = None
    positions: dict[str, TargetPosition] = Field(default_factory=dict)
    weights: dict[str, float] = Field(default_factory=dict)
    bars_since_rebalancing: int = Field(default=0, ge=0)
    failed_optima: int = Field(default=0, ge=0, exclude_if=lambda count: count == 0)


def decide(
    state: DecisionState, row: PredictionRow, spec: DecisionSpec
) -> tuple[DecisionState, dict[str, float]]:
    """The target weights at one close, by the rules of `compute_target_weights`.

    A position is entered above one threshold and left below another. Without a forecast it is
    flat, and so is a short where the signal is `long_only`: the state may be of another signal. A
    symbol of a panel that is halted keeps its position.
    Its size is set at the close that enters or reverses it, and kept until the exit.
    `spec.portfolio` divides the book over the positions, or over the symbols by the rank of their
    forecasts.

    Args:
        state: As the row before left it.
        row: What is known at this close.
        spec: How forecasts become weights.

    Returns:
        The state for the next row, and symbol -> target weight: 1.0 is 100 % of the equity,
        negative is short. The symbols are those of the row.

    Raises:
        UsageError: The row is not later than the one before it, it lacks a symbol that is held,
            or its closes are too few for the sizing.
        ContractError: A size is negative or missing.
    """
    _check_order(state, row)
    _check_closes(row, spec)
    held = {symbol: state.positions.get(symbol, FLAT) for symbol in row.predicted}
    positions = {
        symbol: _next_position(holding.position, row, symbol, spec.signal.side)
        for symbol, holding in held.items()
    }
    changed = {symbol: each for symbol, each in positions.items() if each != held[symbol].position}
    # A size is read at an entry only, and costs more than all the rest.
    sizes = _compute_sizes(row, spec) if any(changed.values()) else {}
    entered = {
        symbol: TargetPosition(position=each, size=sizes[symbol]) if each else FLAT
        for symbol, each in changed.items()
    }
    holdings = held | entered
    if not spec.portfolio.is_equal_share:
        return _divide(state, holdings, row, spec)
    targets = {
        symbol: holding.position * holding.size / row.shares
        for symbol, holding in holdings.items()
    }
    following = DecisionState.of_checked(
        decided_on=row.timestamp,
        positions=holdings,
        weights={},
        bars_since_rebalancing=0,
        failed_optima=0,
    )
    return following, targets


def _divide(
    state: DecisionState,
    holdings: Mapping[str, TargetPosition],
    row: PredictionRow,
    spec: DecisionSpec,
) -> tuple[DecisionState, dict[str, float]]:
    """The positions as parts of one book."""
    symbols, held = tuple(holdings), holdings.values()
    # A state of equal parts rebalances at its next close, from the weights that it has.
    before = PortfolioState(
        state.decided_on if state.weights else None,
        state.bars_since_rebalancing,
        np.array([_weight_before(state, symbol) for symbol in symbols]),
        state.failed_optima,
    )
    by_rank = spec.portfolio.allocation.by_rank
    sizes = [spec.ranked_size if by_rank else each.size for each in held]
    closes = spec.select_closes(row.close)
    after = rebalance(
        before,
        PortfolioRow(
            symbols,
            np.array([row.predicted[symbol] for symbol in symbols]),
            np.array([each.position for each in held]),
            np.array(sizes),
            closes[list(symbols)].to_numpy()
            if len(closes.columns)
            else np.empty((0, len(symbols))),
            *(() if row.absences is None else (row.absences.absent[0], row.absences.halted[0])),
        ),
        row.timestamp,
        spec.portfolio,
        spec.terms,
    )
    targets = dict(zip(symbols, after.weights.tolist(), strict=True))
    return DecisionState(
        decided_on=row.timestamp,
        positions=dict(holdings),
        weights=targets,
        bars_since_rebalancing=after.bars,
        failed_optima=after.failed_optima,
    ), targets


def _weight_before(state: DecisionState, symbol: str) -> float:
    """The target weight that a state holds of a symbol."""
    if state.weights:
        return state.weights.get(symbol, 0.0)
    own = state.positions.get(symbol, FLAT)
    return own.position * own.size / max(1, len(state.positions))


def _next_position(position: float, row: PredictionRow, symbol: str, side: Side) -> float:
    """0 without a forecast; a short that the side does not allow is closed."""
    if symbol in row.halted:
        return position
    predicted = row.predicted[symbol]
    if not isfinite(predicted):
        return 0.0
    if side == "long_only":
        position = max(position, 0.0)
    return next_position(position, predicted, row.levels.thresholds[symbol], side)


def _compute_sizes(row: PredictionRow, spec: DecisionSpec) -> dict[str, float]:
    """Symbol -> size that it is entered with at this close."""
    sizes = spec.sizing.compute_row_sizes(row, spec.periods_per_year)
    limited = np.minimum(sizes, spec.max_weight)
    return dict(zip(row.predicted, limited.tolist(), strict=True))


def _check_order(state: DecisionState, row: PredictionRow) -> None:
    if state.decided_on is not None and row.timestamp <= state.decided_on:
        raise UsageError(
            "Bars are decided in their order, each once",
            expected=f"a bar after {state.decided_on.isoformat(sep=' ')}",
            found=str(row.timestamp),
            fix="continue from the state that the bar before left",
        )
    held = {symbol for symbol, holding in state.positions.items() if holding.position}
    held |= {symbol for symbol, weight in state.weights.items() if weight}
    missing = sorted(held.difference(row.predicted))
    if missing:
        raise UsageError(
            "A symbol that is held is not decided",
            expected=f"a prediction of {', '.join(missing)}, NaN where there is no fit",
            found=f"those of {', '.join(row.predicted)}",
            where=str(row.timestamp),
        )


def _check_closes(row: PredictionRow, spec: DecisionSpec) -> None:
    needed = spec.closes_needed or 0
    if len(row.close) < needed:
        raise UsageError(
            "There are too few closes for the sizing",
            expected=f"the last {needed} closes up to {row.timestamp}",
            found=f"{len(row.close)}",
            where=f"sizing {spec.sizing.kind}, allocation {spec.portfolio.allocation.kind}",
            fix="keep as many closes as DecisionSpec.closes_needed says",
        )
