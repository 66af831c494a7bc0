"""Settings of trading costs and of execution."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from engine.core.installed_kinds import COSTS_GROUP
from engine.core.open_kinds import OpenKinds
from engine.core.types import Spec
from engine.simulation.costs import CostModel, Costs

__all__ = ["COST_KINDS", "AnyCosts", "CostModel", "Costs", "Execution"]

COST_KINDS = OpenKinds(COSTS_GROUP, (CostModel,), (Costs,), default_kind="fixed")

AnyCosts: TypeAlias = Annotated[CostModel, COST_KINDS]
"""Any cost model: the engine's, which needs no `kind`, an installed one, a user's."""


class Execution(Spec):
    """Decided at the close of t, filled at the `price` of bar t + `delay`.

    A delay of 0 is not allowed: the close of t is known only when it can no longer be traded.

    Attributes:
        delay: Bars from the decision at a close to the bar of the fill; 1 is the next bar.
        price: Price of that bar at which orders are filled.
    """

    delay: int = Field(default=1, ge=1, le=20)
    price: Literal["open", "close"] = "open"
