"""Ranks forecasts by their errors in each walk-forward window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.forecasts.model_diagnostics import NO_CHANGE
from engine.evaluation.inference.aligned_ranks import compare_with_control, friedman_aligned_ranks
from engine.runs.documents.significance_models import RankedModelFigures, RankFigures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import IntVector, Matrix, Vector

MIN_WINDOWS = 2
"""Below this many windows no ranking is made."""


def rank_forecasts_by_window(
    forecasts: Mapping[str, Vector | Matrix], actual: Vector | Matrix, window_of_row: IntVector
) -> RankFigures | None:
    """Ranks forecasts, and no change, by their errors in each window.

    The score of a window is the root mean squared error over that of no change, so that volatile
    and quiet windows have the same weight; below 1 is better than no change. The windows are the
    data sets of Friedman's aligned ranks test, and each forecast is compared with the one of the
    lowest average rank, with Finner's step-down adjustment. Test parts do not overlap.

    The joint test comes first. With four equally good forecasts over 12 windows its p-value is
    below 0.05 in 5 of 100 markets, but the smallest of Finner's p-values in 15, as the best one
    was selected by the same ranks. Without a significant joint test they mean nothing.

    Of several symbols the score of a window is the root of the mean over them of each one's mean
    squared error over that of no change.

    Args:
        forecasts: Name -> predicted simple returns, (n,), or (n, m) of m symbols, NaN where there
            is none; only what all of them forecast is scored.
        actual: Realised returns, likewise; NaN where the outcome is not known yet.
        window_of_row: Window of each row, shape (n,).

    Returns:
        `windows`, the number scored; `statistic`, `degrees` and `p_value` of the joint test of
        equal accuracy; `best`, the name with the lowest average rank; `models` by name:
        `average_rank`, `relative_rmse` (mean over the windows), `p_value` and `p_value_finner`
        against the best, None for the best itself. None below two windows.

    Source: as `aligned_ranks.friedman_aligned_ranks` and `aligned_ranks.compare_with_control`.
    """
    names = [NO_CHANGE, *forecasts]
    scores = _relative_rmse([np.zeros(actual.shape), *forecasts.values()], actual, window_of_row)
    if len(scores) < MIN_WINDOWS:
        return None
    joint = friedman_aligned_ranks(scores)
    control, comparisons = compare_with_control(joint.average_ranks, len(scores))
    tested = {names[each.model_index]: each for each in comparisons}
    models = {
        name: RankedModelFigures(
            average_rank=rank,
            relative_rmse=float(score),
            p_value=tested[name].p_value if name in tested else None,
            p_value_finner=tested[name].p_value_finner if name in tested else None,
        )
        for name, rank, score in zip(names, joint.average_ranks, scores.mean(axis=0), strict=True)
    }
    return RankFigures(
        windows=len(scores),
        statistic=joint.statistic,
        degrees=joint.degrees,
        p_value=joint.p_value,
        best=names[control],
        models=models,
    )


def _relative_rmse(
    predicted: list[Vector | Matrix], actual: Vector | Matrix, window_of_row: IntVector
) -> Matrix:
    """Shape (windows, forecasts), without windows whose returns are all 0 or not known."""
    errors = np.square(actual[..., None] - np.stack(predicted, axis=-1))
    by_symbol = errors.reshape(len(actual), -1, len(predicted)).swapaxes(0, 1)
    relative = []
    for number in np.unique(window_of_row):
        means = [
            own[known].mean(axis=0)
            for own in by_symbol[:, window_of_row == number]
            if (known := np.isfinite(own).all(axis=1)).any()
        ]
        ratios = [mean / mean[0] for mean in means if mean[0] > 0]
        if ratios:
            relative.append(np.sqrt(np.mean(ratios, axis=0)))
    return np.array(relative).reshape(-1, len(predicted))
