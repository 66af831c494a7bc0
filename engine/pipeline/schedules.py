"""Walk-forward windows of a run and of its delayed schedules, after warm-up and lookback."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.splits.walk_forward import (
    WalkForwardWindow,
    first_test_row,
    make_walk_forward_windows,
)

if TYPE_CHECKING:
    from engine.features.build import FeatureMatrix
    from engine.features.resolutions import CoarseFeatures
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy
    from engine.training.feature_history import FeatureHistory

MIN_COMMON_BARS = 30
"""Fewest bars that the schedules of `paths` must have in common: fewer have no inference."""


def prepare_delayed_data(spec: Strategy, prepared: PreparedData) -> tuple[PreparedData, ...]:
    """The same bars and features with the windows of each further schedule of `spec.paths`.

    Args:
        spec: The strategy.
        prepared: Of the run itself.

    Returns:
        One for each offset from 1 on, in the order of their starts; () with one schedule.

    Raises:
        UsageError: The schedules do not differ, or have too few bars in common.
    """
    offsets = spec.paths.offsets
    delayed = tuple(
        replace(
            prepared,
            windows=make_windows(spec, prepared.feature_history, Fraction(number, offsets)),
        )
        for number in range(1, offsets)
    )
    starts = [each.windows[0].test.start for each in (prepared, *delayed)]
    if len(set(starts)) < offsets:
        most = _most_schedules(spec, prepared, offsets - 1)
        raise UsageError(
            "two schedules of windows have the same start",
            expected=f"at most {most}, which have different starts with windows.test: "
            f"{spec.windows.test}",
            found=f"{offsets} schedules with {len(set(starts))} different starts",
            where="paths.offsets",
            fix=f"set paths.offsets to {most}, or raise windows.test",
        )
    common = prepared.windows[-1].test.stop - starts[-1]
    if offsets > 1 and common < MIN_COMMON_BARS:
        raise UsageError(
            "the schedules of windows have too few bars in common",
            expected=f"at least {MIN_COMMON_BARS} bars after the start of the last schedule",
            found=f"{common} bars",
            where="paths.offsets",
            fix="lower windows.test, or take a longer history",
        )
    return delayed


def make_windows(
    spec: Strategy, history: FeatureHistory, delay: Fraction
) -> tuple[WalkForwardWindow, ...]:
    """The windows of one schedule."""
    windows = make_walk_forward_windows(
        history.features.timestamps,
        spec.windows,
        first_row=_first_window_row(spec, history),
        horizon=spec.target.max_horizon,
        delay=delay,
    )
    if spec.tune is not None:
        for window in windows:  # a split without rows is an error before any training
            spec.tune.split_rows(len(window.train), spec.target.max_horizon)
    return windows


def first_usable_row(spec: Strategy, history: FeatureHistory) -> int:
    """The first row after warm-up and the longest lookback of all models."""
    lookback = max(model.lookback for model in spec.forecasters().values())
    return max(
        bars_before_use(spec, history.features),
        *(_first_row_with_lookback(part, history, lookback) for part in history.coarse),
        0,
    )


def bars_before_use(spec: Strategy, features: FeatureMatrix) -> int:
    """Bars before the first row that a model may see, of the bars' own interval."""
    lookback = max(model.lookback for model in spec.forecasters().values())
    return max(features.warmup + spec.scaling.warmup + lookback - 1, spec.target.max_horizon)


def bars_before_decision(spec: Strategy, features: FeatureMatrix) -> int:
    """Bars of a symbol of a panel before the first that is forecast and decided."""
    closes = spec.decision_spec(periods_per_year=1.0).closes_needed or 1
    return max(bars_before_use(spec, features), closes - 1)


def _first_window_row(spec: Strategy, history: FeatureHistory) -> int:
    """The first row that the windows may have: of a panel, that of its earliest symbol.

    Raises:
        UsageError: No symbol of a panel has bars enough.
    """
    if history.panel is None:
        return first_usable_row(spec, history)
    first, own = history.panel.first, history.panel.rows_by_symbol
    if max(len(rows) for rows in own.values()) <= first:
        raise UsageError(
            "no symbol has bars enough for one row",
            expected=f"more than {first} bars of a symbol, for its features and a lookback",
            found=", ".join(f"{symbol} {len(rows)}" for symbol, rows in own.items()),
            where="features, lookback",
            fix="shorten the features or the lookback, or take a longer history",
        )
    return min(int(rows[first]) for rows in own.values() if len(rows) > first)


def _first_row_with_lookback(
    coarse: CoarseFeatures, history: FeatureHistory, lookback: int
) -> int:
    """The first row that is preceded by a whole sequence of coarse bars."""
    scaling = history.scaling.warmup
    needed = coarse.features.warmup + scaling + lookback
    row = int(coarse.latest.searchsorted(needed - 1))
    if row < len(coarse.latest):
        return row
    raise UsageError(
        f"There are too few {coarse.interval} bars",
        expected=f"at least {needed} complete ones: {coarse.features.warmup} to warm up the "
        f"features, {scaling} for the scaling, {lookback} for a lookback",
        found=f"{coarse.latest[-1] + 1} in {len(coarse.latest)} bars",
        where="resolutions",
        fix=f"leave {coarse.interval} out, shorten the features or the lookback, or take a longer "
        "history",
    )


def _most_schedules(spec: Strategy, prepared: PreparedData, below: int) -> int:
    """The largest number of schedules, up to `below`, that differ and share enough bars."""
    history, end = prepared.feature_history, prepared.windows[-1].test.stop
    first_row = _first_window_row(spec, history)

    def fits(count: int) -> bool:
        starts = [
            first_test_row(
                history.features.timestamps,
                spec.windows,
                first_row=first_row,
                horizon=spec.target.max_horizon,
                delay=Fraction(number, count),
            )
            for number in range(count)
        ]
        return len(set(starts)) == count and end - starts[-1] >= MIN_COMMON_BARS

    return next((count for count in range(below, 1, -1) if fits(count)), 1)
