"""Networks that forecast all target symbols of a bar together."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ConfigDict, Field, field_validator
from typing_extensions import override

from engine.models.forecaster import Forecaster, Model
from engine.models.networks.base import Network
from engine.models.networks.lstm import Lstm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import ValidationInfo

    from engine.models.dataset import ColumnGroups
    from engine.models.keras_types import KerasModel, Tensor


class AssetFeatures(NamedTuple):
    """What the trunk makes of each symbol.

    Attributes:
        values: (batch, symbols, features).
        present: (batch, symbols) float32; 0 where an input of the symbol is missing.
    """

    values: Tensor
    present: Tensor


class AssetNetwork(Network):
    """A trunk, shared by all symbols, and layers over the symbols of a bar.

    The trunk reads the inputs of one symbol; its weights are the same for each. A symbol that has
    no finite inputs at a bar is absent: it takes part in no sum over the symbols, and its own
    forecast means nothing. It has no weight in the loss either, because its return is not known.

    Attributes:
        trunk: A network, from the inputs of a symbol to features; its `lookback` is that of the
            model.
    """

    model_config = ConfigDict(defer_build=True)

    trunk: Model = Field(default=Lstm(units=(32,)), validate_default=True)

    @field_validator("trunk")
    @classmethod
    def _check_trunk(cls, trunk: Forecaster, info: ValidationInfo) -> Forecaster:
        if not isinstance(trunk, Network) or isinstance(trunk, AssetNetwork):
            raise ValueError(
                f"a network that reads one symbol, such as lstm or tcn; found {trunk.kind}"
            )
        lookback = info.data.get("lookback")
        if lookback is None or trunk.lookback == lookback:
            return trunk
        if "lookback" in trunk.model_fields_set:
            raise ValueError(f"no `lookback` of the trunk, or {lookback}, that of the model")
        return type(trunk).model_validate({**trunk.model_dump(), "lookback": lookback})

    @override
    def build_backbone(
        self, series: Sequence[Tensor], normalise: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """The trunk alone, over all series."""
        assert isinstance(self.trunk, Network)
        return self.trunk.build_backbone(series, normalise)

    @override
    def build_joint_model(
        self, branches: tuple[ColumnGroups, ...], outputs: int, symbols: tuple[str, ...]
    ) -> KerasModel:
        """The trunk for each symbol, and the layers over all of them."""
        import keras

        inputs, real = self.build_inputs(branches)
        parts = [
            self._encode(x, groups, real, number)
            for number, (x, groups) in enumerate(zip(inputs, branches, strict=True))
        ]
        values = [part.values for part in parts]
        present = parts[0].present
        for part in parts[1:]:
            present = keras.ops.minimum(present, part.present)
        merged = values[0] if len(values) == 1 else keras.ops.concatenate(values, axis=-1)
        forecast = self.build_forecasts(
            AssetFeatures(merged, present), symbols, outputs // len(symbols)
        )
        predicted = keras.layers.Reshape((outputs,), name="predicted")(forecast)
        return keras.Model([*inputs, real], predicted)

    @abstractmethod
    def build_forecasts(
        self, assets: AssetFeatures, symbols: tuple[str, ...], outputs: int
    ) -> Tensor:
        """Layers over the symbols.

        Args:
            assets: Features of the symbols.
            symbols: Their names.
            outputs: Outputs of each symbol.

        Returns:
            (batch, symbols, outputs).
        """

    def _encode(
        self, inputs: Tensor, groups: ColumnGroups, real: Tensor, number: int
    ) -> AssetFeatures:
        """Features of each symbol at one interval."""
        from keras import Input, Model, layers, ops

        count, width = len(groups), len(groups[0])
        order = [column for group in groups for column in group]
        by_symbol = ops.reshape(
            ops.take(inputs, order, axis=-1), (-1, self.lookback, count, width)
        )
        own = ops.transpose(by_symbol, (0, 2, 1, 3))
        known = ops.isfinite(own)
        present = ops.min(ops.cast(known, "float32"), axis=(2, 3))
        rows = ops.reshape(ops.where(known, own, 0.0), (-1, self.lookback, width))
        counted = ops.logical_and(present > 0.0, ops.expand_dims(real, -1))

        sequence, mask = Input((self.lookback, width)), Input((), dtype="bool")

        def normalise(x: Tensor) -> Tensor:
            return layers.BatchNormalization()(x, mask=mask)

        features = self.build_backbone([sequence], normalise)
        trunk = Model([sequence, mask], features, name=f"trunk_{number}")
        encoded = trunk([rows, ops.reshape(counted, (-1,))])
        return AssetFeatures(ops.reshape(encoded, (-1, count, features.shape[-1])), present)


def build_heads(values: Tensor, outputs: int) -> Tensor:
    """A linear head of its own for each symbol: (batch, symbols, features) -> (.., outputs)."""
    import keras

    count = values.shape[1]
    heads = keras.layers.EinsumDense("bsd,sdo->bso", (count, outputs), bias_axes="so")
    return heads(values)
