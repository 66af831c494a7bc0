"""From the explanations of all windows to `interpretation.json` and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from engine.evaluation.inference.multiple_testing import benjamini_hochberg
from engine.interpretation.gradient_attribution import COMPLETENESS_TOLERANCE
from engine.interpretation.permutation_importance import AddedCorrelation, added_correlation
from engine.interpretation.simple_rules import compare_with_rules
from engine.runs.documents.interpretation import (
    AttentionFigures,
    CellAttribution,
    Completeness,
    FeatureAttribution,
    RuleFigures,
    StepAttribution,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BoolMatrix, Matrix, Vector
    from engine.interpretation.cell_groups import CellGroup
    from engine.interpretation.fitted_rows import ExplainedFit
    from engine.interpretation.window_explanation import GradientRows, WindowExplanation

BPS = 1e4


def describe_features(
    parts: Sequence[WindowExplanation], names: Sequence[str], confidence: float
) -> tuple[FeatureAttribution, ...]:
    """The figures of every input, the largest share first.

    Args:
        parts: All windows and symbols.
        names: Of the inputs, coarser intervals last.
        confidence: Level of intervals and of the false discovery rate.
    """
    values = np.concatenate([part.by_feature.values for part in parts])
    errors = np.concatenate([part.by_feature.errors for part in parts])
    means = BPS * np.abs(values).mean(axis=0)
    uses = np.stack([part.uses.mean(axis=0) for part in parts])
    seeds = np.mean([part.uses for part in parts], axis=0)
    gradients = _mean_gradients(parts)
    tests = _test_inputs(parts, len(names), confidence)
    p_values = {
        place: test.p_value
        for place, test in enumerate(tests)
        if test is not None and test.p_value is not None
    }
    adjusted = dict(zip(p_values, benjamini_hochberg(list(p_values.values())), strict=True))
    figures = []
    for place, name in enumerate(names):
        test, p_adjusted = tests[place], adjusted.get(place)
        spread = seeds[:, place].std(ddof=1) if len(seeds) > 1 else None
        figures.append(
            FeatureAttribution(
                name=name,
                shapley_bps=float(means[place]),
                shapley_error_bps=float(BPS * errors[:, place].mean()),
                share_pct=float(100 * means[place] / means.sum()) if means.sum() > 0 else 0.0,
                gradient_bps=None if gradients is None else float(BPS * gradients[place]),
                use_bps=float(BPS * uses[:, place].mean()),
                use_low_bps=float(BPS * uses[:, place].min()),
                use_high_bps=float(BPS * uses[:, place].max()),
                seed_spread_pct=_percent_of(spread, seeds[:, place].mean()),
                added_correlation=test.estimate if test else None,
                low=test.low if test else None,
                high=test.high if test else None,
                p_value=test.p_value if test else None,
                p_adjusted=p_adjusted,
                matters=p_adjusted is not None and p_adjusted <= 1 - confidence,
            )
        )
    return tuple(sorted(figures, key=lambda each: (-each.share_pct, each.name)))


def describe_steps(
    parts: Sequence[WindowExplanation], blocks: Sequence[CellGroup]
) -> tuple[StepAttribution, ...]:
    """The figures of every block of bars, the newest first."""
    values = np.concatenate([part.by_step.values for part in parts])
    attention = mean_attention(parts)
    rows = [block.cells[0][:, 0] for block in blocks]
    gradients = _block_gradients(parts, rows)
    return tuple(
        StepAttribution(
            bars_before=block.name,
            shapley_bps=float(BPS * np.abs(values[:, place]).mean()),
            gradient_bps=None
            if gradients is None
            else float(BPS * np.abs(gradients[:, place].sum(axis=1)).mean()),
            attention_pct=None if attention is None else float(100 * attention[rows[place]].sum()),
        )
        for place, block in enumerate(blocks)
    )


def describe_cells(
    parts: Sequence[WindowExplanation], names: Sequence[str], blocks: Sequence[CellGroup]
) -> tuple[CellAttribution, ...]:
    """Every input in every block of bars; empty without gradients."""
    gradients = _block_gradients(parts, [block.cells[0][:, 0] for block in blocks])
    if gradients is None:
        return ()
    means = BPS * np.abs(gradients).mean(axis=0)
    return tuple(
        CellAttribution(name=name, bars_before=block.name, gradient_bps=float(means[row, place]))
        for place, name in enumerate(names)
        for row, block in enumerate(blocks)
    )


def describe_completeness(
    parts: Sequence[WindowExplanation], deviation: float, reason: str | None
) -> Completeness:
    """The largest gaps between attributions and what they explain.

    Args:
        parts: All windows and symbols.
        deviation: Standard deviation of the forecasts.
        reason: Why there are no gradients; None where there are.
    """
    gaps = [max(part.by_feature.largest_gap, part.by_step.largest_gap) for part in parts]
    errors = [part.gradients.errors for part in parts if part.gradients is not None]
    if not errors:
        return Completeness(shapley_error=max(gaps) / deviation, no_gradients=reason)
    joined = np.concatenate(errors)
    return Completeness(
        shapley_error=max(gaps) / deviation,
        gradient_error=float(joined.max()),
        gradient_above_pct=float(100 * (joined > COMPLETENESS_TOLERANCE).mean()),
    )


def describe_attention(
    parts: Sequence[WindowExplanation], deviation: float
) -> AttentionFigures | None:
    """The attention over the bars, and what it is worth; None where there is none."""
    profile = mean_attention(parts)
    if profile is None:
        return None
    used = profile[profile > 0]
    seeds = _seed_profiles(parts)
    changes = np.concatenate(
        [part.permuted_steps for part in parts if part.permuted_steps is not None]
    )
    correlations = [_agreement(part) for part in parts]
    known = [each for each in correlations if each is not None]
    return AttentionFigures(
        effective_bars=float(np.exp(-(used * np.log(used)).sum())),
        seed_spread_pct=float(100 * seeds.std(axis=0, ddof=1).mean()) if len(seeds) > 1 else None,
        gradient_rank_correlation=float(np.concatenate(known).mean()) if known else None,
        permuted_change_pct=float(100 * np.abs(changes).mean() / deviation),
        profile_pct=tuple((100 * profile[::-1]).tolist()),
    )


def describe_rules(parts: Sequence[WindowExplanation]) -> tuple[RuleFigures, ...]:
    """The fidelity of every simple rule, the closest first."""
    return tuple(
        RuleFigures(rule=each.rule, form=each.form, r2=each.r2)
        for each in compare_with_rules([part.rules for part in parts])
    )


def tabulate_attributions(
    parts: Sequence[WindowExplanation], names: Sequence[str]
) -> pd.DataFrame:
    """A row a forecast and input: `timestamp`, `symbol`, `feature`, `change`, `gradient`.

    `change` is the forecast minus its mean with the input permuted, `gradient` the integrated
    gradient summed over the steps, NaN without gradients; simple returns.
    """
    tables = []
    for part in parts:
        count = len(part.stamps)
        gradient = np.full((count, len(names)), np.nan)
        if part.gradients is not None:
            gradient = part.gradients.by_cell.sum(axis=1)
        tables.append(
            pd.DataFrame(
                {
                    "timestamp": part.stamps.repeat(len(names)),
                    "symbol": part.symbol,
                    "feature": np.tile(np.array(names, dtype=object), count),
                    "change": part.changes.ravel(),
                    "gradient": gradient.ravel(),
                }
            )
        )
    return pd.concat(tables, ignore_index=True).astype({"symbol": "str", "feature": "str"})


def mean_attention(parts: Sequence[WindowExplanation]) -> Vector | None:
    """(lookback,) mean attention to each bar, oldest first; None where there is none."""
    known = [part.attention for part in parts if part.attention is not None]
    if not known:
        return None
    profile: Vector = np.concatenate([own.mean(axis=0) for own in known]).mean(axis=0)
    return profile


def describe_symbol_attention(
    parts: Sequence[WindowExplanation], fit: ExplainedFit
) -> dict[str, float]:
    """Symbol -> mean attention of the explained forecasts to it, per cent; empty without."""
    known = [part.symbol_attention for part in parts if part.symbol_attention is not None]
    if not known:
        return {}
    means = 100 * np.concatenate(known).mean(axis=0)
    symbols = fit.model.input_transform.symbols
    return {symbol: float(mean) for symbol, mean in zip(symbols, means, strict=True)}


def _test_inputs(
    parts: Sequence[WindowExplanation], count: int, confidence: float
) -> list[AddedCorrelation | None]:
    """The test of each input over the rows with a known outcome; of symbols, bar by bar."""
    known = [np.isfinite(part.outcomes) for part in parts]
    stamps = np.concatenate([part.stamps[rows] for part, rows in zip(parts, known, strict=True)])
    changes = np.concatenate([part.changes[rows] for part, rows in zip(parts, known, strict=True)])
    forecasts = np.concatenate(
        [part.forecasts[rows] for part, rows in zip(parts, known, strict=True)]
    )
    outcomes = np.concatenate(
        [part.outcomes[rows] for part, rows in zip(parts, known, strict=True)]
    )
    order = np.argsort(stamps, kind="stable")
    if len(order) < 2 or np.ptp(forecasts) == 0 or np.ptp(outcomes) == 0:
        return [None] * count
    return [
        added_correlation(
            changes[order, place], forecasts[order], outcomes[order], stamps[order], confidence
        )
        for place in range(count)
    ]


def _mean_gradients(parts: Sequence[WindowExplanation]) -> Vector | None:
    """(inputs,) mean absolute integrated gradient, summed over the steps."""
    known = _known_gradients(parts)
    if not known:
        return None
    rows = np.concatenate([own.by_cell.sum(axis=1) for own in known])
    means: Vector = np.abs(rows).mean(axis=0)
    return means


def _block_gradients(
    parts: Sequence[WindowExplanation], blocks: Sequence[BoolMatrix]
) -> Matrix | None:
    """(n, blocks, inputs) integrated gradients summed over the steps of each block."""
    known = _known_gradients(parts)
    if not known:
        return None
    return np.concatenate(
        [np.stack([own.by_cell[:, rows].sum(axis=1) for rows in blocks], axis=1) for own in known]
    )


def _known_gradients(parts: Sequence[WindowExplanation]) -> list[GradientRows]:
    return [part.gradients for part in parts if part.gradients is not None]


def _seed_profiles(parts: Sequence[WindowExplanation]) -> Matrix:
    """(seeds, lookback) mean attention of each seed."""
    known = [part.attention for part in parts if part.attention is not None]
    profiles: Matrix = np.concatenate(known, axis=1).mean(axis=1)
    return profiles


def _agreement(part: WindowExplanation) -> Vector | None:
    """(n,) Spearman correlation of attention and gradient over the bars of the lookback."""
    if part.attention is None or part.gradients is None:
        return None
    attention = rankdata(part.attention.mean(axis=0), axis=1)
    size = rankdata(np.abs(part.gradients.by_cell).sum(axis=2), axis=1)
    centred = [ranks - ranks.mean(axis=1, keepdims=True) for ranks in (attention, size)]
    products = (centred[0] * centred[1]).sum(axis=1)
    norms = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    correlations: Vector = np.divide(products, norms, out=np.zeros(len(products)), where=norms > 0)
    return correlations


def _percent_of(part: float | None, whole: float) -> float | None:
    return None if part is None or whole == 0 else float(100 * part / whole)
