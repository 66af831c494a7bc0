"""What pages and summaries show of the resolved strategy that a manifest holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class PartSettings:
    """A part of the strategy that was chosen by its kind.

    Attributes:
        kind: Its kind; empty where the file does not say it.
        parameters: Its plain parameters (numbers and text), by name.
    """

    kind: str = ""
    parameters: Mapping[str, float | str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> PartSettings:
        """The part of its keys in a manifest."""
        return cls(
            str(settings.get("kind", "")),
            {
                name: value
                for name, value in sorted(settings.items())
                if name != "kind" and isinstance(value, int | float | str)
            },
        )


@dataclass(frozen=True)
class CostItems:
    """What itemised costs are made of.

    Attributes:
        commission: Its kind and rates.
        tiers: Number of tiers of the commission; 0 of another kind.
        spread: Its kind, with `half_bps` or `window`.
        impact: Coefficient of the market impact; None without one.
        max_participation: Largest share of a bar's volume; None without a limit.
        borrow_bps_per_year: Cost of borrowing for shorts.
        funding: Whether perpetuals pay funding.
    """

    commission: PartSettings
    tiers: int
    spread: PartSettings
    impact: float | None
    max_participation: float | None
    borrow_bps_per_year: float
    funding: bool

    @classmethod
    def from_dict(cls, costs: Mapping[str, Any]) -> CostItems:
        """The items of the section `costs` of a resolved strategy."""
        commission, impact = costs["commission"], costs.get("impact")
        return cls(
            commission=PartSettings.from_dict(commission),
            tiers=len(commission.get("tiers", ())),
            spread=PartSettings.from_dict(costs["spread"]),
            impact=impact["coefficient"] if impact else None,
            max_participation=costs.get("max_participation"),
            borrow_bps_per_year=costs.get("borrow_bps_per_year") or 0.0,
            funding=bool(costs.get("funding")),
        )


@dataclass(frozen=True)
class TuningSettings:
    """How the strategy is tuned within each window.

    Attributes:
        metric: What is compared.
        splits: The inner splits.
        sampler: What draws the trials.
        space: Dotted paths that are tuned, sorted.
    """

    metric: str
    splits: PartSettings
    sampler: str
    space: tuple[str, ...]


@dataclass(frozen=True)
class StrategySettings:
    """The settings of a run's strategy; None where the manifest does not have one.

    Attributes:
        description: The strategy's own words, maybe empty.
        horizon: Bars ahead of the forecasts that are traded on.
        costs: The cost model; without a kind where it is the engine's own.
        fee_bps: Fee of a fill; None where a model of another kind says it.
        slippage_bps: Slippage of a fill.
        borrow_bps_per_year: Cost of borrowing for shorts.
        financing_bps_per_year: Cost of borrowed cash; None where nobody lends.
        cost_items: Of costs that are itemised; None of others.
        cost_overrides: Symbols that have costs of their own.
        capital: Money that the book begins with; None where it has no size.
        delay_bars: Bars from decision to fill.
        fill_price: Price of the bar at which a decision is filled: `open` or `close`.
        maintenance_margin: Equity as a share of the gross exposure, below which all positions are
            closed; None where no margin call does.
        benchmarks: What the strategy is compared with, in the order of its books.
        tuning: How it is tuned; None without tuning.
        symbol_groups: Name -> its symbols, of `portfolio.groups`; empty without groups.
    """

    description: str
    horizon: int
    costs: PartSettings
    fee_bps: float | None
    slippage_bps: float | None
    borrow_bps_per_year: float | None
    financing_bps_per_year: float | None
    cost_items: CostItems | None
    cost_overrides: tuple[str, ...]
    capital: float | None
    delay_bars: int
    fill_price: str
    maintenance_margin: float | None
    benchmarks: tuple[PartSettings, ...]
    tuning: TuningSettings | None
    symbol_groups: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_strategy(cls, strategy: Mapping[str, Any]) -> StrategySettings:
        """The settings of a resolved strategy, as a manifest of any version holds it."""
        costs, execution = strategy.get("costs", {}), strategy.get("execution", {})
        named = strategy.get("benchmarks") or strategy.get("opponents") or ()
        return cls(
            description=strategy.get("description") or "",
            horizon=int(strategy.get("target", {}).get("horizon", 1)),
            costs=PartSettings.from_dict(costs),
            **_read_fixed_costs(costs),
            financing_bps_per_year=costs.get("financing_bps_per_year"),
            cost_items=CostItems.from_dict(costs) if costs.get("kind") == "itemised" else None,
            cost_overrides=tuple(sorted(costs.get("by_symbol", {}))),
            capital=strategy.get("capital"),
            delay_bars=int(execution.get("delay", 1)),
            fill_price=str(execution.get("price", "open")),
            maintenance_margin=execution.get("maintenance_margin"),
            benchmarks=tuple(PartSettings.from_dict(each) for each in named),
            tuning=_read_tuning(strategy.get("tune")),
            symbol_groups={
                str(name): tuple(map(str, members))
                for name, members in (strategy.get("portfolio", {}).get("groups") or {}).items()
            },
        )


def _read_tuning(tune: Mapping[str, Any] | None) -> TuningSettings | None:
    if not tune:
        return None
    return TuningSettings(
        metric=str(tune["metric"]),
        splits=PartSettings.from_dict(tune["splits"]),
        sampler=str(tune["sampler"]),
        space=tuple(sorted(tune["space"])),
    )


def _read_fixed_costs(costs: Mapping[str, Any]) -> dict[str, float | None]:
    """The rates of the engine's own costs, which have no kind; None where a kind is named."""
    names = ("fee_bps", "slippage_bps", "borrow_bps_per_year")
    return {name: None if costs.get("kind") else costs.get(name) for name in names}
