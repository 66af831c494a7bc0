"""The compiled paths against the metrics of the same bars, block by block."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.inference.compiled_paths import simulate_paths, summarise_cells
from engine.evaluation.inference.compiled_resampling import draw_blocks
from engine.evaluation.metrics.return_metrics import (
    longest_drawdown_bars,
    max_drawdown,
    total_return,
)

BARS, BOOKS, RESAMPLES = 420, 2, 25
HORIZONS = (200, 420, 700)
BEGIN = 0.1


def drawn_rows(edges: np.ndarray, last: int) -> list[np.ndarray]:
    """The rows of each resample, cell after cell, from the same draws."""
    rng, cells = np.random.default_rng(3), len(edges) - 1
    resamples = []
    for _ in range(RESAMPLES):
        parts: list[np.ndarray] = []
        while sum(map(len, parts)) < last:
            starts, lengths = np.empty(cells, np.int64), np.empty(cells, np.int64)
            for block in range(draw_blocks(rng, cells, BEGIN, starts, lengths)):
                for offset in range(lengths[block]):
                    cell = (starts[block] + offset) % cells
                    if sum(map(len, parts)) < last:
                        parts.append(np.arange(edges[cell], edges[cell + 1]))
        resamples.append(parts)
    return resamples


def until(parts: list[np.ndarray], bars: int) -> np.ndarray:
    """The rows up to the end of the cell that reaches so many bars."""
    sizes = np.cumsum([len(part) for part in parts])
    return np.concatenate(parts[: int(np.searchsorted(sizes, bars)) + 1])


@pytest.mark.parametrize("cells", [BARS, 60, 7])
def test_paths_have_the_metrics_of_their_bars(cells: int) -> None:
    returns = 0.02 * np.random.default_rng(0).standard_t(3, (BARS, BOOKS))
    returns[5, 1] = -0.6
    edges = np.arange(cells + 1) * BARS // cells
    figures, tops = summarise_cells(np.log1p(returns), edges)
    paths = simulate_paths(
        np.random.default_rng(3),
        figures,
        tops,
        np.diff(edges),
        BEGIN,
        np.array(HORIZONS),
        RESAMPLES,
    )
    slack = BARS // cells - 1
    for resample, parts in enumerate(drawn_rows(edges, HORIZONS[-1])):
        for horizon, bars in enumerate(HORIZONS):
            rows = until(parts, bars)
            for book in range(BOOKS):
                path = returns[rows, book]
                depth, under_water, growth = paths[horizon, book, :, resample]
                assert depth == pytest.approx(-max_drawdown(path), abs=1e-12)
                assert growth == pytest.approx(total_return(path), abs=1e-10)
                assert 0 <= under_water - longest_drawdown_bars(path) <= slack
