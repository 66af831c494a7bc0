"""All quality rules, in the order in which they are checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from engine.data.quality.rules.base import BarsView, RuleViolation
from engine.data.quality.rules.clock import clock, day_labels
from engine.data.quality.rules.corporate_actions import missed_dividends, missed_splits
from engine.data.quality.rules.duplicates import (
    conflicting_duplicates,
    daylight_saving,
    duplicates,
)
from engine.data.quality.rules.filled import filled
from engine.data.quality.rules.gaps import closed_days, gaps, ticker_reuse
from engine.data.quality.rules.jumps import jumps
from engine.data.quality.rules.outliers import bad_ticks, unit_errors, wicks
from engine.data.quality.rules.prices import (
    missing_open,
    missing_values,
    nonpositive_prices,
    price_range,
    price_scale,
    stale,
)
from engine.data.quality.rules.timestamps import early, future, interval, off_grid, order
from engine.data.quality.rules.volume import (
    implausible_volume,
    negative_volume,
    volume_scale,
    zero_volume,
)

if TYPE_CHECKING:
    from engine.data.quality_config import RuleName

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
    price_scale,
    volume_scale,
    early,
    interval,
    clock,
    day_labels,
    off_grid,
    future,
    missed_splits,
    unit_errors,
    bad_ticks,
    ticker_reuse,
    jumps,
    missed_dividends,
    wicks,
    gaps,
    closed_days,
    stale,
    filled,
    zero_volume,
    implausible_volume,
)
"""Every rule; the name of a rule is the name of its function."""

RANGE_RULES: tuple[QualityRule, ...] = (missing_open, price_range, wicks, zero_volume)
"""Rules of an open, a high or a low, which say nothing of a symbol with closes alone."""

# In a group a bar counts only for the first rule that it breaks: a missing open written as 0 is no
# price of 0 too, and a price a hundred times too low is no bad tick.
_EXCLUSIVE_GROUPS = (
    frozenset({missing_open, missing_values, nonpositive_prices, negative_volume}),
    frozenset({missed_splits, unit_errors, bad_ticks, wicks}),
)


# A repair is for some bars among right ones. Where a rule is broken by more than this share, its
# premise is wrong: the column is another one, or the rows are of several series.
_WRONG_COLUMN = (
    "so many bars break this rule that a column of the file is probably another one: compare the "
    "file's columns with `columns` of the files source"
)
_MANY_BARS = 10
_MAX_REPAIRED_SHARE: dict[QualityRule, float] = {
    missing_open: 0.5,
    missing_values: 0.5,
    nonpositive_prices: 0.5,
    price_range: 0.1,
    bad_ticks: 0.05,
}


def rule_name(rule: QualityRule) -> RuleName:
    """Name of a rule in a dataset's `quality`."""
    return cast("RuleName", rule.__name__)


def find_violations(view: BarsView) -> list[tuple[RuleName, RuleViolation]]:
    """Checks every rule, and returns the violations in the order of the rules."""
    counted = {rules: np.zeros(view.timestamps.size, dtype=bool) for rules in _EXCLUSIVE_GROUPS}
    violations = []
    skipped = RANGE_RULES if view.close_only else ()
    for rule in RULES:
        if rule in skipped:
            continue
        excluded = next((counted[rules] for rules in _EXCLUSIVE_GROUPS if rule in rules), None)
        with np.errstate(over="ignore"):  # of volumes and prices that have rules of their own
            found = rule(view)
        for violation in found:
            remaining = violation if excluded is None else violation.excluding(excluded)
            share = _MAX_REPAIRED_SHARE.get(rule)
            if share and remaining.count > max(share * view.timestamps.size, _MANY_BARS):
                remaining = replace(remaining, repair=None, advice=_WRONG_COLUMN)
            if remaining.count:
                violations.append((rule_name(rule), remaining))
            if excluded is not None:
                excluded[remaining.rows] = True
    return violations
