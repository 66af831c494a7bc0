"""How often a book was rebalanced, how often there was no optimum, and who was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.pipeline.steps import make_decision_spec
from engine.portfolio import known_over
from engine.signals.benchmarks import UniverseRule, fold_universe_rule
from engine.signals.inputs import SignalInputs
from engine.signals.target_weights import compute_decisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from engine.pipeline.prepared_data import PreparedData
    from engine.portfolio import PortfolioState
    from engine.strategy import Strategy
    from engine.training.out_of_sample import Predictions


def count_rebalancings(
    spec: Strategy, prepared: PreparedData, predictions: Mapping[str, Predictions]
) -> dict[str, dict[str, Any]]:
    """Book -> the figures of its rebalancings, of each book whose weights are an optimum.

    The books are decided once more; optima of equal inputs are not solved again.

    Args:
        spec: The strategy.
        prepared: Its bars.
        predictions: Forecasts of the books with a model.
    """
    decisions = make_decision_spec(spec, prepared.market)
    figures = {}
    for name, book in spec.books().items():
        if isinstance(book, UniverseRule) and book.is_optimised:
            states = fold_universe_rule(
                book,
                prepared.target_close,
                prepared.span,
                spec.benchmark_weight,
                decisions,
                prepared.eligible,
            )
            figures[name] = _count(states)
        elif name in predictions and spec.portfolio.allocation.is_optimised:
            inputs = SignalInputs.from_predictions(predictions[name])
            made = compute_decisions(inputs, prepared.target_close, decisions)
            figures[name] = _count(made.portfolio) | _count_left_out(
                made.portfolio, prepared, spec.portfolio.allocation.returns_window or 0
            )
    return figures


def find_failed_rebalancing(
    spec: Strategy, prepared: PreparedData, predictions: Predictions
) -> pd.Timestamp | None:
    """The bar of the newest rebalancing of the strategy, where it had no optimum; None elsewhere.

    Args:
        spec: The strategy.
        prepared: Its bars.
        predictions: Its forecasts.
    """
    if not spec.portfolio.allocation.is_optimised:
        return None
    states = compute_decisions(
        SignalInputs.from_predictions(predictions),
        prepared.target_close,
        make_decision_spec(spec, prepared.market),
    ).portfolio
    newest = max(row for row, state in enumerate(states) if state.bars == 0)
    before = states[newest - 1].failed_optima if newest else 0
    return prepared.span[newest] if states[newest].failed_optima > before else None


def _count(states: Sequence[PortfolioState]) -> dict[str, Any]:
    return {
        "rebalancings": sum(state.bars == 0 for state in states),
        "failed_optima": states[-1].failed_optima,
    }


def _count_left_out(
    states: Sequence[PortfolioState], prepared: PreparedData, window: int
) -> dict[str, Any]:
    """Symbol -> rebalancings at which it had too few closes, of those that had any."""
    closes = prepared.target_close.to_numpy(dtype=np.float64)
    first, left_out = prepared.tested.start, np.zeros(closes.shape[1], dtype=np.int64)
    for row, state in enumerate(states):
        if state.bars == 0:
            stop = first + row + 1
            left_out += ~known_over(closes[max(0, stop - window - 1) : stop], window)
    counts = zip(prepared.targets, left_out.tolist(), strict=True)
    found = {symbol: count for symbol, count in counts if count}
    return {"short_histories": found} if found else {}
