"""The trap of forecast levels in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.replication.plain_text import align_columns, wrap_note

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNT_LABELS = {
    "mae_below_persistence": "MAE below persistence",
    "mae_below_drift": "MAE below persistence + drift",
    "rmse_below_persistence": "RMSE below persistence",
    "rmse_below_drift": "RMSE below persistence + drift",
    "accuracy_above_always_up": "accuracy above always up",
}


def render_level_trap(counts: Mapping[str, Any]) -> str:
    """What the R2 of prices is worth: the rows that beat what needs no network."""
    rows = counts["rows"]
    lines = [
        [f"Rows of {rows} with", "paper", "ours"],
        *(
            [name, str(counts["paper"][key]), str(counts["ours"][key])]
            for key, name in COUNT_LABELS.items()
        ),
    ]
    explained = (
        f"The level-forecast trap: R2 on prices is {_format_r2_range(counts['paper'])} in the "
        f"paper's rows and "
        f"{_format_r2_range(counts['ours'])} in ours, and it is "
        f"{_format_r2_range(counts, 'persistence_')} for yesterday's "
        "price, which forecasts nothing. It tells that a price is near the one before, not that "
        "anything was forecast."
    )
    return "\n".join(
        [
            "Against what needs no network",
            align_columns(lines, gap=2),
            wrap_note(explained),
            wrap_note(_direction_sentence(counts)),
            wrap_note(
                f"By the engine's own test {counts['fits_trapped']} of our {counts['fits']} "
                f"fits are "
                "in the trap: an R2 of 0.9 or more on prices, errors not significantly below "
                "those of persistence and drift, direction not significantly above always up."
            ),
        ]
    )


def _format_r2_range(figures: Mapping[str, Any], prefix: str = "") -> str:
    return f"{figures[f'{prefix}r2_lowest']:.3f} to {figures[f'{prefix}r2_highest']:.3f}"


def _direction_sentence(counts: Mapping[str, Any]) -> str:
    said = {
        who: "none" if not counts[who]["accuracy_above_always_up"] else "not every"
        for who in ("paper", "ours")
    }
    if set(said.values()) == {"none"}:
        return (
            "Direction: no row, in print or here, is right more often than always saying up, "
            "which needs no forecast."
        )
    beating = ", ".join(
        f"{counts[who]['accuracy_above_always_up']} of {counts['rows']} in {name}"
        for who, name in (("paper", "the paper"), ("ours", "ours"))
    )
    return (
        f"Direction: right more often than always saying up are {beating}. Of {counts['rows']} "
        "rows over one test span some are by luck."
    )
