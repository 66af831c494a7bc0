"""TCN: dilated causal convolutions; the dilation doubles with each block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field
from typing_extensions import override

from engine.models.networks.base import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.keras_types import Tensor


class Tcn(Network):
    """Blocks x <- relu(x + F(x)), F two causal convolutions of dilation 2^b, b = 0, 1, ...

    Step t of a causal convolution depends on steps t, t - d, .., t - (kernel - 1) d only; the
    receptive field of b blocks is 1 + 2 (kernel - 1) (2^b - 1) steps. Only the newest step is
    passed on.
    Shapes: (batch, lookback, k) -> (batch, lookback, filters) -> (batch, filters).
    Source: Bai, Kolter & Koltun (2018), "An Empirical Evaluation of Generic Convolutional and
    Recurrent Networks for Sequence Modeling", section 3; without its weight normalisation.

    Attributes:
        filters: Filters of every convolution.
        kernel: Taps of every convolution.
        blocks: Residual blocks; None takes the fewest whose receptive field covers the lookback.
        dropout: Share of the channels that is dropped after each convolution in training.
    """

    kind: Literal["tcn"] = "tcn"
    filters: int = Field(default=32, ge=1, le=512)
    kernel: int = Field(default=3, ge=2, le=16)
    blocks: int | None = Field(default=None, ge=1, le=10)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @property
    def depth(self) -> int:
        """Number of residual blocks that are built."""
        if self.blocks is not None:
            return self.blocks
        return next(b for b in range(1, 11) if self._receptive_field(b) >= self.lookback)

    def _receptive_field(self, blocks: int) -> int:
        return 1 + 2 * (self.kernel - 1) * ((1 << blocks) - 1)

    @override
    def build_backbone(
        self,
        series: Sequence[Tensor],
        normalise: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """All series concatenated as channels."""
        import keras

        x = keras.ops.concatenate(series, axis=-1)
        for number in range(self.depth):
            x = self._block(x, number)
        return x[:, -1]

    def _block(self, x: Tensor, number: int) -> Tensor:
        from keras import layers

        inner = x
        for _ in range(2):
            convolution = layers.Conv1D(
                self.filters,
                self.kernel,
                dilation_rate=2**number,
                padding="causal",
                activation="relu",
                kernel_initializer="he_normal",
            )
            inner = layers.SpatialDropout1D(self.dropout)(convolution(inner))
        if x.shape[-1] != self.filters:
            x = layers.Conv1D(self.filters, 1)(x)
        return layers.ReLU(name=f"block_{number}")(x + inner)
