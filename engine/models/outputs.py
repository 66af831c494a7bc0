"""What a network's last layer says: returns, and for a recursion the next bar's inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import RefitError
from engine.models.losses import Batch, Scale, levels_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.models.forecaster import Problem
    from engine.models.losses import LossSpec
    from engine.models.untyped import Ops, Tensor
    from engine.types import Cube, Matrix


@dataclass(frozen=True)
class Outputs:
    """The columns of the last layer: the levels of each return, then the inputs.

    Attributes:
        returns: Returns that are forecast side by side.
        levels: Quantiles of each; () where its one output is none.
        inputs: Inputs of the next bar, which a recursion goes on from; 0 where there is none.
    """

    returns: int = 1
    levels: tuple[float, ...] = ()
    inputs: int = 0

    @classmethod
    def of(cls, problem: Problem, loss: LossSpec) -> Outputs:
        """What a problem asks of a network that is trained by a loss."""
        if problem.recursive:
            return cls(1, levels_of(loss), problem.inputs.shape[1])
        return cls(len(problem.horizons), levels_of(loss))

    @property
    def width(self) -> int:
        """Columns of one return."""
        return len(self.levels) or 1

    @property
    def columns(self) -> int:
        """Columns in all."""
        return self.returns * self.width + self.inputs

    def loss(self, loss: LossSpec, ops: Ops, seen: Batch) -> Tensor:
        """The mean of the returns' losses; the inputs' mean squared error is added to it.

        Args:
            loss: Of one return.
            ops: `numpy`, or `keras.ops` inside a compiled step.
            seen: `predicted` (batch, columns); `target` (batch, returns + inputs); `scale` holds
                arrays, a value a return.
        """
        total = sum(loss.value(ops, self._one(seen, place)) for place in range(self.returns))
        mean = total / self.returns
        if not self.inputs:
            return mean
        error = seen.predicted[:, -self.inputs :] - seen.target[:, -self.inputs :]
        return mean + seen.mean(ops, ops.mean(ops.square(error), axis=1))

    def in_returns(self, outputs: npt.NDArray[np.float32], scale: Scale) -> Cube:
        """(n, returns, width) raw returns, the quantiles of each in ascending order.

        Args:
            outputs: (n, columns).
            scale: Of the training target.
        """
        shape = (len(outputs), self.returns, self.width)
        returns: Cube = outputs[:, : self.returns * self.width].reshape(shape).astype(np.float64)
        returns.sort(axis=2)  # in place, as what follows: of a million rows a copy counts
        returns *= scale.deviation[:, None]
        returns += scale.mean[:, None]
        return returns

    @property
    def middle(self) -> int:
        """Which of a return's columns is the forecast: its median."""
        return self.levels.index(0.5) if self.levels else 0

    def _one(self, seen: Batch, place: int) -> Batch:
        first = place * self.width
        return Batch(
            seen.predicted[:, first : first + self.width],
            seen.target[:, place],
            seen.real,
            Scale(seen.scale.mean[place], seen.scale.deviation[place]),
        )


def scaled_target(problem: Problem) -> tuple[Matrix, Scale]:
    """What the outputs are trained towards: (n, returns + inputs), and the returns' scale.

    Returns are scaled to zero mean and unit variance over the train rows; the inputs of the next
    bar, where the problem is recursive, are scaled already.

    Raises:
        RefitError: A return does not vary over the train rows.
    """
    target = problem.target.reshape(len(problem.target), -1)
    truth = target[problem.train]
    scale = Scale(truth.mean(axis=0), truth.std(axis=0))
    if not (scale.deviation > 0).all():
        raise RefitError(
            "the target does not vary over the train rows",
            expected="returns that differ",
            found=f"{scale.mean[np.argmin(scale.deviation)]:g} on all {len(truth)} rows",
            fix="lengthen windows.train, or check the bars for a stale run",
        )
    scaled: Matrix = target - scale.mean
    scaled /= scale.deviation
    if problem.recursive:
        after = np.full(problem.inputs.shape, np.nan)
        after[:-1] = problem.inputs[1:]
        scaled = np.column_stack([scaled, after])
    return scaled, scale
