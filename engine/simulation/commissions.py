"""What a fill pays its broker: by value, by unit, or in tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from engine.core.types import Spec
from engine.simulation.costs import BPS

if TYPE_CHECKING:
    from engine.simulation.rate_values import Tier


class BpsCommission(Spec):
    """A commission of the traded value.

    Attributes:
        kind: `bps`.
        bps: Basis points of the traded value.
        minimum: Money an order pays at least; needs `capital`.
        maximum_pct: Of the traded value, the most an order pays; wins over the minimum.
    """

    kind: Literal["bps"] = "bps"
    bps: float = Field(default=10.0, ge=0, lt=10_000)
    minimum: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    maximum_pct: float | None = Field(default=None, gt=0, le=100)

    @property
    def needs_capital(self) -> bool:
        """A minimum is money."""
        return self.minimum > 0

    @property
    def typical_bps(self) -> float | None:
        """What a fill pays, without the minimum."""
        return self.bps

    @property
    def fee(self) -> float:
        """Fraction of the traded value."""
        return self.bps / BPS

    @property
    def per_unit(self) -> float:
        """Money a unit."""
        return 0.0

    @property
    def kinks(self) -> tuple[Tier, ...]:
        """None."""
        return ()


class PerUnitCommission(Spec):
    """A commission of every share, contract or unit traded.

    Attributes:
        kind: `per_unit`.
        per_unit: Money a unit, in the currency of the prices.
        minimum: Money an order pays at least; needs `capital`.
        maximum_pct: Of the traded value, the most an order pays; wins over the minimum.
    """

    kind: Literal["per_unit"] = "per_unit"
    per_unit: float = Field(ge=0, allow_inf_nan=False)
    minimum: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    maximum_pct: float | None = Field(default=None, gt=0, le=100)

    @property
    def needs_capital(self) -> bool:
        """A minimum is money."""
        return self.minimum > 0

    @property
    def typical_bps(self) -> float | None:
        """Unknown without a price."""
        return None

    @property
    def fee(self) -> float:
        """Fraction of the traded value."""
        return 0.0

    @property
    def kinks(self) -> tuple[Tier, ...]:
        """None."""
        return ()


class CommissionTier(Spec):
    """One tier of a commission: what the part of an order above a threshold pays.

    Attributes:
        above: Where the tier begins: money, or units where the tiers are of units.
        bps: Of the value of that part, in tiers of value.
        per_unit: Money a unit of that part, in tiers of units.
    """

    above: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    bps: float | None = Field(default=None, ge=0, lt=10_000)
    per_unit: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class TieredCommission(Spec):
    """A commission whose rate changes with the size of the order, part by part.

    Each part of an order pays the rate of its own tier, so that a larger order never pays less.

    Attributes:
        kind: `tiered`.
        by: Whether thresholds are of `value`, with rates in `bps`, or of `units`, with rates in
            `per_unit`.
        tiers: From the first, which begins at 0, upwards.
        minimum: Money an order pays at least.
        maximum_pct: Of the traded value, the most an order pays; wins over the minimum.
    """

    kind: Literal["tiered"] = "tiered"
    by: Literal["value", "units"] = "value"
    tiers: tuple[CommissionTier, ...] = Field(min_length=1, max_length=50)
    minimum: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    maximum_pct: float | None = Field(default=None, gt=0, le=100)

    @field_validator("tiers")
    @classmethod
    def _check_tiers(
        cls, tiers: tuple[CommissionTier, ...], info: ValidationInfo
    ) -> tuple[CommissionTier, ...]:
        begins = [tier.above for tier in tiers]
        if begins[0] != 0 or sorted(set(begins)) != begins:
            raise ValueError(f"a first tier `above: 0` and higher ones after it, not {begins}")
        rate, other = (
            ("bps", "per_unit") if info.data.get("by") == "value" else ("per_unit", "bps")
        )
        for tier in tiers:
            if getattr(tier, rate) is None or getattr(tier, other) is not None:
                raise ValueError(
                    f"`{rate}` and no `{other}` in each tier of `by: {info.data.get('by')}`; "
                    f"the tier above {tier.above:g} has another one"
                )
        return tiers

    @property
    def needs_capital(self) -> bool:
        """Thresholds are money or units."""
        return len(self.tiers) > 1 or self.minimum > 0

    @property
    def typical_bps(self) -> float | None:
        """Unknown without the size of the orders."""
        return None

    @property
    def _rates(self) -> list[float]:
        if self.by == "value":
            return [(tier.bps or 0.0) / BPS for tier in self.tiers]
        return [tier.per_unit or 0.0 for tier in self.tiers]

    @property
    def fee(self) -> float:
        """Fraction of the traded value in the first tier."""
        return self._rates[0] if self.by == "value" else 0.0

    @property
    def per_unit(self) -> float:
        """Money a unit in the first tier."""
        return self._rates[0] if self.by == "units" else 0.0

    @property
    def kinks(self) -> tuple[Tier, ...]:
        """What each further tier changes of the rate above its threshold."""
        rates = self._rates
        return tuple(
            (tier.above, after - before, self.by == "units")
            for tier, before, after in zip(self.tiers[1:], rates[:-1], rates[1:], strict=True)
        )


Commission = Annotated[
    BpsCommission | PerUnitCommission | TieredCommission, Field(discriminator="kind")
]
