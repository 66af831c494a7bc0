"""The rules of quality that a dataset may name, and what is done where bars break them."""

from __future__ import annotations

from typing import Literal, TypeAlias

RuleName = Literal[
    "order",
    "duplicates",
    "conflicting_duplicates",
    "daylight_saving",
    "missing_open",
    "missing_values",
    "nonpositive_prices",
    "negative_volume",
    "price_range",
    "price_scale",
    "volume_scale",
    "early",
    "interval",
    "clock",
    "day_labels",
    "off_grid",
    "future",
    "missed_splits",
    "unit_errors",
    "bad_ticks",
    "ticker_reuse",
    "jumps",
    "missed_dividends",
    "wicks",
    "gaps",
    "closed_days",
    "stale",
    "filled",
    "zero_volume",
    "implausible_volume",
    "outside_hours",
    "clocks_differ",
    "not_shared",
    "lagged_returns",
    "survivors",
]
Treatment = Literal["error", "warn", "repair"]

QualityPolicy: TypeAlias = dict[RuleName, Treatment]
"""The treatment of the rules that a dataset names; the others keep their severity."""

WARNING_RULES: frozenset[RuleName] = frozenset(
    {
        "day_labels",
        "wicks",
        "gaps",
        "closed_days",
        "stale",
        "filled",
        "zero_volume",
        "implausible_volume",
        "survivors",
    }
)
"""Rules that real markets break too, so that a run only warns."""

JOINT_RULES: tuple[RuleName, ...] = (
    "outside_hours",
    "clocks_differ",
    "not_shared",
    "lagged_returns",
    "survivors",
)
"""Rules about the bars that resampling or joining would lose, and about symbols together."""

UNREPAIRABLE_RULES: frozenset[RuleName] = WARNING_RULES | {
    "daylight_saving",
    "negative_volume",
    "volume_scale",
    "early",
    "jumps",
    "interval",
    "clock",
    "future",
    "missed_dividends",
    "outside_hours",
    "clocks_differ",
    "not_shared",
    "lagged_returns",
}
"""Rules without a repair, because none could restore the true values."""
