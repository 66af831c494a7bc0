"""The market first, then groups of symbols, then each symbol."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, field_validator
from typing_extensions import override

from engine.models.networks.asset_network import AssetFeatures, AssetNetwork, build_heads

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.models.keras_types import Tensor

    Members = npt.NDArray[np.float32]


class Hierarchical(AssetNetwork):
    """y_i = m + g_i + d_i: the market's mean, the deviation of its group, and its own.

    m is made of the mean of the trunk's features over the symbols of the bar, g_i of that over the
    group of symbol i, and d_i of its own features by a head of its own. The g_i have the mean 0
    over the symbols that are present, and the d_i over those of each group: so m is the forecast
    of the cross-sectional mean, and the squared error is the sum of those of the three levels.
    Returns are in the deviations of each symbol's train rows. Shapes: (batch, lookback, columns)
    for each symbol -> (batch, symbols, features) -> (batch, symbols, outputs). It forecasts a
    hierarchy top down and reconciles it by construction (Hyndman & Athanasopoulos, chapter 11).

    Attributes:
        groups: Name of a group, such as a sector -> its symbols; those in none are one more. Left
            out, there is the market alone. Or the name of a column of the dataset's groups, which
            stands for these: `sector`.
        width: Neurons of the layers that read the market and the groups.
        dropout: After the trunk.
    """

    kind: Literal["hierarchical"] = "hierarchical"
    groups: (
        dict[str, Annotated[tuple[str, ...], Field(min_length=1)]]
        | Annotated[str, Field(min_length=1)]
    ) = Field(default_factory=dict)
    width: int = Field(default=32, ge=1, le=1024)
    dropout: float = Field(default=0.1, ge=0, lt=1)

    @field_validator("groups")
    @classmethod
    def _check_groups(
        cls, groups: dict[str, tuple[str, ...]] | str
    ) -> dict[str, tuple[str, ...]] | str:
        if isinstance(groups, str):
            return groups
        counts = Counter(symbol for members in groups.values() for symbol in members)
        twice = [symbol for symbol, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"each symbol in one group; {', '.join(twice)} has several")
        return groups

    def __hash__(self) -> int:
        """Equal configurations share their compiled steps; a mapping has no hash of its own."""
        return hash((type(self), self.model_dump_json()))

    @override
    def build_forecasts(
        self, assets: AssetFeatures, symbols: tuple[str, ...], outputs: int
    ) -> Tensor:
        """The three levels, and their sum."""
        from keras import layers, ops

        values = layers.Dropout(self.dropout)(assets.values)
        whole = np.ones((len(symbols), 1), np.float32)
        market = layers.Dense(self.width, activation="relu")(
            _mean_over(values, assets.present, whole)
        )
        market = layers.Dense(outputs, name="market_forecast")(market)  # (batch, 1, outputs)
        members = self._members(symbols)
        own = _centre(build_heads(values, outputs), assets.present, members)
        if members.shape[1] > 1:
            groups = layers.Dense(self.width, activation="relu")(
                _mean_over(values, assets.present, members)
            )
            groups = layers.Dense(outputs, name="group_forecasts")(groups)
            of_symbol = ops.take(groups, members.argmax(axis=1).tolist(), axis=1)
            own = own + _centre(of_symbol, assets.present, whole)
        return own + market

    def _members(self, symbols: tuple[str, ...]) -> Members:
        """(symbols, groups) 1 where a symbol is in a group; a group has one of them or more."""
        assert not isinstance(self.groups, str)  # `engine.strategy` put the groups in its place
        named = [[float(each in group) for each in symbols] for group in self.groups.values()]
        table = np.array(named, np.float32).reshape(-1, len(symbols)).T
        table = np.column_stack([table, 1.0 - table.sum(axis=1)]).astype(np.float32)
        members: Members = table[:, table.any(axis=0)]
        return members


def _mean_over(values: Tensor, present: Tensor, members: Members) -> Tensor:
    """(batch, groups, features) means over the symbols of a group that are present."""
    from keras import ops

    weighted = ops.transpose(values * ops.expand_dims(present, -1), (0, 2, 1))
    total = ops.transpose(ops.matmul(weighted, members), (0, 2, 1))
    count = ops.expand_dims(ops.matmul(present, members), -1)
    return total / ops.maximum(count, 1.0)


def _centre(values: Tensor, present: Tensor, members: Members) -> Tensor:
    """(batch, symbols, outputs) less the mean of the group."""
    from keras import ops

    means = _mean_over(values, present, members)
    return values - ops.take(means, members.argmax(axis=1).tolist(), axis=1)
