"""The sensitivity surface in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def describe_sensitivity(surface: Mapping[str, Any]) -> str:
    """Where the Sharpe ratio stays above 0 and where it does not, one setting changed at a time.

    The sentence gives the unbroken range around the chosen value of each setting, and the cost at
    which the total return is 0. Of a surface with one threshold, as where forecasts are ranked, it
    says nothing of thresholds.

    Args:
        surface: `fragility` of significance.json, without its `sentence`.
    """
    cells = [cell for sheet in surface["sharpe"] for row in sheet for cell in row]
    varied = "cost, delay and threshold" if len(surface["threshold"]) > 1 else "cost and delay"
    count = (
        f"{sum(map(_is_positive, cells))} of {len(cells)} combinations of {varied} have a Sharpe "
        "ratio above zero."
    )
    chosen = surface["chosen"]
    if chosen["sharpe"] is None:
        return (
            "With the settings chosen the strategy has no Sharpe ratio: its returns never vary, "
            f"or it lost everything. {count}"
        )
    if chosen["sharpe"] <= 0:
        return (
            f"With the settings chosen the Sharpe ratio is {chosen['sharpe']:.2f}. "
            f"{_break_even_sentence(surface)} {count}"
        )
    cost = surface["cost_bps"].index(chosen["cost_bps"])
    delay = surface["delay_bars"].index(chosen["delay_bars"])
    threshold = surface["threshold"].index(chosen["threshold"])
    costs = [sheet[delay][threshold] for sheet in surface["sharpe"]]
    delays = [row[threshold] for row in surface["sharpe"][cost]]
    thresholds = surface["sharpe"][cost][delay]
    phrases = [
        _range_phrases(surface["cost_bps"], costs, cost, "costs of {} bps a fill"),
        _range_phrases(surface["delay_bars"], delays, delay, "fills {} bars after the decision"),
    ]
    if len(thresholds) > 1:
        entries = _ENTRY_PHRASES[surface["threshold_unit"]]
        phrases.append(_range_phrases(surface["threshold"], thresholds, threshold, entries))
    above, below = zip(*phrases, strict=True)
    not_above = [phrase for phrase in below if phrase]
    where_not = (
        f"it does not at {_join_phrases(not_above)}"
        if not_above
        else "no setting lowers it to zero"
    )
    return (
        f"The Sharpe ratio stays above zero at {_join_phrases(above)}; {where_not}. "
        f"{_break_even_sentence(surface)} {count}"
    )


_ENTRY_PHRASES = {
    "bps": "entries above {} bps",
    "round trips": "entries above {} round trips of cost",
    "quantile": "entries above the {} quantile",
}


def _break_even_sentence(surface: Mapping[str, Any]) -> str:
    limit, paid = surface["break_even_cost_bps"], surface["chosen"]["cost_bps"]
    if limit is None:
        highest = f"{surface['searched_to_bps']:,.0f}"
        return f"The total return stays above zero at every cost up to {highest} bps a fill."
    if limit == 0:
        return "The total return is not above zero without costs either."
    times = f", {limit / paid:.1f} times the {paid:g} charged" if paid else ""
    return f"The total return is zero at a cost of {limit:.1f} bps a fill{times}."


def _range_phrases(
    values: Sequence[float], ratios: Sequence[float | None], chosen_index: int, phrase: str
) -> tuple[str, str]:
    """The unbroken range around `chosen_index` with ratios above 0, and every value without."""
    first, last = chosen_index, chosen_index
    while first > 0 and _is_positive(ratios[first - 1]):
        first -= 1
    while last + 1 < len(values) and _is_positive(ratios[last + 1]):
        last += 1
    low, high = f"{values[first]:g}", f"{values[last]:g}"
    above = phrase.format(low if first == last else f"{low} to {high}")
    below = [
        f"{value:g}"
        for value, ratio in zip(values, ratios, strict=True)
        if not _is_positive(ratio)
    ]
    if not below:
        return above, ""
    return above, phrase.format(
        below[0] if len(below) == 1 else f"{', '.join(below[:-1])} or {below[-1]}"
    )


def _is_positive(ratio: float | None) -> bool:
    return ratio is not None and ratio > 0


def _join_phrases(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
