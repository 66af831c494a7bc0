"""Bootstrap intervals and tests of Sharpe ratios and their differences.

The studentised time-series bootstrap of Ledoit & Wolf (2008), Robust Performance Hypothesis
Testing with the Sharpe Ratio, J. of Empirical Finance 15, with stationary instead of fixed blocks.
Selected by measurement: over AR(1) returns (coefficient 0.4, n = 750) a nominal 95 % interval
covered 95 % of the time, against 93 % for the percentile interval and 82 % for independent rows.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from engine.evaluation.inference.hac import MIN_BARS, long_run_variance
from engine.evaluation.inference.stationary_bootstrap import (
    circular_cell_edges,
    circular_cumsum,
    optimal_block_length,
)
from engine.evaluation.metrics.return_metrics import sharpe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Matrix, Vector
    from engine.evaluation.config import EvaluationSpec

_PARTS = 8
"""Resamples are drawn in so many parts with a random stream each, which threads share; figures do
not depend on the number of threads. Another value changes every bootstrap figure."""

_FEW_ROWS = 1_000_000
"""Fewer rows drawn take less time than threads take to begin."""

_LONGEST_FLOOR_BARS, _BARS_OF_A_FLOOR_BAR = 4.0, 400.0

_FINE_ABOVE_BARS = 8.0
"""Longer blocks are few; rounding them up by more would leave too few of them."""

MAX_CELLS = 8_000
"""Longer series are divided into this many cells of equal length, and the bars of a cell are drawn
together: a million one-minute bars take no longer than thirty years of daily bars. Blocks are then
at least a cell long (about two hours there), and still far more numerous than needed."""


@dataclass(frozen=True)
class SharpeInference:
    """Estimate, interval and test of a Sharpe ratio or a difference of two; None where undefined.

    Attributes:
        estimate: Annualised Sharpe ratio, or the difference of two.
        low: Lower end of its interval.
        high: Upper end.
        p_value: p-value of the null hypothesis that the function states.
        block_length_bars: Mean block length of the bootstrap.
    """

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    block_length_bars: float | None = None


def infer_sharpe_ratios(
    returns_by_name: Mapping[str, Sequence[Vector]],
    periods_per_year: float,
    spec: EvaluationSpec,
    rng: np.random.Generator,
) -> dict[str, SharpeInference]:
    """Interval and test of each Sharpe ratio, or of each difference of two.

    The test of a single book is one-sided, H0: its Sharpe ratio is 0 or less. The rows of two
    books are resampled together, so that common moves cancel, and the test is two-sided, H0: no
    difference. Figures with similar optimal block lengths share their resamples: block lengths are
    rounded up to 1, 2, 4, 8, 8 sqrt(2), 16, .. bars, at least `_shortest_block_length`, and each
    length has its own random stream, so that an additional figure changes no other. Series above
    `MAX_CELLS` bars are drawn in cells.

    Args:
        returns_by_name: Name -> net returns of one book, or of two on the same bars, shape (n,);
            no NaN.
        periods_per_year: Annualises as in `return_metrics.sharpe`, whose value is the estimate.
        spec: Number of resamples and level.
        rng: Source of the random streams.

    Returns:
        All None below 30 bars, or for constant returns. For the same book twice, at any leverage,
        0 with the interval [0, 0] and a p-value of 1.
    """
    inferred = {name: trivial_inference(books) for name, books in returns_by_name.items()}
    statistics = {
        name: StudentisedSharpe(books)
        for name, books in returns_by_name.items()
        if inferred[name] is None
    }
    for length in sorted({each.block_length for each in statistics.values()}):
        group = {name: each for name, each in statistics.items() if each.block_length == length}
        for name, drawn in resample_statistics(group, length, spec.resamples, rng).items():
            inferred[name] = group[name].infer_from(drawn, periods_per_year, spec.confidence)
    return {name: each for name, each in inferred.items() if each is not None}


def resample_statistics(
    statistics: Mapping[str, StudentisedSharpe],
    block_length: float,
    resamples: int,
    rng: np.random.Generator,
) -> dict[str, Vector]:
    """Studentised statistics, all computed on the same resamples; shape (resamples,) each.

    Args:
        statistics: Statistics of books on the same bars; at least one.
        block_length: Mean length of the blocks.
        resamples: Number of resamples.
        rng: Its seed and the block length determine the stream drawn from; its state is unchanged.
    """
    # Importing Numba takes longer than reading the bars.
    from engine.evaluation.inference.compiled_resampling import studentise_resamples

    each = list(statistics.values())
    bars = each[0].bars
    cells = min(bars, MAX_CELLS)
    # A book that several statistics share is summed once.
    books = {id(book): book for statistic in each for book in statistic.books}
    index = {key: number for number, key in enumerate(books)}
    pairs = np.full((len(each), 2), -1)
    for pair, statistic in zip(pairs, each, strict=True):
        pair[: len(statistic.books)] = [index[id(book)] for book in statistic.books]
    returns = np.column_stack(list(books.values()))
    edges = circular_cell_edges(bars, cells)
    arguments = (
        # The sums at the edges alone fit into the cache of a processor.
        circular_cumsum(np.hstack([returns, returns**2]))[edges],
        edges,
        1.0 / max(1.0, block_length * cells / bars),
        pairs,
        np.array([statistic.estimate for statistic in each]),
    )
    streams = spawn_named_stream(rng, f"blocks of {block_length:g}").spawn(_PARTS)
    sizes = [len(part) for part in np.array_split(np.arange(resamples), _PARTS)]

    def draw(stream: np.random.Generator, count: int) -> Matrix:
        return studentise_resamples(stream, *arguments, count)

    if resamples * cells < _FEW_ROWS:
        drawn = np.hstack(list(map(draw, streams, sizes)))
    else:
        # Threads, since the compiled code runs outside of Python's lock.
        with ThreadPoolExecutor(min(_PARTS, os.cpu_count() or 1)) as pool:
            drawn = np.hstack(list(pool.map(draw, streams, sizes)))
    return dict(zip(statistics, drawn, strict=True))


def spawn_named_stream(rng: np.random.Generator, name: str) -> np.random.Generator:
    """Spawns a generator for `name` from the seed of `rng`, without changing its state.

    Spawned by name rather than by number, so that an additional book changes no other book's
    figures.
    """
    seed = cast("np.random.SeedSequence", rng.bit_generator.seed_seq)
    digest = hashlib.sha256(name.encode()).digest()
    words = (int.from_bytes(digest[start : start + 4], "little") for start in range(0, 16, 4))
    key = (*seed.spawn_key, *words)
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=key))


def _has_sharpe(returns: Vector) -> bool:
    """Whether there are enough bars, and the Sharpe ratio is defined."""
    return len(returns) >= MIN_BARS and sharpe(returns, 1.0) is not None


def trivial_inference(books: Sequence[Vector]) -> SharpeInference | None:
    """The result where no resampling is needed (no ratio, no difference); else None."""
    if not all(map(_has_sharpe, books)):
        return SharpeInference()
    first, *others = (book / np.std(book) for book in books)
    if any(np.allclose(first, other, rtol=0.0, atol=1e-9) for other in others):
        return SharpeInference(0.0, 0.0, 0.0, 1.0, 1.0)
    return None


def _shortest_block_length(bars: int) -> float:
    """One bar up to 400 bars, rising to four at 1,600; a cell where bars are drawn in cells.

    Where the optimal blocks are shorter these have the same coverage, with a quarter of the sums.
    """
    return max(1.0, min(_LONGEST_FLOOR_BARS, bars / _BARS_OF_A_FLOOR_BAR), bars / MAX_CELLS)


def _round_up_block_length(block_length: float) -> float:
    """To the next power of 2, above 8 bars of sqrt(2), so that blocks never get shorter."""
    steps = 1 if block_length <= _FINE_ABOVE_BARS else 2
    return float(2 ** (np.ceil(steps * np.log2(block_length) - 1e-9) / steps))


class StudentisedSharpe:
    """Sharpe(books[0]), or Sharpe(books[0]) - Sharpe(books[1]), and steps 1 to 5 of its test.

    `compiled_resampling` is step 3, the statistic and its standard error in each resample.

    Attributes:
        books: Net returns of the one or two books, shape (n,) each.
        bars: Number of bars.
        estimate: The statistic per bar, with moments that divide by n.
        standard_error: Its HAC standard error.
        block_length: Its optimal block length, rounded up.
    """

    def __init__(self, books: Sequence[Vector]) -> None:
        self.books = tuple(books)
        self.bars = len(books[0])
        # 1. The statistic is a function of the means of r and r^2; its influence values.
        moments = [power for book in books for power in (book, book**2)]
        means = np.array([[moment.mean()] for moment in moments])
        self.estimate = _sharpe_from_moments(means)[0]
        influence = (_sharpe_gradient(means) * (np.array(moments) - means)).sum(axis=0)
        self.standard_error = np.sqrt(long_run_variance(influence) / self.bars)
        # 2. To first order it is the mean of the influence values: use their block length.
        shortest = _shortest_block_length(self.bars)
        self.block_length = _round_up_block_length(max(shortest, optimal_block_length(influence)))

    def infer_from(
        self, resampled_statistics: Vector, periods_per_year: float, confidence: float
    ) -> SharpeInference:
        """4. The symmetric interval, and 5. the p-value."""
        half_width = self.standard_error * _upper_quantile(
            np.abs(resampled_statistics), confidence
        )
        observed = self.estimate / self.standard_error
        extreme = (
            resampled_statistics >= observed
            if len(self.books) == 1
            else np.abs(resampled_statistics) >= abs(observed)
        )
        # The moments here divide by n, return_metrics.sharpe by n - 1.
        scale = np.sqrt(periods_per_year * (self.bars - 1) / self.bars)
        bounded = bool(np.isfinite(half_width))
        return SharpeInference(
            estimate=float(self.estimate * scale),
            low=float((self.estimate - half_width) * scale) if bounded else None,
            high=float((self.estimate + half_width) * scale) if bounded else None,
            p_value=float((1 + extreme.sum()) / (1 + len(resampled_statistics))),
            block_length_bars=self.block_length,
        )


def _sharpe_from_moments(means: Matrix) -> Vector:
    """Sharpe ratio per bar, or difference of two, from rows of means of r, r^2 (, r', r'^2)."""
    ratios = means[0::2] / np.sqrt(means[1::2] - means[0::2] ** 2)
    return np.asarray(ratios[0] if len(ratios) == 1 else ratios[0] - ratios[1])


def _sharpe_gradient(means: Matrix) -> Matrix:
    """Derivatives of `_sharpe_from_moments` by each mean, same shape as `means`."""
    mean, square = means[0::2], means[1::2]
    cubed = (square - mean**2) ** 1.5
    gradient = np.empty_like(means)
    gradient[0::2] = square / cubed
    gradient[1::2] = -mean / (2 * cubed)
    gradient[2:] *= -1.0
    return gradient


def _upper_quantile(values: Vector, level: float) -> float:
    """Smallest value that a share of at least `level` does not exceed; infinite values count."""
    rank = int(np.ceil(level * len(values))) - 1
    return float(np.partition(values, rank)[rank])
