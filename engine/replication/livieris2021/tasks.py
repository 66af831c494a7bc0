"""The fit tasks of the networks, the arrays of each, and the predictions of the testing days."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.core.randomness import derive_seed
from engine.models import ModelInputs, TrainingSet
from engine.splits.scaling import StandardScaling, fit_scaler
from engine.training.task import FitTask

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector, WideFrame
    from engine.replication.livieris2021.protocol import PaperNetwork, PaperProtocol
    from engine.training.results import FitResults


def make_paper_tasks(closes: WideFrame, protocol: PaperProtocol, runs: int) -> list[FitTask]:
    """All fit tasks, ordered by run, so that an interrupted replication has completed whole runs.

    Args:
        closes: Closes of all coins and days.
        protocol: The protocol of the paper.
        runs: Number of fits of each network, lag and coin, each with a different seed.
    """
    arrays = [
        (contender, lag, coin, build_paper_arrays(closes, protocol, contender, lag, coin))
        for contender in protocol.contenders
        for lag in protocol.lags
        for coin in protocol.coins
    ]
    return [
        FitTask(
            book=_book_name(contender, lag),
            symbol=coin,
            window=0,
            seed_index=run,
            seed=derive_seed(protocol.seed, contender.name, f"lag {lag}", coin, run),
            model=contender.with_lookback(lag),
            training=protocol.training,
            training_set=training_set,
        )
        for run in range(runs)
        for contender, lag, coin, (training_set, _) in arrays
    ]


def predict_testing_days(
    closes: WideFrame, protocol: PaperProtocol, fits: FitResults
) -> list[Vector]:
    """The predicted difference of each testing day, for each fit that was not left out.

    Args:
        closes: Closes of all coins and days.
        protocol: The protocol of the paper.
        fits: Fits of `make_paper_tasks`.
    """
    testing = {
        (_book_name(contender, lag), coin): build_paper_arrays(
            closes, protocol, contender, lag, coin
        )[1]
        for contender in protocol.contenders
        for lag in protocol.lags
        for coin in protocol.coins
    }
    predicted = []
    for task, fitted in zip(fits.tasks, fits.outcomes, strict=True):
        if not isinstance(fitted, TrainingError):
            inputs = testing[task.book, task.symbol]
            rows = np.arange(task.model.lookback - 1, len(inputs.inputs))
            predicted.append(fitted.forecaster.predict(inputs, rows).returns)
    return predicted


def _book_name(contender: PaperNetwork, lag: int) -> str:
    return f"{contender.name} lag {lag}"


def build_paper_arrays(
    closes: WideFrame, protocol: PaperProtocol, network: PaperNetwork, lag: int, coin: str
) -> tuple[TrainingSet, ModelInputs]:
    """The arrays of one network: differences of days up to t, and the difference of day t + 1.

    Training and validation are concatenated. Each part is preceded by the last differences of the
    part before it, so that its first day can be forecast too. With `scaling: train` every sequence
    contains only differences of days before the forecast one, scaled by the mean and deviation of
    the training part.

    Args:
        closes: Closes of all coins and days.
        protocol: The protocol of the paper.
        network: The network that has these inputs.
        lag: Number of differences in a sequence.
        coin: The coin that is forecast.

    Returns:
        The training set, and the inputs of the testing days, whose rows from `lag` - 1 on are
        forecast.
    """
    used = list(protocol.coins) if network.inputs == "all" else [coin]
    inputs = _first_differences(closes[used].to_numpy())
    own = _first_differences(closes[[coin]].to_numpy())[:, 0]
    after = np.append(own[1:], np.nan)
    # The row of day t forecasts day t + 1; the first sequence ends with the lag-th difference.
    days = [range(lag + 1, protocol.split.training.stop), *protocol.split[1:]]
    blocks = [slice(part.start - lag, part.stop - 1) for part in days]
    starts = np.cumsum([0, *(block.stop - block.start for block in blocks[:2])])
    rows = [np.arange(start + lag - 1, stop, dtype=np.int64) for start, stop in pairwise(starts)]
    groups = tuple((column,) for column in range(len(used)))
    *fitted, testing = (
        part.astype(np.float32) for part in _scale_blocks(inputs, blocks, protocol)
    )
    training_set = TrainingSet(
        inputs=np.concatenate(fitted),
        target=np.concatenate([after[block] for block in blocks[:2]]),
        trailing=np.concatenate([own[block] for block in blocks[:2]]),
        groups=groups,
        train=rows[0],
        validation=rows[1],
    )
    return training_set, ModelInputs(inputs=testing, trailing=own[blocks[2]], groups=groups)


def _first_differences(closes: Matrix) -> Matrix:
    """(n, k) close minus the close of the day before; NaN on the first day."""
    first_day = np.full((1, closes.shape[1]), np.nan)
    return np.concatenate([first_day, np.diff(closes, axis=0)])


def _scale_blocks(values: Matrix, blocks: list[slice], protocol: PaperProtocol) -> list[Matrix]:
    parts = [values[block] for block in blocks]
    fitted = parts if protocol.scaling == "refit-on-test" else [parts[0]] * len(parts)
    return [
        fit_scaler(StandardScaling(), rows, range(len(rows))).transform(block)
        for rows, block in zip(fitted, parts, strict=True)
    ]
