"""From the bars of one symbol to findings, and to repaired bars where the dataset wants that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.data.bars import EVENT_COLUMNS, VALUE_COLUMNS, format_timestamp
from engine.data.calendar import ALWAYS_OPEN
from engine.data.quality.findings import AppliedRepair, Finding
from engine.data.quality.policy import QualityPolicy, rule_severity
from engine.data.quality.registry import find_violations
from engine.data.quality.repairs import REPAIRS
from engine.data.quality.view import BarsView

if TYPE_CHECKING:
    from engine.core.types import BarsFrame, IntVector
    from engine.data.calendar import BarInterval
    from engine.data.quality.policy import RuleName
    from engine.data.quality.violation import RuleViolation

_MAX_LOGGED_BARS = 20


@dataclass(frozen=True)
class CheckSettings:
    """What bars are judged by.

    Attributes:
        interval: Length of a bar.
        now: The instant against which the future is measured.
        calendar: `24/7`, or a code of exchange-calendars.
        policy: The dataset's treatment of some rules.
    """

    interval: BarInterval
    now: pd.Timestamp
    calendar: str = ALWAYS_OPEN
    policy: QualityPolicy = field(default_factory=dict)


@dataclass(frozen=True)
class CheckedBars:
    """Bars of one symbol and what the rules say of them.

    Attributes:
        bars: After repairs, without the columns that only rules look at.
        findings: What is wrong with these bars still.
        repairs: What was changed, in the order in which it was done.
        finding_rows: Of each finding the positions in `bars` of those concerned.
    """

    bars: BarsFrame
    findings: tuple[Finding, ...]
    repairs: tuple[AppliedRepair, ...]
    finding_rows: tuple[IntVector, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that no run may follow."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that a run tells of."""
        return tuple(finding for finding in self.findings if finding.severity == "warn")


def check_bars(bars: BarsFrame, settings: CheckSettings) -> CheckedBars:
    """Asks every rule about the bars of one symbol.

    A rule that the dataset wants repaired is repaired in the order of the rules, and all rules
    are asked again, because a repair may bring up another defect. A rule is repaired once: what
    then remains of it is an error.

    Args:
        bars: Normalised bars of one symbol, unfinished bar dropped, in the order they came.
        settings: What they are judged by.
    """
    repaired: dict[RuleName, list[AppliedRepair]] = {}
    while True:
        found = find_violations(
            BarsView.from_bars(bars, settings.interval, settings.calendar, settings.now)
        )
        rule = next(
            (name for name, one in found if _needs_repair(name, one, settings, repaired)), None
        )
        if rule is None:
            break
        due = [one for name, one in found if name == rule and one.repair]
        repaired[rule], bars = _apply_repairs(bars, rule, due, settings)
    whole = bars.drop(columns=[name for name in EVENT_COLUMNS if name in bars])
    findings = tuple(_to_finding(bars, rule, one, settings) for rule, one in found)
    return CheckedBars(
        whole.reset_index(drop=True),
        findings,
        tuple(told for one in repaired.values() for told in one),
        tuple(one.rows for _, one in found),
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
    """Bars after the repairs of one rule, which have no bar in common."""
    told = []
    labels = [bars.index[one.rows] for one in violations]
    for one, here in zip(violations, labels, strict=True):
        assert one.repair is not None
        repair, words = REPAIRS[one.repair]
        moved = bars.index.get_indexer(here)
        after = repair(bars, one if (moved == one.rows).all() else one.with_rows(moved))
        finding = _to_finding(bars, rule, one, settings)
        assert finding.first is not None
        assert finding.last is not None
        told.append(
            AppliedRepair(
                rule,
                one.repair,
                finding.symbol,
                finding.first,
                finding.last,
                finding.count,
                f"{finding.sentence}: {words}",
                _diff_bars(bars, after, here, settings),
            )
        )
        bars = after
    return told, bars.reset_index(drop=True)


def _diff_bars(
    before: BarsFrame, after: BarsFrame, bar_labels: pd.Index[Any], settings: CheckSettings
) -> tuple[dict[str, Any], ...]:
    """The first bars concerned, before and after; of equal values nothing."""
    changes = []
    for label in bar_labels[:_MAX_LOGGED_BARS]:
        old = _bar_values(before, label, settings)
        new = _bar_values(after, label, settings) if label in after.index else None
        kept = [name for name in old if new is None or old[name] != new[name]]
        changes.append(
            {
                "timestamp": old["timestamp"],
                "before": {name: old[name] for name in kept if name != "timestamp" or new},
                "after": None if new is None else {name: new[name] for name in kept},
            }
        )
    return tuple(changes)


def _bar_values(bars: BarsFrame, label: Any, settings: CheckSettings) -> dict[str, Any]:  # noqa: ANN401 - a label
    row = bars.loc[label]
    values = {name: _finite_or_none(float(row[name])) for name in VALUE_COLUMNS}
    return {"timestamp": format_timestamp(row["timestamp"], settings.interval), **values}


def _finite_or_none(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if np.isfinite(value) else None


def _to_finding(
    bars: BarsFrame, rule: RuleName, violation: RuleViolation, settings: CheckSettings
) -> Finding:
    symbol = str(bars["symbol"].iloc[0])
    if violation.missing_span:
        instants = [
            pd.Timestamp(stamp, unit="us", tz="UTC") for stamp in violation.missing_span[:2]
        ]
        told = f"{violation.count} {violation.description}"
    else:
        stamps = bars["timestamp"].iloc[violation.rows]
        instants = [stamps.min(), stamps.max()]
        told = f"{violation.count} of {len(bars)} {violation.description}"
    first, last = (format_timestamp(instant, settings.interval) for instant in instants)
    return Finding(
        rule=rule,
        symbol=symbol,
        severity=rule_severity(rule, settings.policy),
        first=first,
        last=last,
        count=violation.count,
        repair=violation.repair,
        sentence=told,
        advice=violation.advice,
    )
