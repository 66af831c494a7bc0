"""What a network's last layer says: returns, and for a recursion the next bar's inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.models.training.losses import LossBatch, TargetScale, quantile_levels

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Cube, Matrix
    from engine.models.dataset import WindowDataset
    from engine.models.keras_types import Ops, Tensor
    from engine.models.training.losses import LossSpec


@dataclass(frozen=True)
class OutputLayout:
    """The columns of the last layer: the levels of each return, then the inputs.

    Attributes:
        n_returns: Returns that are forecast side by side.
        levels: Quantiles of each; () where its one output is none.
        n_inputs: Inputs of the next bar, which a recursion goes on from; 0 where there is none.
    """

    n_returns: int = 1
    levels: tuple[float, ...] = ()
    n_inputs: int = 0

    @classmethod
    def for_dataset(cls, dataset: WindowDataset, loss: LossSpec) -> OutputLayout:
        """What a problem asks of a network that is trained by a loss."""
        if dataset.recursive:
            return cls(1, quantile_levels(loss), dataset.inputs.shape[1])
        return cls(len(dataset.horizons), quantile_levels(loss))

    @property
    def columns_per_return(self) -> int:
        """Columns of one return."""
        return len(self.levels) or 1

    @property
    def n_columns(self) -> int:
        """Columns in all."""
        return self.n_returns * self.columns_per_return + self.n_inputs

    def compute_loss(self, loss: LossSpec, ops: Ops, batch: LossBatch) -> Tensor:
        """The mean of the returns' losses; the inputs' mean squared error is added to it.

        Args:
            loss: Of one return.
            ops: `numpy`, or `keras.ops` inside a compiled step.
            batch: `predicted` (batch, columns); `target` (batch, returns + inputs); `scale` holds
                arrays, a value a return.
        """
        total = sum(
            loss.compute(ops, self._slice_return(batch, place)) for place in range(self.n_returns)
        )
        mean = total / self.n_returns
        if not self.n_inputs:
            return mean
        error = batch.predicted[:, -self.n_inputs :] - batch.target[:, -self.n_inputs :]
        return mean + batch.masked_mean(ops, ops.mean(ops.square(error), axis=1))

    def to_returns(self, outputs: npt.NDArray[np.float32], scale: TargetScale) -> Cube:
        """(n, returns, width) raw returns, the quantiles of each in ascending order.

        Args:
            outputs: (n, columns).
            scale: Of the training target.
        """
        shape = (len(outputs), self.n_returns, self.columns_per_return)
        returns: Cube = (
            outputs[:, : self.n_returns * self.columns_per_return]
            .reshape(shape)
            .astype(np.float64)
        )
        returns.sort(axis=2)  # in place, as what follows: of a million rows a copy counts
        returns *= scale.std[:, None]
        returns += scale.mean[:, None]
        return returns

    @property
    def median_index(self) -> int:
        """Which of a return's columns is the forecast: its median."""
        return self.levels.index(0.5) if self.levels else 0

    def _slice_return(self, batch: LossBatch, index: int) -> LossBatch:
        first = index * self.columns_per_return
        return LossBatch(
            batch.predicted[:, first : first + self.columns_per_return],
            batch.target[:, index],
            batch.mask,
            TargetScale(batch.scale.mean[index], batch.scale.std[index]),
        )


def scale_target(dataset: WindowDataset) -> tuple[Matrix, TargetScale]:
    """What the outputs are trained towards: (n, returns + inputs), and the returns' scale.

    Returns are scaled to zero mean and unit variance over the train rows; the inputs of the next
    bar, where the problem is recursive, are scaled already.

    Raises:
        TrainingError: A return does not vary over the train rows.
    """
    target = dataset.target.reshape(len(dataset.target), -1)
    truth = target[dataset.train]
    scale = TargetScale(truth.mean(axis=0), truth.std(axis=0))
    if not (scale.std > 0).all():
        raise TrainingError(
            "the target does not vary over the train rows",
            expected="returns that differ",
            found=f"{scale.mean[np.argmin(scale.std)]:g} on all {len(truth)} rows",
            fix="lengthen windows.train, or check the bars for a stale run",
        )
    scaled: Matrix = target - scale.mean
    scaled /= scale.std
    if dataset.recursive:
        after = np.full(dataset.inputs.shape, np.nan)
        after[:-1] = dataset.inputs[1:]
        scaled = np.column_stack([scaled, after])
    return scaled, scale
