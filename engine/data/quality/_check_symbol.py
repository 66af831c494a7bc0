"""Checks the bars of one symbol, and repairs them where the dataset requests it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.data.bars import EVENT_COLUMNS, VALUE_COLUMNS, format_timestamp
from engine.data.calendar import ALWAYS_OPEN
from engine.data.quality._registry import find_violations
from engine.data.quality._repairs import REPAIRS, find_late_rows
from engine.data.quality.findings import AppliedRepair, Finding, rule_severity
from engine.data.quality.rules.base import BarsView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BarsFrame, IntVector
    from engine.data.calendar import BarInterval
    from engine.data.quality.rules.base import RuleViolation
    from engine.data.quality_config import QualityPolicy, RuleName
    from engine.data.sessions import DayBegin

_MAX_LOGGED_BARS = 20


@dataclass(frozen=True)
class CheckSettings:
    """Settings of the checks.

    Attributes:
        interval: Length of a bar.
        now: The present instant; bars that end later are in the future.
        calendar: `24/7`, or a code of exchange-calendars.
        policy: The dataset's treatment of some rules.
        day_begins: When a day begins, where the calendar does not say.
        timezone: Zone in which the source reads timestamps without an offset; None for UTC.
    """

    interval: BarInterval
    now: pd.Timestamp
    calendar: str = ALWAYS_OPEN
    policy: QualityPolicy = field(default_factory=dict)
    day_begins: DayBegin | None = None
    timezone: str | None = None


@dataclass(frozen=True)
class CheckedBars:
    """Bars of one symbol, and the result of the checks.

    Attributes:
        bars: After repairs, without the columns that only rules read.
        findings: Rules that the repaired bars still break.
        repairs: Repairs in the order in which they were applied.
        finding_rows: For each finding, the positions in `bars` of the bars concerned.
    """

    bars: BarsFrame
    findings: tuple[Finding, ...]
    repairs: tuple[AppliedRepair, ...]
    finding_rows: tuple[IntVector, ...]

    def adding(
        self, violations: Sequence[tuple[RuleName, RuleViolation]], settings: CheckSettings
    ) -> CheckedBars:
        """The same with further violations, whose rows are positions in `bars`."""
        found = tuple(_to_finding(self.bars, rule, one, settings) for rule, one in violations)
        return replace(
            self,
            findings=(*self.findings, *found),
            finding_rows=(*self.finding_rows, *(one.rows for _, one in violations)),
        )

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop a run."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that a run reports."""
        return tuple(finding for finding in self.findings if finding.severity == "warn")


def check_bars(bars: BarsFrame, settings: CheckSettings) -> CheckedBars:
    """Checks the bars of one symbol against every rule.

    Repairs that the dataset requests are applied in the order of the rules. After each one all
    rules are checked again, because a repair may reveal another defect. A rule is repaired once:
    what remains of it is an error.

    Args:
        bars: Normalised bars of one symbol, unfinished bar dropped, in their original order.
        settings: Settings of the checks.
    """
    repaired: dict[RuleName, list[AppliedRepair]] = {}
    while True:
        violations = find_violations(
            BarsView.from_bars(
                bars,
                settings.interval,
                settings.calendar,
                settings.now,
                day_begins=settings.day_begins,
                timezone=settings.timezone,
            )
        )
        rule = next(
            (name for name, one in violations if _needs_repair(name, one, settings, repaired)),
            None,
        )
        if rule is None:
            break
        due = [one for name, one in violations if name == rule and one.repair]
        repaired[rule], bars = _apply_repairs(bars, rule, due, settings)
    events = [name for name in EVENT_COLUMNS if name in bars]
    checked = bars.drop(columns=events) if events else bars
    findings = tuple(_to_finding(bars, rule, one, settings) for rule, one in violations)
    return CheckedBars(
        checked.reset_index(drop=True),
        findings,
        tuple(repair for repairs in repaired.values() for repair in repairs),
        tuple(one.rows for _, one in violations),
    )


def _needs_repair(
    rule: RuleName,
    violation: RuleViolation,
    settings: CheckSettings,
    repaired_rules: dict[RuleName, Any],
) -> bool:
    return (
        settings.policy.get(rule) == "repair"
        and violation.repair is not None
        and rule not in repaired_rules
    )


def _apply_repairs(
    bars: BarsFrame, rule: RuleName, violations: list[RuleViolation], settings: CheckSettings
) -> tuple[list[AppliedRepair], BarsFrame]:
    """Applies the repairs of one rule, which have no bar in common."""
    applied = []
    labels = [bars.index[one.rows] for one in violations]
    for one, bar_labels in zip(violations, labels, strict=True):
        assert one.repair is not None
        repair = REPAIRS[one.repair]
        moved = bars.index.get_indexer(bar_labels)
        here = one if (moved == one.rows).all() else one.with_rows(moved)
        after = repair.apply(bars, here)
        late = find_late_rows(here)
        finding = _to_finding(bars, rule, one, settings)
        assert finding.first is not None
        assert finding.last is not None
        applied.append(
            AppliedRepair(
                rule,
                one.repair,
                finding.symbol,
                finding.first,
                finding.last,
                finding.count,
                f"{finding.sentence}: {repair.description}",
                _diff_bars(bars, after, bar_labels, settings),
                repair.later_bars,
                tuple(
                    stamp.isoformat() for stamp in bars["timestamp"].iloc[late[late < len(bars)]]
                ),
            )
        )
        bars = after
    return applied, bars.reset_index(drop=True)


def _diff_bars(
    before: BarsFrame, after: BarsFrame, bar_labels: pd.Index[Any], settings: CheckSettings
) -> tuple[dict[str, Any], ...]:
    """The first bars concerned, before and after; equal values are left out."""
    changes = []
    for label in bar_labels[:_MAX_LOGGED_BARS]:
        old = _bar_values(before, label, settings)
        new = _bar_values(after, label, settings) if label in after.index else None
        changed = [name for name in old if new is None or old[name] != new[name]]
        changes.append(
            {
                "timestamp": old["timestamp"],
                "before": {name: old[name] for name in changed if name != "timestamp" or new},
                "after": None if new is None else {name: new[name] for name in changed},
            }
        )
    return tuple(changes)


def _bar_values(bars: BarsFrame, label: Any, settings: CheckSettings) -> dict[str, Any]:  # noqa: ANN401 - a label
    row = bars.loc[label]
    values = {name: _finite_or_none(float(row[name])) for name in VALUE_COLUMNS}
    return {"timestamp": format_timestamp(row["timestamp"], settings.interval), **values}


def _finite_or_none(value: float) -> float | None:
    """None for NaN and infinity, which JSON does not have."""
    return value if np.isfinite(value) else None


def _to_finding(
    bars: BarsFrame, rule: RuleName, violation: RuleViolation, settings: CheckSettings
) -> Finding:
    symbol = str(bars["symbol"].iloc[0])
    if violation.missing_span:
        instants = [
            pd.Timestamp(stamp, unit="us", tz="UTC") for stamp in violation.missing_span[:2]
        ]
        sentence = f"{violation.count} {violation.description}"
    else:
        stamps = bars["timestamp"].iloc[violation.rows]
        instants = [stamps.min(), stamps.max()]
        sentence = f"{violation.count} of {len(bars)} {violation.description}"
    first, last = (format_timestamp(instant, settings.interval) for instant in instants)
    return Finding(
        rule=rule,
        symbol=symbol,
        severity=rule_severity(rule, settings.policy),
        first=first,
        last=last,
        count=violation.count,
        repair=violation.repair,
        sentence=sentence,
        advice=violation.advice,
    )
