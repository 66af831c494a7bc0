"""What the result owes to its seeds and to its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.charts.heat import Heat, heat_cells
from engine.reporting.significance.section import Section, Table, Told, Unasked

if TYPE_CHECKING:
    from collections.abc import Mapping

SEEDS = "Bouthillier et al. 2021; sampling error as in Ledoit & Wolf 2008"
FRAGILITY = (
    "every cell is a simulation of its own on the stored forecasts; break-even cost by the root "
    "finder of Brent 1973"
)
ENTRIES = {"bps": "bps", "round trips": "round trips of cost", "quantile": "quantile"}


def told_of_robustness(found: Mapping[str, Any]) -> Told:
    """Seeds, and the fragility surface."""
    told: Told = []
    if "fragility" in found:
        told.append(_fragility(found["fragility"]))
    if "seeds" in found:
        told.append(_seeds(found["seeds"]))
    return told


def _seeds(found: Mapping[str, Any] | None) -> Section | Unasked:
    question = "How much of the result is the seed's doing?"
    if not found:
        return Unasked(question, "it takes two seeds, and there was one")
    by_seed = [ratio for ratio in found["sharpe_by_seed"] if ratio is not None]
    share = found.get("share")
    answer = (
        f"With one seed at a time the Sharpe ratio goes from {formatting.RATIO(min(by_seed))} to "
        f"{formatting.RATIO(max(by_seed))}."
        if by_seed
        else "No seed alone has a Sharpe ratio."
    )
    if share is not None:
        answer += (
            f" Of the uncertainty of a single seed's ratio, {formatting.PERCENT(100 * share)} is "
            "the seed's, the rest that of the bars."
        )
    low, high = found.get("seed_deviation_low"), found.get("seed_deviation_high")
    between = formatting.RATIO(found.get("seed_deviation"))
    if formatting.exists(low) and formatting.exists(high):
        between += f" ({formatting.RATIO.interval(low, high)})"
    ratios = tuple(
        (f"Seed {number}", formatting.SIGNED_RATIO(ratio))
        for number, ratio in enumerate(found["sharpe_by_seed"], start=1)
    )
    return Section(
        key="seeds",
        label="Seeds",
        question=question,
        answer=answer,
        says=(
            "Every seed saw the same bars, so that what differs between them is the luck of "
            "training. More seeds make that smaller; the sampling error of the bars they never do."
        ),
        source=SEEDS,
        tables=(
            Table(
                ("Sharpe ratio", "Value"),
                (
                    *ratios,
                    ("Deviation between seeds", between),
                    ("Sampling error of the bars", formatting.RATIO(found["sampling_deviation"])),
                ),
            ),
        ),
    )


def _fragility(found: Mapping[str, Any] | None) -> Section | Unasked:
    question = "Does it survive other costs, later fills and other thresholds?"
    if not found:
        return Unasked(question, "there is no forecast to trade on")
    return Section(
        key="fragility",
        label="Fragility",
        question=question,
        answer=formatting.prose(found.get("sentence") or ""),
        says=(
            "Sharpe ratio of the same forecasts, a map a delay: down what a fill costs (fee and "
            "slippage), across the prediction from which it enters. The frame is the run itself. "
            "A result to trust is above zero around it, not on it alone. Forecasts are the stored "
            "ones and nothing is fitted again; what is decided knows nothing of the other costs."
        ),
        source=FRAGILITY,
        heat=surface_maps(found),
        tables=(
            Table(
                ("Cost of a fill", "Value"),
                (
                    ("Charged", formatting.BPS(found["chosen"]["cost_bps"])),
                    (
                        "At which the Sharpe ratio is zero",
                        formatting.BPS(found.get("break_even_cost_bps")),
                    ),
                ),
            ),
        ),
    )


def surface_maps(found: Mapping[str, Any]) -> tuple[Heat, ...]:
    """The surface as a map a delay; one scale of colour for all.

    Args:
        found: `fragility` of significance.json.
    """
    chosen, delays = found["chosen"], found["delay_bars"]
    values = [cell for sheet in found["sharpe"] for row in sheet for cell in row if cell]
    full = max(0.5, *map(abs, values)) if values else 0.5
    own_entry = found["threshold"].index(chosen["threshold"])
    return tuple(
        Heat(
            title=f"Filled {formatting.count_of(delay, 'bar')} after the decision"
            + (", as the run was" if delay == chosen["delay_bars"] else ""),
            across=f"Enters above, {ENTRIES[found['threshold_unit']]}",
            columns=tuple(formatting.tick(entry) for entry in found["threshold"]),
            down="Cost, bps",
            rows=tuple(
                (
                    formatting.tick(cost),
                    heat_cells(
                        sheet[number],
                        full=full,
                        unit=formatting.SIGNED_RATIO,
                        chosen=own_entry
                        if (cost, delay) == (chosen["cost_bps"], chosen["delay_bars"])
                        else None,
                    ),
                )
                for cost, sheet in zip(found["cost_bps"], found["sharpe"], strict=True)
            ),
        )
        for number, delay in enumerate(delays)
    )


def fragility_line(found: Mapping[str, Any]) -> str:
    """The break-even cost beside the cost charged; empty where there is no surface."""
    surface = found.get("fragility")
    if not surface:
        return ""
    chosen, limit = surface["chosen"], surface.get("break_even_cost_bps")
    paid = formatting.BPS(chosen["cost_bps"])
    if chosen["sharpe"] is None:
        return ""
    if limit is None and chosen["sharpe"] <= 0:
        return f"It loses before costs; {paid} a fill were charged."
    if limit is None:
        searched = formatting.BPS(surface.get("searched_to_bps"))
        return f"No cost up to {searched} a fill brings its Sharpe ratio to zero."
    return (
        f"Its Sharpe ratio is zero at a cost of {formatting.BPS(limit)} a fill; {paid} were "
        "charged."
    )
