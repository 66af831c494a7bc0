"""The costs of a strategy in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.runs.documents.strategy_settings import StrategySettings

_ESTIMATORS = {"corwin_schultz": "Corwin and Schultz", "abdi_ranaldo": "Abdi and Ranaldo"}


def describe_costs(settings: StrategySettings) -> str:
    """What every fill and every short pays."""
    kind = settings.costs.kind
    if kind == "itemised":
        parts = ", ".join(_item_phrases(settings.cost_items))
        return f"{parts[0].upper()}{parts[1:]}{_describe_others(settings)}."
    if kind:
        parameters = (f"{name} {value}" for name, value in settings.costs.parameters.items())
        words = ", ".join([kind, *parameters]).replace("_", " ")
        return f"The cost model {words}."
    text = (
        f"{formatting.BPS(settings.fee_bps)} fee and {formatting.BPS(settings.slippage_bps)} "
        "slippage on every fill"
    )
    borrow = settings.borrow_bps_per_year
    shorts = f", {formatting.BPS(borrow)} a year on shorts" if borrow else ""
    return f"{text}{shorts}{_describe_others(settings)}."


def _describe_others(settings: StrategySettings) -> str:
    named = ", ".join(sorted(settings.cost_items.get("by_symbol", {})))
    return (f"; other costs of {named}" if named else "") + (
        f"; with a capital of {settings.capital:,.0f}" if settings.capital else ""
    )


def _item_phrases(items: Mapping[str, Any]) -> Iterator[str]:
    commission, spread, impact = items["commission"], items["spread"], items.get("impact")
    yield f"commission {_commission_phrase(commission)}"
    if commission.get("minimum"):
        yield f"at least {commission['minimum']:g} an order"
    if commission.get("maximum_pct"):
        yield f"at most {commission['maximum_pct']:g} % of its value"
    yield (
        f"half a spread of {formatting.BPS(2 * spread['half_bps'])}"
        if spread["kind"] == "constant"
        else f"half the spread that {_ESTIMATORS[spread['kind']]} estimate from "
        f"{formatting.count_of(spread['window'], 'bar')} before"
    )
    if impact:
        yield (
            f"market impact of {impact['coefficient']:g} x volatility x the root of the order's "
            "share of the mean volume"
        )
    if items.get("max_participation"):
        yield f"at most {100 * items['max_participation']:g} % of a bar's volume"
    if items.get("borrow_bps_per_year"):
        yield f"{formatting.BPS(items['borrow_bps_per_year'])} a year on shorts"


def _commission_phrase(commission: Mapping[str, Any]) -> str:
    if commission["kind"] == "bps":
        return f"of {formatting.BPS(commission['bps'])}"
    if commission["kind"] == "per_unit":
        return f"of {commission['per_unit']:g} a unit"
    return f"in {formatting.count_of(len(commission['tiers']), 'tier')} of {commission['by']}"
