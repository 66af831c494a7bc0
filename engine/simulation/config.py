"""Settings of trading costs and of execution."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from engine.core.installed_kinds import COSTS_GROUP
from engine.core.open_kinds import OpenKinds
from engine.core.types import Spec
from engine.simulation.costs import CostModel, Costs
from engine.simulation.itemised_costs import ItemisedCosts

__all__ = ["COST_KINDS", "AnyCosts", "CostModel", "Costs", "Execution", "ItemisedCosts"]

COST_KINDS = OpenKinds(COSTS_GROUP, (CostModel,), (Costs, ItemisedCosts), default_kind="fixed")

AnyCosts: TypeAlias = Annotated[CostModel, COST_KINDS]
"""Any cost model: the engine's, which needs no `kind`, an installed one, a user's."""


class Execution(Spec):
    """Decided at the close of t, filled at the `price` of bar t + `delay`.

    A delay of 0 is not allowed: the close of t is known only when it can no longer be traded.

    Attributes:
        delay: Bars from the decision at a close to the bar of the fill; 1 is the next bar.
        price: Price of that bar at which orders are filled.
        maintenance_margin: Equity as a share of the gross exposure, below which at a close all
            positions are closed at the next fill; 0.25 is a broker's usual. null: none is.
    """

    delay: int = Field(default=1, ge=1, le=20)
    price: Literal["open", "close"] = "open"
    # Left out of what is written where there is none: the ledger knows such strategies without it.
    maintenance_margin: float | None = Field(
        default=None, gt=0, lt=1, exclude_if=lambda margin: margin is None
    )
