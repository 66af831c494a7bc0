"""Pairs of what every book has in common: windows, features, labels, rates and costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.leakage.comparison import BarRows, OutputPair
from engine.simulation.cost_rates import KNOWN_AT_CLOSE, RATE_NAMES
from engine.training.panel_labels import find_known_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.core.types import BoolMatrix, IntVector, WideFrame
    from engine.pipeline.prepared_data import PreparedData
    from engine.simulation.cost_rates import CostRates
    from engine.simulation.costs import CostModel
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.training.feature_history import FeatureHistory
from engine.leakage.output_pairs.frames import format_bars, pair_frames


def pair_prepared_data(
    original: PreparedData, perturbed: PreparedData, row: int
) -> Iterator[OutputPair]:
    """Windows, features, coarser features, labels and rates, as far as known at `row`.

    A label over h bars is known h bars after its own. A coarser bar stands at the base bar that
    makes it known. Rates are compared where they are read from files.
    """
    yield pair_windows(original, perturbed.windows)
    yield from pair_histories(original.feature_history, perturbed.feature_history, row)
    yield from pair_rates(original, perturbed, row)


def pair_windows(original: PreparedData, perturbed: Sequence[WalkForwardWindow]) -> OutputPair:
    """The edges of all windows, which depend on times alone."""
    stamps = original.feature_history.features.timestamps
    return OutputPair(
        "windows",
        ("train start", "train stop", "validation start", "validation stop", "test start", "stop"),
        BarRows(stamps, np.array([window.test.start for window in original.windows])),
        window_edges(original.windows),
        window_edges(perturbed),
    )


def pair_rates(original: PreparedData, perturbed: PreparedData, row: int) -> Iterator[OutputPair]:
    """Interest rates up to a row, where they are read from files."""
    stamps = original.feature_history.features.timestamps
    if original.rates.files:
        yield pair_frames(
            "rates",
            ("risk-free rate", "yield on cash"),
            BarRows(stamps, range(original.tested.start, row + 1)),
            original.rates_by_bar.to_frame(),
            perturbed.rates_by_bar.to_frame(),
        )


def pair_cost_rates(
    model: CostModel,
    original: CostRates,
    perturbed: CostRates,
    row: int,
    *,
    panel: bool = False,
) -> Iterator[OutputPair]:
    """What fills pay up to the bar after `row`, and what the bars up to `row` can fill.

    A fill at that next bar is charged by what is known at the close before it. How much of an
    order the bar can fill is a fact of the bar itself, which no decision knows, as whether
    anything trades at it is; and the borrow rate of a bar is paid after its close. The models of
    users that do not say `known_before_fill` may charge by the whole bar of the fill. Of a history
    that ends at `row` no later bar is compared; nor is it of a panel, of which another symbol may
    have that bar.
    """
    if not model.known_before_fill:
        return
    for name in RATE_NAMES:
        one, two = getattr(original, name), getattr(perturbed, name)
        if isinstance(one, pd.DataFrame) and isinstance(two, pd.DataFrame):
            is_known = panel or name in KNOWN_AT_CLOSE
            rows = min(row + (1 if is_known else 2), len(two))
            known = pd.DatetimeIndex(one.index)[:rows]
            names = tuple(f"{name} of {symbol}" for symbol in one)
            yield pair_frames("costs", names, known, one, two)


def pair_histories(one: FeatureHistory, two: FeatureHistory, row: int) -> Iterator[OutputPair]:
    """Features, trailing returns, coarser features and labels, as far as known at `row`.

    Args:
        one: From the real bars.
        two: From bars that are altered, or end, after `row`.
        row: The last bar that both have in common.
    """
    stamps = one.features.timestamps
    known, last = slice(0, row + 1), BarRows(stamps, range(row + 1))
    yield OutputPair(
        "features",
        one.features.names,
        last,
        one.features.values[known],
        two.features.values[known],
    )
    for bars, behind in one.trailing_returns.items():
        names = tuple(f"{symbol}: return over the last {format_bars(bars)}" for symbol in behind)
        yield pair_frames("features", names, last, behind, two.trailing_returns[bars])
    for own, other_forecast in zip(one.coarse, two.coarse, strict=True):
        yield OutputPair(
            "resolutions",
            (f"{own.interval} bars known",),
            last,
            own.latest[known],
            other_forecast.latest[known],
        )
        complete = slice(0, int(own.latest[row]) + 1)
        when = own.latest[known].searchsorted(np.arange(complete.stop))
        yield OutputPair(
            "resolutions",
            own.features.names,
            BarRows(stamps, when),
            own.features.values[complete],
            other_forecast.features.values[complete],
        )
    for bars, ahead in one.forward_returns.items():
        names = tuple(f"{symbol}: return over the next {format_bars(bars)}" for symbol in ahead)
        later = two.forward_returns[bars]
        if one.panel is not None:
            known_labels = find_known_labels(
                one.panel, bars, row, compared=one.target.compares_symbols
            )
            ahead, later = (_keep(known_labels, each) for each in (ahead, later))
        yield pair_frames(
            "labels",
            names,
            BarRows(stamps, range(max(0, row + 1 - bars))),
            ahead,
            later,
        )


def _keep(known: BoolMatrix, ahead: WideFrame) -> WideFrame:
    """The labels that are known: over a halt, own bars end later than those of others."""
    values = np.where(known, ahead.to_numpy()[: len(known)], np.nan)
    return pd.DataFrame(values, columns=ahead.columns)


def window_edges(windows: Sequence[WalkForwardWindow]) -> IntVector:
    """(w, 6) first row and the row after the last of train, validation and test parts."""
    return np.array(
        [
            [edge for part in (w.train, w.validation, w.test) for edge in (part.start, part.stop)]
            for w in windows
        ],
        dtype=np.int64,
    )
