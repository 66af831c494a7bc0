"""From the bars of one symbol to findings, and to repaired bars where the dataset wants that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.data.bars import EVENT_COLUMNS, VALUE_COLUMNS, stamp_text
from engine.data.calendar import ALWAYS_OPEN
from engine.data.quality.findings import Finding, Repaired
from engine.data.quality.policy import Policy, severity
from engine.data.quality.registry import spot
from engine.data.quality.repairs import REPAIRS
from engine.data.quality.sample import Sample

if TYPE_CHECKING:
    from engine.data.quality.policy import RuleName
    from engine.data.quality.spotted import Spotted
    from engine.data.spec import Interval
    from engine.types import BarsFrame, Rows

_LOGGED = 20


@dataclass(frozen=True)
class Terms:
    """What bars are judged by.

    Attributes:
        interval: Length of a bar.
        now: The instant against which the future is measured.
        calendar: `24/7`, or a code of exchange-calendars.
        policy: The dataset's treatment of some rules.
    """

    interval: Interval
    now: pd.Timestamp
    calendar: str = ALWAYS_OPEN
    policy: Policy = field(default_factory=dict)


@dataclass(frozen=True)
class Examined:
    """Bars of one symbol and what the rules say of them.

    Attributes:
        bars: After repairs, without the columns that only rules look at.
        findings: What is wrong with these bars still.
        repaired: What was changed, in the order in which it was done.
        rows: Of each finding the positions in `bars` of those concerned.
    """

    bars: BarsFrame
    findings: tuple[Finding, ...]
    repaired: tuple[Repaired, ...]
    rows: tuple[Rows, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that no run may follow."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that a run tells of."""
        return tuple(finding for finding in self.findings if finding.severity == "warn")


def examine(bars: BarsFrame, terms: Terms) -> Examined:
    """Asks every rule about the bars of one symbol.

    A rule that the dataset wants repaired is repaired in the order of the rules, and all rules
    are asked again, because a repair may bring up another defect. A rule is repaired once: what
    then remains of it is an error.

    Args:
        bars: Normalised bars of one symbol, unfinished bar dropped, in the order they came.
        terms: What they are judged by.
    """
    repaired: dict[RuleName, list[Repaired]] = {}
    while True:
        found = spot(Sample.of(bars, terms.interval, terms.calendar, terms.now))
        rule = next((name for name, one in found if _due(name, one, terms, repaired)), None)
        if rule is None:
            break
        due = [one for name, one in found if name == rule and one.repair]
        repaired[rule], bars = _repair(bars, rule, due, terms)
    whole = bars.drop(columns=[name for name in EVENT_COLUMNS if name in bars])
    findings = tuple(_finding(bars, rule, one, terms) for rule, one in found)
    return Examined(
        whole.reset_index(drop=True),
        findings,
        tuple(told for one in repaired.values() for told in one),
        tuple(one.rows for _, one in found),
    )


def _due(rule: RuleName, found: Spotted, terms: Terms, done: dict[RuleName, Any]) -> bool:
    return terms.policy.get(rule) == "repair" and found.repair is not None and rule not in done


def _repair(
    bars: BarsFrame, rule: RuleName, due: list[Spotted], terms: Terms
) -> tuple[list[Repaired], BarsFrame]:
    """Bars after the repairs of one rule, which have no bar in common."""
    told = []
    labels = [bars.index[one.rows] for one in due]
    for one, here in zip(due, labels, strict=True):
        assert one.repair is not None
        repair, words = REPAIRS[one.repair]
        moved = bars.index.get_indexer(here)
        after = repair(bars, one if (moved == one.rows).all() else one.at(moved))
        finding = _finding(bars, rule, one, terms)
        assert finding.first is not None
        assert finding.last is not None
        told.append(
            Repaired(
                rule,
                one.repair,
                finding.symbol,
                finding.first,
                finding.last,
                finding.count,
                f"{finding.sentence}: {words}",
                _changes(bars, after, here, terms),
            )
        )
        bars = after
    return told, bars.reset_index(drop=True)


def _changes(
    before: BarsFrame, after: BarsFrame, here: pd.Index[Any], terms: Terms
) -> tuple[dict[str, Any], ...]:
    """The first bars concerned, before and after; of equal values nothing."""
    changes = []
    for label in here[:_LOGGED]:
        old = _values(before, label, terms)
        new = _values(after, label, terms) if label in after.index else None
        kept = [name for name in old if new is None or old[name] != new[name]]
        changes.append(
            {
                "timestamp": old["timestamp"],
                "before": {name: old[name] for name in kept if name != "timestamp" or new},
                "after": None if new is None else {name: new[name] for name in kept},
            }
        )
    return tuple(changes)


def _values(bars: BarsFrame, label: Any, terms: Terms) -> dict[str, Any]:  # noqa: ANN401 - a label
    row = bars.loc[label]
    values = {name: _number(float(row[name])) for name in VALUE_COLUMNS}
    return {"timestamp": stamp_text(row["timestamp"], terms.interval), **values}


def _number(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if np.isfinite(value) else None


def _finding(bars: BarsFrame, rule: RuleName, found: Spotted, terms: Terms) -> Finding:
    symbol = str(bars["symbol"].iloc[0])
    if found.absent:
        instants = [pd.Timestamp(stamp, unit="us", tz="UTC") for stamp in found.absent[:2]]
        told = f"{found.count} {found.complaint}"
    else:
        stamps = bars["timestamp"].iloc[found.rows]
        instants = [stamps.min(), stamps.max()]
        told = f"{found.count} of {len(bars)} {found.complaint}"
    first, last = (stamp_text(instant, terms.interval) for instant in instants)
    return Finding(
        rule=rule,
        symbol=symbol,
        severity=severity(rule, terms.policy),
        first=first,
        last=last,
        count=found.count,
        repair=found.repair,
        sentence=told,
        advice=found.advice,
    )
