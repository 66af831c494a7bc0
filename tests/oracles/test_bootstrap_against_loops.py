from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.inference import bootstrap
from engine.evaluation.inference.stationary_bootstrap import (
    BootstrapBlocks,
    circular_cumsum,
    draw_blocks,
)

BARS = 50


def rows_of(blocks: BootstrapBlocks, bars: int) -> np.ndarray:
    """The rows that the blocks stand for, one by one; shape (resamples, bars)."""
    rows = [
        row % bars
        for start, stop in zip(blocks.start, blocks.stop, strict=True)
        for row in range(start, stop)
    ]
    return np.array(rows).reshape(-1, bars)


@pytest.mark.parametrize("block_length", [1.0, 1.3, 4.0, 400.0])
def test_block_sums_are_the_sums_of_the_rows_drawn(block_length: float) -> None:
    values = np.random.default_rng(1).standard_normal(BARS)
    blocks = draw_blocks(np.random.default_rng(2), BARS, block_length, 200)
    np.testing.assert_allclose(
        blocks.resample_totals(blocks.block_sums(circular_cumsum(values))),
        values[rows_of(blocks, BARS)].sum(axis=1),
        atol=1e-12,
    )


@pytest.mark.parametrize("block_length", [1.0, 1.3, 4.0, 20.0])
def test_rows_are_drawn_as_arch_draws_them(block_length: float) -> None:
    from arch.bootstrap import StationaryBootstrap

    resamples = 4_000
    blocks = draw_blocks(np.random.default_rng(3), BARS, block_length, resamples)
    ours = rows_of(blocks, BARS)
    theirs = np.array(
        [
            data[0][0]
            for data in StationaryBootstrap(
                block_length, np.arange(BARS), seed=np.random.default_rng(4)
            ).bootstrap(resamples)
        ]
    )
    for rows in (ours, theirs):
        goes_on = (np.diff(rows, axis=1) % BARS == 1).mean()
        assert goes_on == pytest.approx(1 - 1 / block_length + 1 / (block_length * BARS), abs=0.01)
        # Every row is as likely, at the start of a resample and anywhere in it.
        for column in (0, 1, BARS - 1):
            share = np.bincount(rows[:, column], minlength=BARS) / resamples
            assert abs(share - 1 / BARS).max() < 0.013
    assert np.var(ours.mean(axis=1)) == pytest.approx(np.var(theirs.mean(axis=1)), rel=0.1)


@pytest.mark.parametrize("block_length", [1.0, 5.0])
@pytest.mark.parametrize("books", [1, 2])
def test_the_studentised_resamples_equal_a_loop_over_their_rows(
    block_length: float, books: int
) -> None:
    bars = 40
    data = [
        0.01 * (np.random.default_rng(seed).standard_normal(bars) + 0.2) for seed in range(books)
    ]
    blocks = draw_blocks(np.random.default_rng(5), bars, block_length, 60)
    result = bootstrap.StudentisedSharpe(data).studentise(blocks)
    signs = (1, -1)
    estimate = sum(s * book.mean() / book.std() for s, book in zip(signs, data, strict=False))
    edges = np.append(blocks.first_block, len(blocks.start))
    for resample, rows in enumerate(rows_of(blocks, bars)):
        statistic, influence = 0.0, np.zeros(bars)
        for sign, book in zip(signs, data, strict=False):
            drawn = book[rows]
            score = (drawn - drawn.mean()) / drawn.std()
            ratio = drawn.mean() / drawn.std()
            statistic += sign * ratio
            # Influence of one bar on a Sharpe ratio, Lo (2002).
            influence += sign * (score - ratio / 2 * (score**2 - 1))
        lengths = (blocks.stop - blocks.start)[edges[resample] : edges[resample + 1]]
        parts = np.split(influence, np.cumsum(lengths)[:-1])
        error = np.sqrt(sum(part.sum() ** 2 for part in parts)) / bars
        assert result[resample] == pytest.approx((statistic - estimate) / error, rel=1e-8)
