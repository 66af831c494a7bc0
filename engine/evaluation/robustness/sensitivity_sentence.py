"""What a fragility surface says, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def describe_sensitivity(surface: Mapping[str, Any]) -> str:
    """What the result survives and what it dies of, one thing changed at a time.

    To survive is to keep a Sharpe ratio above 0. What it survives of delays and thresholds is the
    unbroken range around the chosen one.

    Args:
        surface: `fragility` of significance.json, without its `sentence`.
    """
    cells = [cell for sheet in surface["sharpe"] for row in sheet for cell in row]
    count = (
        f"{sum(map(_is_positive, cells))} of {len(cells)} combinations of cost, delay and "
        f"threshold "
        "have a Sharpe ratio above zero."
    )
    chosen = surface["chosen"]
    if chosen["sharpe"] is None:
        return f"There is no result to lose: as chosen, the strategy's returns never vary. {count}"
    if chosen["sharpe"] <= 0:
        return (
            f"There is no result to lose: as chosen, the Sharpe ratio is {chosen['sharpe']:.2f}"
            f"{_break_even_clause(surface)}. {count}"
        )
    cost = surface["cost_bps"].index(chosen["cost_bps"])
    delay = surface["delay_bars"].index(chosen["delay_bars"])
    threshold = surface["threshold"].index(chosen["threshold"])
    delays = [row[threshold] for row in surface["sharpe"][cost]]
    thresholds = surface["sharpe"][cost][delay]
    kept, lost = zip(
        _surviving_costs(surface),
        _surviving_range(surface["delay_bars"], delays, delay, "fills {} bars after the decision"),
        _surviving_range(
            surface["threshold"], thresholds, threshold, _ENTRY_PHRASES[surface["threshold_unit"]]
        ),
        strict=True,
    )
    dies = [words for words in lost if words]
    return (
        f"The result survives {_join_phrases(kept)}; "
        + (f"it dies at {_join_phrases(dies)}" if dies else "nothing that was tried kills it")
        + f". {count}"
    )


_ENTRY_PHRASES = {
    "bps": "entries above {} bps",
    "round trips": "entries above {} round trips of cost",
    "quantile": "entries above the {} quantile",
}


def _break_even_clause(surface: Mapping[str, Any]) -> str:
    limit = surface["break_even_cost_bps"]
    if limit is None:
        return ", and without any costs it is not above zero either"
    return f", and above zero only at costs below {limit:.1f} bps a fill"


def _surviving_costs(surface: Mapping[str, Any]) -> tuple[str, str]:
    limit, paid = surface["break_even_cost_bps"], surface["chosen"]["cost_bps"]
    if limit is None:
        return f"every cost up to {surface['searched_to_bps']:,.0f} bps a fill", ""
    times = f", {limit / paid:.1f} times the {paid:g} charged" if paid else ""
    return f"costs up to {limit:.1f} bps a fill{times}", "higher costs"


def _surviving_range(
    values: Sequence[float], ratios: Sequence[float | None], chosen_index: int, phrase: str
) -> tuple[str, str]:
    """The unbroken range around `chosen_index` that is above 0, and every value that is not."""
    first, last = chosen_index, chosen_index
    while first > 0 and _is_positive(ratios[first - 1]):
        first -= 1
    while last + 1 < len(values) and _is_positive(ratios[last + 1]):
        last += 1
    low, high = f"{values[first]:g}", f"{values[last]:g}"
    kept = phrase.format(low if first == last else f"{low} to {high}")
    dead = [
        f"{value:g}"
        for value, ratio in zip(values, ratios, strict=True)
        if not _is_positive(ratio)
    ]
    if not dead:
        return kept, ""
    return kept, phrase.format(
        dead[0] if len(dead) == 1 else f"{', '.join(dead[:-1])} or {dead[-1]}"
    )


def _is_positive(ratio: float | None) -> bool:
    return ratio is not None and ratio > 0


def _join_phrases(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
