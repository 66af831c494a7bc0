from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.evaluation.inference.compiled_resampling import draw_blocks, studentise_resamples
from engine.evaluation.inference.stationary_bootstrap import circular_cell_edges, circular_cumsum

if TYPE_CHECKING:
    from collections.abc import Iterator

BARS = 50
PAIRS = [(0, -1), (1, -1), (0, 1), (2, 0)]
"""Statistics: the Sharpe ratio of a book, or that of the first less that of the second."""

Blocks = tuple[np.ndarray, np.ndarray]


def resamples_of(
    rng: np.random.Generator, rows: int, block_length: float, count: int
) -> Iterator[Blocks]:
    """Starts and lengths of the blocks of each resample."""
    for _ in range(count):
        starts, lengths = np.zeros((2, rows), dtype=np.int64)
        blocks = draw_blocks(rng, rows, 1 / block_length, starts, lengths)
        yield starts[:blocks], lengths[:blocks]


def rows_of(blocks: Blocks, rows: int) -> np.ndarray:
    """The rows that the blocks stand for, one by one; shape (rows,)."""
    return np.concatenate(
        [np.arange(start, start + length) % rows for start, length in zip(*blocks, strict=True)]
    )


@pytest.mark.parametrize("block_length", [1.0, 1.3, 4.0, 20.0])
def test_rows_are_drawn_as_arch_draws_them(block_length: float) -> None:
    from arch.bootstrap import StationaryBootstrap

    count = 4_000
    rng = np.random.default_rng(3)
    ours = np.array(
        [rows_of(blocks, BARS) for blocks in resamples_of(rng, BARS, block_length, count)]
    )
    theirs = np.array(
        [
            data[0][0]
            for data in StationaryBootstrap(
                block_length, np.arange(BARS), seed=np.random.default_rng(4)
            ).bootstrap(count)
        ]
    )
    for rows in (ours, theirs):
        goes_on = (np.diff(rows, axis=1) % BARS == 1).mean()
        assert goes_on == pytest.approx(1 - 1 / block_length + 1 / (block_length * BARS), abs=0.01)
        # Every row is as likely, at the start of a resample and anywhere in it.
        for column in (0, 1, BARS - 1):
            share = np.bincount(rows[:, column], minlength=BARS) / count
            assert abs(share - 1 / BARS).max() < 0.013
    assert np.var(ours.mean(axis=1)) == pytest.approx(np.var(theirs.mean(axis=1)), rel=0.1)


@pytest.mark.parametrize("cells", [BARS, 25])
@pytest.mark.parametrize("block_length", [1.0, 5.0])
def test_the_studentised_resamples_equal_a_loop_over_their_rows(
    block_length: float, cells: int
) -> None:
    books = 0.01 * (np.random.default_rng(1).standard_normal((3, BARS)) + 0.2)
    sharpes = books.mean(axis=1) / books.std(axis=1)
    estimates = np.array(
        [sharpes[book] - (sharpes[other] if other >= 0 else 0.0) for book, other in PAIRS]
    )
    edges = circular_cell_edges(BARS, cells)
    result = studentise_resamples(
        np.random.default_rng(5),
        circular_cumsum(np.vstack([books, books**2]).T)[edges],
        edges,
        1 / block_length,
        np.array(PAIRS),
        estimates,
        60,
    )
    size = BARS // cells
    drawn = list(resamples_of(np.random.default_rng(5), cells, block_length, 60))
    for resample, (starts, lengths) in enumerate(drawn):
        if len(starts) == 1:
            assert np.isinf(result[:, resample]).all()
            continue
        rows = rows_of((starts * size, lengths * size), BARS)
        ratio = books[:, rows].mean(axis=1) / books[:, rows].std(axis=1)
        score = (books[:, rows] - books[:, rows].mean(axis=1, keepdims=True)) / books[:, rows].std(
            axis=1, keepdims=True
        )
        # Influence of one bar on a Sharpe ratio, Lo (2002).
        influence = score - ratio[:, None] / 2 * (score**2 - 1)
        for statistic, (book, other) in enumerate(PAIRS):
            value, of_bars = ratio[book], influence[book]
            if other >= 0:
                value, of_bars = value - ratio[other], of_bars - influence[other]
            parts = np.split(of_bars, np.cumsum(lengths * size)[:-1])
            error = np.sqrt(sum(part.sum() ** 2 for part in parts)) / BARS
            expected = (value - estimates[statistic]) / error
            assert result[statistic, resample] == pytest.approx(expected, rel=1e-8)


def test_a_resample_without_a_move_counts_as_infinite() -> None:
    book = np.zeros(BARS)
    book[0] = 0.01
    result = studentise_resamples(
        np.random.default_rng(0),
        circular_cumsum(np.column_stack([book, book**2])),
        circular_cell_edges(BARS, BARS),
        1.0,
        np.array([(0, -1)]),
        np.array([book.mean() / book.std()]),
        500,
    )
    without = np.array(
        [
            0 not in rows_of(blocks, BARS)
            for blocks in resamples_of(np.random.default_rng(0), BARS, 1.0, 500)
        ]
    )
    assert 0.2 < without.mean() < 0.6
    np.testing.assert_array_equal(np.isinf(result[0]), without)
