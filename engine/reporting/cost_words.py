"""The costs of a strategy in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.runs.documents.strategy_settings import CostItems, StrategySettings

_ESTIMATORS = {"corwin_schultz": "Corwin and Schultz", "abdi_ranaldo": "Abdi and Ranaldo"}


def describe_costs(settings: StrategySettings) -> str:
    """What every fill and every short pays."""
    kind = settings.costs.kind
    if settings.cost_items is not None:
        parts = ", ".join(_item_phrases(settings.cost_items))
        parts += _describe_loans(settings.financing_bps_per_year)
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
    loans = _describe_loans(settings.financing_bps_per_year)
    return f"{text}{shorts}{loans}{_describe_others(settings)}."


def _describe_loans(bps: float | None) -> str:
    return "" if bps is None else f", {formatting.BPS(bps)} a year on borrowed cash"


def _describe_others(settings: StrategySettings) -> str:
    named = ", ".join(settings.cost_overrides)
    return (f"; other costs of {named}" if named else "") + (
        f"; with a capital of {settings.capital:,.0f}" if settings.capital else ""
    )


def _item_phrases(items: CostItems) -> Iterator[str]:
    commission, spread = items.commission.parameters, items.spread.parameters
    yield f"commission {_commission_phrase(items)}"
    if minimum := commission.get("minimum"):
        yield f"at least {minimum:g} an order"
    if maximum := commission.get("maximum_pct"):
        yield f"at most {maximum:g} % of its value"
    if items.spread.kind == "constant":
        yield f"half a spread of {formatting.BPS(2 * float(spread['half_bps']))}"
    else:
        bars = formatting.count_of(int(spread["window"]), "bar")
        yield f"half the spread that {_ESTIMATORS[items.spread.kind]} estimate from {bars} before"
    if items.impact is not None:
        yield (
            f"market impact of {items.impact:g} x volatility x the root of the order's share of "
            "the mean volume"
        )
    if items.max_participation:
        yield f"at most {100 * items.max_participation:g} % of a bar's volume"
    if items.borrow_bps_per_year:
        yield f"{formatting.BPS(items.borrow_bps_per_year)} a year on shorts"
    if items.funding:
        yield "the funding of perpetuals"


def _commission_phrase(items: CostItems) -> str:
    rates = items.commission.parameters
    if items.commission.kind == "bps":
        return f"of {formatting.BPS(float(rates['bps']))}"
    if items.commission.kind == "per_unit":
        return f"of {rates['per_unit']:g} a unit"
    return f"in {formatting.count_of(items.tiers, 'tier')} of {rates['by']}"
