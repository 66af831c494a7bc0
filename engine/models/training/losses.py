"""Losses; one formula for the compiled step and for the validation rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from engine.core.types import Spec

if TYPE_CHECKING:
    from engine.models.keras_types import Ops, Tensor


class TargetScale(NamedTuple):
    """Scale of the target over the train rows: raw return = mean + deviation x scaled return."""

    mean: Tensor
    std: Tensor


class LossBatch(NamedTuple):
    """The rows of a loss: NumPy arrays, or tensors inside a compiled step.

    Attributes:
        predicted: (batch, outputs) of the network, scaled by the train rows.
        target: (batch,), scaled the same way.
        mask: (batch,) bool; False on padding, which has no weight.
        scale: Scale that maps back to raw returns.
    """

    predicted: Tensor
    target: Tensor
    mask: Tensor
    scale: TargetScale

    @property
    def error(self) -> Tensor:
        """(batch,) forecast minus target."""
        return self.predicted[:, 0] - self.target

    @property
    def uncentred_returns(self) -> Tensor:
        """(batch,) raw returns in train deviations; the sign is that of the return."""
        return self.target + self.scale.mean / self.scale.std

    def position(self, ops: Ops, sharpness: float) -> Tensor:
        """(batch,) in -1..1, the position that the raw forecast stands for."""
        raw = self.predicted[:, 0] + self.scale.mean / self.scale.std
        return ops.tanh(sharpness * raw)

    def masked_mean(self, ops: Ops, values: Tensor) -> Tensor:
        """The mean over the real rows."""
        return ops.sum(ops.where(self.mask, values, 0.0)) / ops.sum(ops.where(self.mask, 1.0, 0.0))


class LossSpec(Spec, ABC):
    """A choice of loss."""

    requires_consecutive_rows: ClassVar[bool] = False
    """Whether a batch has to be a block of consecutive rows."""

    @abstractmethod
    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """The loss of one batch, a scalar.

        Args:
            ops: `numpy`, or `keras.ops` inside a compiled step.
            batch: Forecasts and targets.
        """


class MseLoss(LossSpec):
    """Mean of e^2, with e = y' - y in train deviations; its optimum is the mean."""

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
        delta: Error from which the loss is linear, in train deviations.
    """

    kind: Literal["huber"] = "huber"
    delta: float = Field(default=1.0, gt=0)

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Quadratic up to delta, linear beyond."""
        size = ops.abs(batch.error)
        near = ops.minimum(size, self.delta)
        return batch.masked_mean(ops, ops.square(near) / 2 + self.delta * (size - near))


class DirectionalLoss(LossSpec):
    """Squared error plus a penalty for the wrong sign: mean of e^2 + weight (|r| - s r).

    r is the raw return in train deviations and s = tanh(sharpness r') the sign of the forecast:
    the penalty is 0 for the right sign, weight |r| for none, 2 weight |r| for the wrong one. It is
    the mean absolute directional loss of Michankow, Sakowski & Slepaczuk (2023), with tanh for the
    sign, which has no gradient. With a penalty for wrong signs only, the best answer to a weak
    signal would be no forecast.

    Attributes:
        weight: Weight of the penalty relative to the squared error.
        sharpness: A forecast of 1 / sharpness deviations has the sign 0.76.
    """

    kind: Literal["directional"] = "directional"
    weight: float = Field(default=1.0, gt=0)
    sharpness: float = Field(default=3.0, gt=0)

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Squared error plus the penalty."""
        side = batch.position(ops, self.sharpness)
        charge = ops.abs(batch.uncentred_returns) - side * batch.uncentred_returns
        return batch.masked_mean(ops, ops.square(batch.error) + self.weight * charge)


class SharpeLoss(LossSpec):
    """Minus the Sharpe ratio per bar of the positions implied by the forecasts, net of cost.

    p_t = tanh(sharpness r'_t), n_t = p_t r_t - cost |p_t - p_(t-1)|, loss = -mean(n) / dev(n),
    with returns in train deviations. A batch is a block of consecutive rows, and the blocks are
    shuffled, because shuffled rows have no change of position. The first position of a block has
    no cost, because the one before it is in another batch. Over a horizon of h bars every bar's
    return is counted h times, and the cost should be multiplied by h as well. Source: Moody &
    Saffell (2001); Lim, Zohren & Roberts (2019) for the position as the network's output.

    The size of the forecasts is not calibrated to returns, only their order and sign; use a
    quantile signal rather than a threshold in bps.

    Attributes:
        cost_bps: Cost of a change of position by 1.
        sharpness: A forecast of 1 / sharpness deviations is a position of 76 %.
    """

    requires_consecutive_rows: ClassVar[bool] = True

    kind: Literal["sharpe"] = "sharpe"
    cost_bps: float = Field(default=10.0, ge=0)
    sharpness: float = Field(default=3.0, gt=0)

    def compute(self, ops: Ops, batch: LossBatch) -> Tensor:
        """Minus mean over standard deviation of the net returns."""
        position = batch.position(ops, self.sharpness)
        before = ops.concatenate([position[:1], position[:-1]])
        cost = self.cost_bps / 10_000 / batch.scale.std
        net = position * batch.uncentred_returns - cost * ops.abs(position - before)
        mean = batch.masked_mean(ops, net)
        # The floor, 1 % of the market's deviation, keeps the gradient finite. It also gives
        # positions near zero a ratio near zero; the ratio does not depend on their size.
        return -mean / ops.sqrt(batch.masked_mean(ops, ops.square(net - mean)) + 1e-4)


class QuantileLoss(LossSpec):
    """Pinball loss, mean of max(q (y - y'_q), (q - 1) (y - y'_q)) over levels q, one per output.

    Source: Koenker & Bassett (1978). The median is the forecast for signals; the others are
    available to the sizing. They are sorted in each row, so that none cross (Chernozhukov,
    Fernandez-Val & Galichon 2010).

    Attributes:
        levels: Ascending, including 0.5.
    """

    kind: Literal["quantile"] = "quantile"
    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.1, 0.5, 0.9)

    @field_validator("levels")
    @classmethod
    def _check_levels(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if list(levels) != sorted(set(levels)) or 0.5 not in levels:
            raise ValueError(
                "quantile levels must ascend and include 0.5, whose output is the forecast"
            )
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
    """Levels of the network's outputs; () where its one output is not a quantile."""
    return loss.levels if isinstance(loss, QuantileLoss) else ()
