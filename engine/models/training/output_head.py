"""The outputs of a network: returns, and for a recursive forecast the next bar's inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.models.training.losses import LossBatch, TargetScale, quantile_levels

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Cube, Matrix
    from engine.models.dataset import ColumnGroups, ModelInputs, TrainingSet
    from engine.models.keras_types import KerasModel, Ops, Tensor
    from engine.models.training.losses import LossSpec
    from engine.models.training.trainable_network import TrainableNetwork


@dataclass(frozen=True)
class OutputLayout:
    """Columns of the last layer: the levels of each return, then the inputs.

    Attributes:
        n_returns: Returns that are forecast together.
        levels: Quantile levels of each; () where its one output is not a quantile.
        n_inputs: Inputs of the next bar, from which a recursive forecast continues; else 0.
        symbols: Whose returns are forecast together, as many of each, symbol by symbol; () where
            the returns are of one.
        embedded: Symbols that have a vector of their own among the inputs.
    """

    n_returns: int = 1
    levels: tuple[float, ...] = ()
    n_inputs: int = 0
    symbols: tuple[str, ...] = ()
    embedded: int = 0

    @classmethod
    def for_inputs(cls, inputs: ModelInputs, loss: LossSpec) -> OutputLayout:
        """The columns for some inputs and a loss."""
        if inputs.recursive:
            return cls(1, quantile_levels(loss), inputs.inputs.shape[1])
        count = len(inputs.horizons) * max(1, len(inputs.symbols))
        return cls(
            count,
            quantile_levels(loss),
            symbols=inputs.symbols,
            embedded=len(inputs.embedded),
        )

    def build_model(
        self, network: TrainableNetwork, branches: tuple[ColumnGroups, ...]
    ) -> KerasModel:
        """The network with these outputs."""
        if self.symbols:
            return network.build_joint_model(branches, self.n_columns, self.symbols)
        if self.embedded:
            return network.build_embedded_model(branches, self.n_columns, self.embedded)
        return network.build_model(branches, self.n_columns)

    @property
    def columns_per_return(self) -> int:
        """Number of columns of one return."""
        return len(self.levels) or 1

    @property
    def n_columns(self) -> int:
        """Number of all columns."""
        return self.n_returns * self.columns_per_return + self.n_inputs

    def compute_loss(self, loss: LossSpec, ops: Ops, batch: LossBatch) -> Tensor:
        """The mean of the returns' losses, plus the mean squared error of the inputs.

        Args:
            loss: Loss of one return.
            ops: `numpy`, or `keras.ops` inside a compiled step.
            batch: `predicted` (batch, columns); `target` (batch, returns + inputs); `scale` holds
                arrays with a value for each return. A return of one of several symbols may be
                NaN, and has no weight then.
        """
        if self.symbols:
            return loss.compute(ops, self._stack_returns(ops, batch))
        total = sum(
            loss.compute(ops, self._slice_return(batch, index)) for index in range(self.n_returns)
        )
        mean = total / self.n_returns
        if not self.n_inputs:
            return mean
        error = batch.predicted[:, -self.n_inputs :] - batch.target[:, -self.n_inputs :]
        return mean + batch.masked_mean(ops, ops.mean(ops.square(error), axis=1))

    def to_returns(self, outputs: npt.NDArray[np.float32], scale: TargetScale) -> Cube:
        """(n, returns, levels) raw returns, the quantiles of each in ascending order.

        Args:
            outputs: (n, columns).
            scale: Scale of the training target.
        """
        shape = (len(outputs), self.n_returns, self.columns_per_return)
        returns: Cube = (
            outputs[:, : self.n_returns * self.columns_per_return]
            .reshape(shape)
            .astype(np.float64)
        )
        if self.columns_per_return > 1:
            returns.sort(
                axis=2
            )  # in place, like the next lines: a copy of a million rows is large
        returns *= scale.std[:, None]
        returns += scale.mean[:, None]
        return returns

    @property
    def median_index(self) -> int:
        """Index of the forecast, the median, among the columns of a return."""
        return self.levels.index(0.5) if self.levels else 0

    def _stack_returns(self, ops: Ops, batch: LossBatch) -> LossBatch:
        """The returns of all symbols as rows of one loss, those that are not known masked."""
        known = ops.isfinite(batch.target)
        mask = ops.logical_and(batch.mask[:, None], known)
        rows = ops.zeros_like(batch.target)

        def flat(values: Tensor) -> Tensor:
            return ops.reshape(values + rows, (-1,))

        return LossBatch(
            ops.reshape(batch.predicted, (-1, self.columns_per_return)),
            ops.reshape(ops.where(known, batch.target, 0.0), (-1,)),
            ops.reshape(mask, (-1,)),
            TargetScale(flat(batch.scale.mean), flat(batch.scale.std)),
        )

    def _slice_return(self, batch: LossBatch, index: int) -> LossBatch:
        first = index * self.columns_per_return
        return LossBatch(
            batch.predicted[:, first : first + self.columns_per_return],
            batch.target[:, index],
            batch.mask,
            TargetScale(batch.scale.mean[index], batch.scale.std[index]),
        )


def scale_target(training_set: TrainingSet) -> tuple[Matrix, TargetScale]:
    """Targets of the outputs, (n, returns + inputs), and the returns' scale.

    Returns are scaled to zero mean and unit variance over the train rows. The inputs of the next
    bar, which are targets of a recursive forecast, are scaled already.

    Of several symbols, each return is scaled by the rows at which it is known; one that is known
    at none keeps its scale.

    Raises:
        TrainingError: A return does not vary over the train rows.
    """
    target = training_set.target.reshape(len(training_set.target), -1)
    train = target[training_set.train]
    scale = (
        _scale_known(train)
        if training_set.symbols
        else TargetScale(train.mean(axis=0), train.std(axis=0))
    )
    if not (scale.std > 0).all():
        raise TrainingError(
            "the target does not vary over the train rows",
            expected="returns that differ",
            found=f"{scale.mean[np.argmin(scale.std)]:g} on all {len(train)} rows",
            fix="lengthen windows.train, or check the bars for stale prices",
        )
    scaled: Matrix = target - scale.mean
    scaled /= scale.std
    if training_set.recursive:
        next_inputs = np.full(training_set.inputs.shape, np.nan)
        next_inputs[:-1] = training_set.inputs[1:]
        scaled = np.column_stack([scaled, next_inputs])
    return scaled, scale


def _scale_known(train: Matrix) -> TargetScale:
    """Mean and deviation of the known returns of each column; 0 and 1 without one."""
    unknown = np.isnan(train).all(axis=0)
    known = np.where(unknown, 0.0, train)
    return TargetScale(np.nanmean(known, axis=0), np.where(unknown, 1.0, np.nanstd(known, axis=0)))
