"""Neural networks, one module each, all subclasses of `Network`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.models.networks.asset_attention import AssetAttention
    from engine.models.networks.asset_network import AssetNetwork
    from engine.models.networks.attention_lstm import AttentionLstm
    from engine.models.networks.base import Network
    from engine.models.networks.cnn_lstm import CnnLstm
    from engine.models.networks.gru import Gru
    from engine.models.networks.hierarchical import Hierarchical
    from engine.models.networks.lstm import Lstm
    from engine.models.networks.micdl import Micdl
    from engine.models.networks.mlp import Mlp
    from engine.models.networks.tcn import Tcn
    from engine.models.networks.transformer import Transformer

__all__ = [
    "AssetAttention",
    "AssetNetwork",
    "AttentionLstm",
    "CnnLstm",
    "Gru",
    "Hierarchical",
    "Lstm",
    "Micdl",
    "Mlp",
    "Network",
    "Tcn",
    "Transformer",
]

_EXPORTS = {
    "AssetAttention": "asset_attention",
    "AssetNetwork": "asset_network",
    "AttentionLstm": "attention_lstm",
    "CnnLstm": "cnn_lstm",
    "Gru": "gru",
    "Hierarchical": "hierarchical",
    "Lstm": "lstm",
    "Micdl": "micdl",
    "Mlp": "mlp",
    "Network": "base",
    "Tcn": "tcn",
    "Transformer": "transformer",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
