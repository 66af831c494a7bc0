"""The contracts of sizings and of benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.models import Forecaster
from engine.signals.benchmarks import BenchmarkRule
from engine.signals.contract import check_positions, check_sizes
from engine.signals.inputs import SignalInputs
from engine.signals.sizing import SizingSpec
from engine.testing.markets import PERIODS_PER_YEAR, make_market
from engine.testing.models import check_model
from engine.testing.rules import check_part, require

if TYPE_CHECKING:
    from engine.core.types import WideFrame

_WARM_BARS = 300
"""Closes before the first bar that is forecast."""

_ROWS_ALONE = 20
"""Bars that are sized one by one."""


def check_sizing(sizing: SizingSpec, *, forecasts: SignalInputs | None = None) -> None:
    """Computes sizes of generated forecasts, and again without the latest bars and bar by bar.

    The rules: a frozen class with a kind of its own, whose JSON gives an equal part; a size of at
    least 0 for every bar and symbol that is forecast; no change by later bars; the same sizes
    again; untouched forecasts and closes; the same size to the last bit from one bar's forecasts
    and the last `closes_needed` closes.

    Args:
        sizing: The sizing.
        forecasts: Of the symbols AAA and BBB on the bars of `make_market()` from the 300th on;
            generated unless given.

    Raises:
        ContractError: The first rule that is broken.
    """
    check_part(sizing, (SizingSpec,))
    close = make_market().wide("close")
    inputs = forecasts or _make_forecasts(close)
    before = close.copy(), inputs.predicted.copy()
    sizes = sizing.compute_sizes(inputs, close, PERIODS_PER_YEAR)
    check_sizes(sizing.kind, inputs.predicted, sizes)
    require(
        sizing.kind,
        "compute_sizes leaves forecasts and closes as they are",
        kept=close.equals(before[0]) and inputs.predicted.equals(before[1]),
        found="other ones",
    )
    again = sizing.compute_sizes(inputs, close, PERIODS_PER_YEAR)
    require(
        sizing.kind,
        "the same forecasts give the same sizes",
        kept=sizes.equals(again),
        found="other sizes",
    )
    end = len(inputs.predicted) // 2
    stamps = inputs.predicted.index[:end]
    early = sizing.compute_sizes(
        _select_forecasts(inputs, slice(end)), close.loc[: stamps[-1]], PERIODS_PER_YEAR
    )
    require(
        sizing.kind,
        "later bars do not change a size",
        kept=bool(np.allclose(early, sizes.iloc[:end], rtol=1e-12, atol=0, equal_nan=True)),
        found="other sizes where they are missing",
    )
    _check_sizes_by_row(sizing, inputs, close, sizes)


def _check_sizes_by_row(
    sizing: SizingSpec, inputs: SignalInputs, close: WideFrame, sizes: WideFrame
) -> None:
    for row in range(0, len(sizes), len(sizes) // _ROWS_ALONE):
        stamp = sizes.index[row]
        alone = sizing.compute_sizes(
            _select_forecasts(inputs, slice(row, row + 1)),
            sizing.select_closes(close.loc[:stamp]),
            PERIODS_PER_YEAR,
        )
        found, expected = (each.to_numpy(dtype=np.float64) for each in (alone, sizes.loc[[stamp]]))
        require(
            sizing.kind,
            "a bar alone, with its last closes_needed closes, has the same sizes to the last bit",
            kept=bool(np.array_equal(found, expected, equal_nan=True)),
            found=f"{found.tolist()} and not {expected.tolist()} at {stamp}, with "
            f"closes_needed {sizing.closes_needed}",
        )


def check_benchmark(benchmark: BenchmarkRule | Forecaster) -> None:
    """Computes a benchmark's positions on generated closes, and again without the latest.

    The rules: a frozen class with a kind of its own, whose JSON gives an equal part; a position
    between -1 and 1 at every bar; no change by later bars; the same positions again; untouched
    closes. A model as a benchmark keeps the rules of `check_model`.

    Args:
        benchmark: A rule or a model.

    Raises:
        ContractError: The first rule that is broken.
    """
    if isinstance(benchmark, Forecaster):
        check_model(benchmark)
        return
    check_part(benchmark, (BenchmarkRule,))
    close = make_market().wide("close")
    before = close.copy()
    positions = benchmark.compute_positions(close)
    check_positions(benchmark.kind, close, positions)
    require(
        benchmark.kind,
        "compute_positions leaves the closes as they are",
        kept=close.equals(before),
        found="other closes",
    )
    require(
        benchmark.kind,
        "the same closes give the same positions",
        kept=positions.equals(benchmark.compute_positions(close)),
        found="other positions",
    )
    for end in (len(close) // 2, len(close) - 1):
        early = benchmark.compute_positions(close.iloc[:end])
        require(
            benchmark.kind,
            "later closes do not change a position",
            kept=bool(np.allclose(early, positions.iloc[:end], rtol=1e-9, atol=1e-12)),
            found=f"other positions where the last {len(close) - end} closes are missing",
        )


def _make_forecasts(close: WideFrame) -> SignalInputs:
    """Two windows of forecasts of every symbol, with residuals and no quantiles."""
    rng = np.random.default_rng(5)
    rows = close.index[_WARM_BARS:]
    predicted = pd.DataFrame(
        0.01 * rng.standard_normal((len(rows), close.shape[1])), index=rows, columns=close.columns
    )
    window = (np.arange(len(rows)) >= len(rows) // 2).astype(np.int64)
    each = {
        number: {symbol: 0.01 * rng.standard_normal(100) for symbol in close.columns}
        for number in (0, 1)
    }
    return SignalInputs(predicted, window, train_predictions=each, residuals=each)


def _select_forecasts(inputs: SignalInputs, rows: slice) -> SignalInputs:
    return SignalInputs(
        inputs.predicted.iloc[rows],
        inputs.window[rows],
        train_predictions=inputs.train_predictions,
        quantiles={level: frame.iloc[rows] for level, frame in inputs.quantiles.items()},
        residuals=inputs.residuals,
    )
