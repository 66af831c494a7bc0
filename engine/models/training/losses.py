"""What training minimises; one formula for the compiled step and for the validation rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from engine.core.types import Spec

if TYPE_CHECKING:
    from engine.models.keras_types import Ops, Tensor


class TargetScale(NamedTuple):
    """Of the target over the train rows: raw return = mean + deviation x scaled return."""

    mean: Tensor
    std: Tensor


class LossBatch(NamedTuple):
    """What a loss sees: rows of NumPy arrays, or of tensors inside a compiled step.

    Attributes:
        predicted: (batch, outputs) of the network, in deviations from the train mean.
        target: (batch,) scaled the same way.
        mask: (batch,) bool; False on padding, which counts nothing.
        scale: Back to raw returns.
    """

    predicted: Tensor
    target: Tensor
    mask: Tensor
    scale: TargetScale

    @property
    def error(self) -> Tensor:
        """(batch,) forecast less target."""
        return self.predicted[:, 0] - self.target

    @property
    def uncentred_returns(self) -> Tensor:
        """(batch,) raw returns in deviations; the scaled target's sign is not the market's."""
        return self.target + self.scale.mean / self.scale.std

    def position(self, ops: Ops, sharpness: float) -> Tensor:
        """(batch,) in -1..1, the side of the raw forecast and how far it is taken."""
        raw = self.predicted[:, 0] + self.scale.mean / self.scale.std
        return ops.tanh(sharpness * raw)

    def masked_mean(self, ops: Ops, values: Tensor) -> Tensor:
        """Over the real rows."""
        return ops.sum(ops.where(self.mask, values, 0.0)) / ops.sum(ops.where(self.mask, 1.0, 0.0))


class LossSpec(Spec, ABC):
    """A choice of loss."""

    requires_consecutive_rows: ClassVar[bool] = False
    """Whether a batch has to be a stretch of consecutive rows."""

    @abstractmethod
    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """The loss of one batch, a scalar.

        Args:
            ops: `numpy`, or `keras.ops` inside a compiled step.
            batch: What was forecast and what came.
        """


class MseLoss(LossSpec):
    """Mean of e^2, e = y' - y in deviations of the train rows; its optimum is the mean."""

    kind: Literal["mse"] = "mse"

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Mean squared error."""
        return batch.masked_mean(ops, ops.square(batch.error))


class MaeLoss(LossSpec):
    """Mean of |e|; its optimum is the median."""

    kind: Literal["mae"] = "mae"

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Mean absolute error."""
        return batch.masked_mean(ops, ops.abs(batch.error))


class HuberLoss(LossSpec):
    """Mean of e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2) (Huber 1964).

    Attributes:
        delta: Where squares turn into absolute values, in deviations of the train rows.
    """

    kind: Literal["huber"] = "huber"
    delta: float = Field(default=1.0, gt=0)

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Squares near zero, absolute values beyond."""
        size = ops.abs(batch.error)
        near = ops.minimum(size, self.delta)
        return batch.masked_mean(ops, ops.square(near) / 2 + self.delta * (size - near))


class DirectionalLoss(LossSpec):
    """Squared error plus a charge for the wrong side: mean of e^2 + weight (|r| - s r).

    r is the raw return in deviations and s = tanh(sharpness r') the side the forecast takes: the
    right side costs nothing more, no side weight |r|, the wrong one 2 weight |r|. It is the mean
    absolute directional loss of Michankow, Sakowski & Slepaczuk (2023), with tanh for the sign,
    which has no gradient. Where only wrong signs cost more than no sign, a weak signal is best
    answered by no forecast at all; here it is not.

    Attributes:
        weight: Of the side, against the squared error.
        sharpness: A forecast of 1 / sharpness deviations takes 76 % of its side.
    """

    kind: Literal["directional"] = "directional"
    weight: float = Field(default=1.0, gt=0)
    sharpness: float = Field(default=3.0, gt=0)

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Squared error and the charge."""
        side = batch.position(ops, self.sharpness)
        charge = ops.abs(batch.uncentred_returns) - side * batch.uncentred_returns
        return batch.masked_mean(ops, ops.square(batch.error) + self.weight * charge)


class SharpeLoss(LossSpec):
    """Minus the Sharpe ratio a bar of the positions that the forecasts stand for, net of cost.

    p_t = tanh(sharpness r'_t), n_t = p_t r_t - cost |p_t - p_(t-1)|, loss = -mean(n) / dev(n),
    with returns in deviations of the train rows. A batch is a stretch of consecutive rows, and
    the stretches are shuffled: shuffled rows have no change of position. The first position of a
    stretch is free, since the one before it lies in another batch. Over a horizon of h bars every
    bar's return is counted h times, and the cost should be as well. Source: Moody & Saffell
    (2001); Lim, Zohren & Roberts (2019) for the position straight from the network.

    Nothing ties the forecasts' size to the size of returns: their order and side mean something,
    so a quantile signal suits them better than a threshold in bps.

    Attributes:
        cost_bps: Of a change of position by 1.
        sharpness: A forecast of 1 / sharpness deviations is a position of 76 %.
    """

    requires_consecutive_rows: ClassVar[bool] = True

    kind: Literal["sharpe"] = "sharpe"
    cost_bps: float = Field(default=10.0, ge=0)
    sharpness: float = Field(default=3.0, gt=0)

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Minus mean over deviation of the net returns."""
        position = batch.position(ops, self.sharpness)
        before = ops.concatenate([position[:1], position[:-1]])
        cost = self.cost_bps / 10_000 / batch.scale.std
        net = position * batch.uncentred_returns - cost * ops.abs(position - before)
        mean = batch.masked_mean(ops, net)
        # The floor keeps the gradient finite; being 1 % of the market's deviation, it also makes
        # a book of vanishing positions worth nothing, where the ratio alone would not mind.
        return -mean / ops.sqrt(batch.masked_mean(ops, ops.square(net - mean)) + 1e-4)


class QuantileLoss(LossSpec):
    """Pinball loss, mean of max(q (y - y'_q), (q - 1) (y - y'_q)) over quantiles q, one an output.

    Source: Koenker & Bassett (1978). The median is the forecast that signals see; the others
    reach sizing. They are sorted row by row, so that none crosses another (Chernozhukov,
    Fernandez-Val & Galichon 2010).

    Attributes:
        levels: Ascending, 0.5 among them.
    """

    kind: Literal["quantile"] = "quantile"
    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.1, 0.5, 0.9)

    @field_validator("levels")
    @classmethod
    def _check_levels(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if list(levels) != sorted(set(levels)) or 0.5 not in levels:
            raise ValueError("quantile levels ascend and hold 0.5, whose output is the forecast")
        return levels

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Mean pinball loss."""
        levels = np.array(self.levels, dtype=np.float32)
        error = batch.target[:, None] - batch.predicted
        pinball = ops.maximum(levels * error, (levels - 1) * error)
        return batch.masked_mean(ops, ops.mean(pinball, axis=1))


Loss = Annotated[
    MseLoss | MaeLoss | HuberLoss | DirectionalLoss | SharpeLoss | QuantileLoss,
    Field(discriminator="kind"),
]


def quantile_levels(loss: LossSpec) -> tuple[float, ...]:
    """The quantiles that the network's outputs stand for; () where its one output is none."""
    return loss.levels if isinstance(loss, QuantileLoss) else ()
