"""Which models and losses a fit over several symbols may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from engine.core.part_origin import iterate_specs
from engine.models.networks.asset_network import AssetNetwork
from engine.models.networks.base import Network

if TYPE_CHECKING:
    from engine.models.forecaster import Forecaster
    from engine.models.training.losses import Loss

Scope: TypeAlias = Literal["per_symbol", "pooled", "joint"]
"""A model for each symbol, one for the rows of all, or one that forecasts all together."""


def find_model_fault(scope: Scope, model: Forecaster) -> str | None:
    """What a model would have to be in a scope; None where it may be fitted so."""
    parts = list(iterate_specs(model))
    together = [part.kind for part in parts if isinstance(part, AssetNetwork)]
    if together and scope != "joint":
        return f"`scope: joint` for {together[0]}, which forecasts all target symbols together"
    if scope == "joint" and not isinstance(model, Network):
        return f"a network for `scope: joint`; {model.kind} forecasts one symbol a fit"
    embedded = [part for part in parts if isinstance(part, Network) and part.symbol_embedding]
    if embedded and not (scope == "pooled" and embedded == [model]):
        return (
            "`scope: pooled` for `symbol_embedding` of the model itself, or no such key: only a "
            "pooled network is trained on rows of several symbols"
        )
    return None


def find_loss_fault(scope: Scope, loss: Loss) -> str | None:
    """What a loss would have to be in a scope; None where it may be trained so."""
    if scope == "per_symbol" or not loss.requires_consecutive_rows:
        return None
    reason = (
        "the rows of a pooled model alternate between the symbols"
        if scope == "pooled"
        else "a joint model is trained on those of all symbols at once"
    )
    return (
        f"another loss than {loss.kind} for `scope: {scope}`, or `scope: per_symbol`: the loss is "
        f"of consecutive bars of one symbol, and {reason}"
    )
