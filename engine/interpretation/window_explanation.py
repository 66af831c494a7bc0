"""Everything that is measured of the fits of one window and symbol, averaged over the seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.interpretation.attention import attention_over_steps, attention_over_symbols
from engine.interpretation.cell_groups import group_by_feature, group_by_steps
from engine.interpretation.gradient_attribution import attribute_gradients, why_no_gradients
from engine.interpretation.permutation_importance import permutation_changes
from engine.interpretation.sequences import Sequences
from engine.interpretation.shapley import ShapleyValues, shapley_values
from engine.interpretation.simple_rules import RuleInputs, describe_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from engine.core.types import Cube, IntVector, Matrix, Vector
    from engine.interpretation.cell_groups import CellGroup
    from engine.interpretation.fitted_rows import ExplainedFit

PERMUTATIONS = 3
"""Permutations of each input in each window."""

BLOCK_BARS = 20
"""Bars that stay together in a permutation."""

SHAPLEY_BACKGROUND = 16
"""Train rows, at equal distances, that stand for inputs that are not known."""

SAMPLED_ORDERS = 24
"""Orders of the inputs that are drawn where there are too many for every coalition."""


@dataclass(frozen=True, eq=False)
class SeedAttribution:
    """Shapley values of some rows by one kind of group, averaged over the seeds.

    Attributes:
        values: (m, g).
        errors: (m, g) standard errors of sampling.
        base: Mean forecast of the background.
        largest_gap: Largest |base + sum - forecast| of a row.
    """

    values: Matrix
    errors: Matrix
    base: float
    largest_gap: float


@dataclass(frozen=True, eq=False)
class GradientRows:
    """Integrated gradients of every row of a window, averaged over the seeds.

    Attributes:
        by_cell: (n, lookback, inputs): coarser intervals follow the bars' own.
        errors: (seeds * n,) errors of completeness.
    """

    by_cell: Cube
    errors: Vector


@dataclass(frozen=True, eq=False)
class WindowExplanation:
    """One window and symbol.

    Attributes:
        window: Index of the window.
        symbol: Symbol of the forecasts.
        stamps: (n,) of the test rows.
        forecasts: (n,) mean over the seeds.
        outcomes: (n,) realised; NaN where not yet known.
        changes: (n, inputs) of permutations, mean over the seeds.
        uses: (seeds, inputs) mean absolute change.
        chosen: (m,) rows with Shapley values.
        by_feature: Shapley values of the inputs.
        by_step: Shapley values of the blocks of bars.
        gradients: None where there are none.
        attention: (seeds, n, lookback); None where there is none.
        permuted_steps: (n,) forecast minus that with the bars of the lookback permuted; None
            without attention.
        symbol_attention: (n, symbols) mean over the seeds; None where there is none.
        rules: What simple rules see.
    """

    window: int
    symbol: str
    stamps: pd.DatetimeIndex
    forecasts: Vector
    outcomes: Vector
    changes: Matrix
    uses: Matrix
    chosen: IntVector
    by_feature: SeedAttribution
    by_step: SeedAttribution
    gradients: GradientRows | None
    attention: Cube | None
    permuted_steps: Vector | None
    symbol_attention: Matrix | None
    rules: RuleInputs


def explain_window(
    fits: Sequence[ExplainedFit],
    closes: pd.Series[float],
    chosen: IntVector,
    deviation: float,
    rng: np.random.Generator,
) -> WindowExplanation:
    """Explains the forecasts of the fits of one window and symbol.

    Args:
        fits: One a seed, at least one.
        closes: Of the symbol, at all its bars.
        chosen: Rows that get Shapley values.
        deviation: Standard deviation of the run's forecasts, above 0.
        rng: Draws permutations and orders; the same for every seed of the model.
    """
    first = fits[0]
    features = group_by_feature(first.names, first.model.lookback)
    steps = group_by_steps(first.names, first.model.lookback)
    state = rng.bit_generator.state
    changes, by_feature, by_step = [], [], []
    for fit in fits:
        rng.bit_generator.state = state
        changes.append(
            permutation_changes(
                fit.forecast,
                fit.test,
                features,
                permutations=PERMUTATIONS,
                block=BLOCK_BARS,
                rng=rng,
            )
        )
        by_feature.append(_shapley(fit, chosen, features, rng))
        by_step.append(_shapley(fit, chosen, steps, rng))
    forecasts = [fit.forecast(fit.test) for fit in fits]
    explained = np.mean([own[chosen] for own in forecasts], axis=0)
    attention = _stack([attention_over_steps(fit, fit.test) for fit in fits])
    symbol_attention = _stack([attention_over_symbols(fit, fit.test) for fit in fits])
    return WindowExplanation(
        window=first.window,
        symbol=first.symbol,
        stamps=first.stamps,
        forecasts=np.mean(forecasts, axis=0),
        outcomes=first.realised,
        changes=np.mean(changes, axis=0),
        uses=np.stack([np.abs(own).mean(axis=0) for own in changes]),
        chosen=chosen,
        by_feature=_average(by_feature, explained),
        by_step=_average(by_step, explained),
        gradients=_gradients(fits, deviation),
        attention=attention,
        permuted_steps=None if attention is None else _permute_steps(fits, forecasts, rng),
        symbol_attention=None if symbol_attention is None else symbol_attention.mean(axis=0),
        rules=RuleInputs(
            train=describe_bars(closes, first.background_stamps),
            test=describe_bars(closes, first.stamps),
            train_forecasts=np.mean([fit.forecast(fit.background) for fit in fits], axis=0),
            test_forecasts=np.mean(forecasts, axis=0),
        ),
    )


def _shapley(
    fit: ExplainedFit, chosen: IntVector, groups: list[CellGroup], rng: np.random.Generator
) -> ShapleyValues:
    count = len(fit.background)
    rows = np.unique(np.linspace(0, count - 1, SHAPLEY_BACKGROUND).astype(np.int64))
    return shapley_values(
        fit.forecast,
        fit.test.take(chosen),
        fit.background.take(rows),
        groups,
        orders=SAMPLED_ORDERS,
        rng=rng,
    )


def _average(seeds: list[ShapleyValues], forecasts: Vector) -> SeedAttribution:
    values = np.mean([own.values for own in seeds], axis=0)
    base = float(np.mean([own.base for own in seeds]))
    squares = np.sum([own.standard_errors**2 for own in seeds], axis=0)
    gaps = np.abs(base + values.sum(axis=1) - forecasts)
    return SeedAttribution(
        values, np.sqrt(squares) / len(seeds), base, float(gaps.max(initial=0.0))
    )


def _gradients(fits: Sequence[ExplainedFit], deviation: float) -> GradientRows | None:
    if any(why_no_gradients(fit) is not None for fit in fits):
        return None
    seeds = [attribute_gradients(fit, fit.test, deviation) for fit in fits]
    return GradientRows(
        np.mean([np.concatenate(own.attributions, axis=2) for own in seeds], axis=0),
        np.concatenate([own.completeness_errors for own in seeds]),
    )


def _permute_steps(
    fits: Sequence[ExplainedFit], forecasts: Sequence[Vector], rng: np.random.Generator
) -> Vector:
    """(n,) what the order of the bars is worth: the change when those before the newest move."""
    lookback = fits[0].model.lookback
    order = np.append(rng.permutation(lookback - 1), lookback - 1)
    changes = [
        own - fit.forecast(_reorder(fit.test, order))
        for fit, own in zip(fits, forecasts, strict=True)
    ]
    mean: Vector = np.mean(changes, axis=0)
    return mean


def _reorder(rows: Sequences, order: IntVector) -> Sequences:
    return Sequences(
        tuple(branch[:, order] for branch in rows.branches),
        rows.trailing,
        rows.shape,
        rows.row_symbols,
    )


def _stack(parts: list[Matrix | None]) -> Cube | None:
    known = [part for part in parts if part is not None]
    return np.stack(known) if known else None
