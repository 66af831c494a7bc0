"""The portfolio section of a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from engine.core.types import Spec
from engine.portfolio.allocation import (
    EqualAllocation,
    InverseVolatilityAllocation,
    LongShortAllocation,
    ProportionalAllocation,
    TopAllocation,
)
from engine.portfolio.expected import MaximumSharpeAllocation, MeanVarianceAllocation
from engine.portfolio.optimised import (
    HierarchicalRiskParityAllocation,
    MinimumShortfallAllocation,
    MinimumVarianceAllocation,
    RiskParityAllocation,
)
from engine.portfolio.volatility_target import BookVolatilityTarget

Allocation: TypeAlias = Annotated[
    EqualAllocation
    | ProportionalAllocation
    | InverseVolatilityAllocation
    | TopAllocation
    | LongShortAllocation
    | RiskParityAllocation
    | HierarchicalRiskParityAllocation
    | MinimumVarianceAllocation
    | MinimumShortfallAllocation
    | MeanVarianceAllocation
    | MaximumSharpeAllocation,
    Field(discriminator="kind"),
]

Rebalancing: TypeAlias = (
    Annotated[int, Field(ge=1, le=10_000)] | Literal["weekly", "monthly", "week_end", "month_end"]
)
"""At which closes the weights are made anew."""

CALENDAR_ENDS = frozenset({"week_end", "month_end"})
"""Those that a calendar knows."""


class PortfolioSpec(Spec):
    """How the symbols share one book, its limits, and when it is rebalanced.

    The limits apply in the order of the attributes. `max_weight` of the strategy limits the sum of
    |weight|.

    Attributes:
        allocation: Shares of the symbols.
        rebalance: At the close of every so many bars, or at the first close of each week (from
            Monday, UTC) or month, by the timestamps of the bars, which are those of their opens;
            `week_end` and `month_end` are the last close of each by the calendar of the dataset.
            Between them the target weights stay, but for symbols without a forecast.
        volatility_target: Volatility that the whole book is scaled to, before the limits.
        max_symbol_weight: Largest |weight| of a symbol; what is above it is cash.
        groups: Name -> its symbols; each symbol is in one group at most. Or the name of a column
            of the dataset's groups, which stands for these: `sector`.
        max_group_weight: Largest sum of |weight| in each group; its weights are made smaller by
            one factor, and the rest is cash.
        max_net_weight: Largest |sum of the weights|; the larger side is made smaller, also where a
            symbol is left between rebalancings because it has no forecast.
        min_change: A weight that would change by less stays, unless it becomes 0 or changes its
            sign. All change where the old weights beside the new ones would exceed a limit, or
            both the sum of |weight| before and that of the new ones.
        max_turnover: Largest sum of |change of weight| at one rebalancing; all changes are made
            smaller by the same factor. A symbol without a forecast is left at once all the same.
    """

    allocation: Allocation = EqualAllocation()
    rebalance: Rebalancing = 1
    volatility_target: BookVolatilityTarget | None = Field(
        default=None, exclude_if=lambda target: target is None
    )
    max_symbol_weight: float | None = Field(default=None, gt=0, le=1)
    groups: Mapping[str, tuple[str, ...]] | Annotated[str, Field(min_length=1)] = Field(
        default={}, exclude_if=lambda groups: not groups
    )
    max_group_weight: float | None = Field(
        default=None, gt=0, le=1, exclude_if=lambda limit: limit is None
    )
    max_net_weight: float | None = Field(default=None, ge=0, le=1)
    min_change: float = Field(default=0.0, ge=0, lt=1)
    max_turnover: float | None = Field(default=None, gt=0, le=2)

    @model_validator(mode="after")
    def _check_change_fits_turnover(self) -> PortfolioSpec:
        if self.max_turnover is not None and self.min_change > self.max_turnover:
            raise ValueError(
                f"max_turnover of at least min_change ({self.min_change}), or no weight could "
                f"change; it is {self.max_turnover}"
            )
        return self

    @model_validator(mode="after")
    def _check_groups(self) -> PortfolioSpec:
        if bool(self.groups) != (self.max_group_weight is not None):
            raise ValueError("`groups` and `max_group_weight` beside each other")
        members = [symbol for group in self.named_groups.values() for symbol in group]
        twice = sorted({symbol for symbol in members if members.count(symbol) > 1})
        if twice:
            raise ValueError(f"each symbol in one group at most; twice: {', '.join(twice)}")
        return self

    @property
    def named_groups(self) -> Mapping[str, tuple[str, ...]]:
        """The groups; none while they are a column of the dataset."""
        return {} if isinstance(self.groups, str) else self.groups

    @property
    def libraries(self) -> tuple[str, ...]:
        """Distributions that shape the weights."""
        by_calendar = self.rebalance in CALENDAR_ENDS
        return (*self.allocation.libraries, *(("exchange-calendars",) if by_calendar else ()))

    @property
    def closes_needed(self) -> int:
        """Closes that the weights of a bar are computed from, its own included."""
        target = self.volatility_target
        return max(self.allocation.closes_needed, 0 if target is None else target.window + 1)

    @cached_property
    def is_equal_share(self) -> bool:
        """Whether a weight depends on the position and size of its own symbol alone."""
        return self == PortfolioSpec()


EQUAL_PARTS = PortfolioSpec()
"""Each symbol has the same part of the book."""
