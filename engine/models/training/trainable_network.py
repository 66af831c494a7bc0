"""What the training loop needs of a network's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.models.dataset import ColumnGroups
    from engine.models.keras_types import KerasModel


class TrainableNetwork(Protocol):
    """What a backend needs of a network's configuration."""

    def __hash__(self) -> int:
        """Equal configurations share their compiled steps."""

    @property
    def lookback(self) -> int:
        """Bars in a sequence."""

    def build_model(self, branches: tuple[ColumnGroups, ...], outputs: int = 1) -> KerasModel:
        """The Keras model, uncompiled; see `Network.build_model`."""

    def build_joint_model(
        self, branches: tuple[ColumnGroups, ...], outputs: int, symbols: tuple[str, ...]
    ) -> KerasModel:
        """The Keras model of several symbols; see `Network.build_joint_model`."""

    def build_embedded_model(
        self, branches: tuple[ColumnGroups, ...], outputs: int, symbols: int
    ) -> KerasModel:
        """The Keras model of rows of several symbols; see `Network.build_embedded_model`."""
