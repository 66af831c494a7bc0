"""What is done about a rule that bars break: error, warn or repair."""

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
    "interval",
    "off_grid",
    "future",
    "missed_splits",
    "unit_errors",
    "bad_ticks",
    "ticker_reuse",
    "missed_dividends",
    "wicks",
    "gaps",
    "closed_days",
    "stale",
    "zero_volume",
    "implausible_volume",
]
Treatment = Literal["error", "warn", "repair"]
Severity = Literal["error", "warn"]

QualityPolicy: TypeAlias = dict[RuleName, Treatment]
"""The treatment of the rules that a dataset names; the others keep their severity."""

WARNING_RULES: frozenset[RuleName] = frozenset(
    {"wicks", "gaps", "closed_days", "stale", "zero_volume", "implausible_volume"}
)
"""Rules that real markets break too, so that a run only tells of them."""

UNREPAIRABLE_RULES: frozenset[RuleName] = WARNING_RULES | {
    "daylight_saving",
    "negative_volume",
    "interval",
    "future",
    "missed_dividends",
}
"""Rules for which no change of the bars would be honest."""


def rule_severity(rule: RuleName, policy: QualityPolicy) -> Severity:
    """How serious it is that bars break a rule, repairs aside."""
    if policy.get(rule) in ("error", "warn"):
        return "warn" if policy[rule] == "warn" else "error"
    return "warn" if rule in WARNING_RULES else "error"
