"""All rules, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np

from engine.data.quality.rules.base import BarsView, RuleViolation
from engine.data.quality.rules.corporate_actions import missed_dividends, missed_splits
from engine.data.quality.rules.duplicates import (
    conflicting_duplicates,
    daylight_saving,
    duplicates,
)
from engine.data.quality.rules.gaps import closed_days, gaps, ticker_reuse
from engine.data.quality.rules.outliers import bad_ticks, unit_errors, wicks
from engine.data.quality.rules.prices import (
    missing_open,
    missing_values,
    nonpositive_prices,
    price_range,
)
from engine.data.quality.rules.stale import stale
from engine.data.quality.rules.timestamps import future, interval, off_grid, order
from engine.data.quality.rules.volume import implausible_volume, negative_volume, zero_volume

if TYPE_CHECKING:
    from engine.data.config import RuleName

QualityRule = Callable[[BarsView], list[RuleViolation]]

RULES: tuple[QualityRule, ...] = (
    order,
    duplicates,
    conflicting_duplicates,
    daylight_saving,
    missing_open,
    missing_values,
    nonpositive_prices,
    negative_volume,
    price_range,
    interval,
    off_grid,
    future,
    missed_splits,
    unit_errors,
    bad_ticks,
    ticker_reuse,
    missed_dividends,
    wicks,
    gaps,
    closed_days,
    stale,
    zero_volume,
    implausible_volume,
)
"""Every rule; its name is the function's."""

# Of these a bar is told under the first that it breaks only: a missing open written as 0 is no
# price of 0 as well, and a price a hundred times too low is no bad tick.
_EXCLUSIVE_GROUPS = (
    frozenset({missing_open, missing_values, nonpositive_prices, negative_volume}),
    frozenset({missed_splits, unit_errors, bad_ticks, wicks}),
)


def rule_name(rule: QualityRule) -> RuleName:
    """What a dataset's `quality` calls a rule."""
    return cast("RuleName", rule.__name__)


def find_violations(view: BarsView) -> list[tuple[RuleName, RuleViolation]]:
    """Everything that every rule finds, in the order of the rules."""
    told = {rules: np.zeros(view.timestamps.size, dtype=bool) for rules in _EXCLUSIVE_GROUPS}
    found = []
    for rule in RULES:
        seen = next((told[rules] for rules in _EXCLUSIVE_GROUPS if rule in rules), None)
        for spotted in rule(view):
            kept = spotted if seen is None else spotted.excluding(seen)
            if kept.count:
                found.append((rule_name(rule), kept))
            if seen is not None:
                seen[kept.rows] = True
    return found
