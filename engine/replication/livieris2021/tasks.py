"""The networks' fits: which there are, and the arrays of each."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.core.randomness import derive_seed
from engine.models import WindowDataset
from engine.splits.scaling import StandardScaling, fit_scaler
from engine.training.task import FitTask

if TYPE_CHECKING:
    from engine.core.types import Matrix, WideFrame
    from engine.replication.livieris2021.protocol import PaperNetwork, PaperProtocol


def make_paper_tasks(closes: WideFrame, protocol: PaperProtocol, runs: int) -> list[FitTask]:
    """Every fit, run after run, so that one that was interrupted leaves whole runs behind.

    Args:
        closes: Of all coins and days.
        protocol: Networks, lags and training.
        runs: Fits of each network, lag and coin, each from a seed of its own.
    """
    cells = [
        (contender, lag, coin, build_paper_dataset(closes, protocol, contender, lag, coin))
        for contender in protocol.contenders
        for lag in protocol.lags
        for coin in protocol.coins
    ]
    return [
        FitTask(
            book=f"{contender.name} lag {lag}",
            symbol=coin,
            window=0,
            seed_index=run,
            seed=derive_seed(protocol.seed, contender.name, f"lag {lag}", coin, run),
            model=contender.with_lookback(lag),
            training=protocol.training,
            dataset=problem,
        )
        for run in range(runs)
        for contender, lag, coin, problem in cells
    ]


def build_paper_dataset(
    closes: WideFrame, protocol: PaperProtocol, network: PaperNetwork, lag: int, coin: str
) -> WindowDataset:
    """The arrays of one network: differences of days up to t, and the one of the day after.

    The parts stand one behind the other, each with the last differences of the part before in
    front of it, so that its first day can be forecast too. Nothing of a testing day is learnt
    from: its target is NaN here, and with `scaling: train` every sequence holds nothing but
    differences of days before the one that is forecast, scaled by what the training part knew.

    Args:
        closes: Of all coins and days.
        protocol: Split and scaling.
        network: Whose inputs.
        lag: Differences in a sequence.
        coin: Which is forecast.
    """
    used = list(protocol.coins) if network.inputs == "all" else [coin]
    before = _first_differences(closes[used].to_numpy())
    own = _first_differences(closes[[coin]].to_numpy())[:, 0]
    after = np.append(own[1:], np.nan)
    # The row of day t forecasts day t + 1; the first sequence ends with the lag-th difference.
    days = [range(lag + 1, protocol.split.training.stop), *protocol.split[1:]]
    blocks = [slice(part.start - lag, part.stop - 1) for part in days]
    starts = np.cumsum([0, *(block.stop - block.start for block in blocks)])
    rows = [np.arange(start + lag - 1, stop, dtype=np.int64) for start, stop in pairwise(starts)]
    target = np.concatenate([after[block] for block in blocks])
    target[rows[2]] = np.nan
    return WindowDataset(
        inputs=np.concatenate(_scale_blocks(before, blocks, protocol)).astype(np.float32),
        target=target,
        trailing=np.concatenate([own[block] for block in blocks]),
        groups=tuple((column,) for column in range(len(used))),
        train=rows[0],
        validation=rows[1],
        test=rows[2],
    )


def _first_differences(closes: Matrix) -> Matrix:
    """(n, k) close less the close of the day before; NaN on the first day."""
    nothing = np.full((1, closes.shape[1]), np.nan)
    return np.concatenate([nothing, np.diff(closes, axis=0)])


def _scale_blocks(values: Matrix, blocks: list[slice], protocol: PaperProtocol) -> list[Matrix]:
    cut = [values[block] for block in blocks]
    fitted = cut if protocol.scaling == "refit-on-test" else [cut[0]] * len(cut)
    return [
        fit_scaler(StandardScaling(), rows, range(len(rows))).transform(block)
        for rows, block in zip(fitted, cut, strict=True)
    ]
