"""The gate that bars pass before anything is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.data.bars import VALUE_COLUMNS, stamp_text
from engine.data.quality.examine import Examined, Terms, examine
from engine.data.quality.registry import RULES, rule_name
from engine.errors import BadBarsError

if TYPE_CHECKING:
    from engine.data.quality.findings import Finding
    from engine.data.quality.policy import Policy
    from engine.data.spec import Interval
    from engine.types import BarsFrame, Rows

_SHOWN = 3
_TOLD = 4
# The bars that break these are wrong in their values, so that it helps to do without them.
_OF_VALUES = frozenset(
    {
        "missing_open",
        "missing_values",
        "nonpositive_prices",
        "negative_volume",
        "price_range",
        "missed_splits",
        "unit_errors",
        "bad_ticks",
        "missed_dividends",
    }
)


@dataclass(frozen=True)
class QualityLog:
    """What was found and done about the bars that passed.

    Attributes:
        passed: The last examination of each symbol's bars of each interval.
    """

    passed: dict[tuple[str, Interval], Examined] = field(default_factory=dict)

    def of(self, symbol: str) -> list[Examined]:
        """All of a symbol: of the finer bars it was made of first."""
        return [examined for (name, _), examined in self.passed.items() if name == symbol]

    def notices(self, dataset: str) -> list[str]:
        """Repairs, then warnings, a line a rule and a few lines in all."""
        lines: dict[str, list[str]] = {}
        for (symbol, _), examined in self.passed.items():
            for done in examined.repaired:
                lines.setdefault(f"repaired {done.rule}", []).append(f"{symbol} {done.sentence}")
        for (symbol, _), examined in self.passed.items():
            for finding in examined.warnings:
                told = f"{symbol} {finding.sentence}, {span(finding)}"
                lines.setdefault(finding.rule, []).append(told)
        sentences = [f"{rule}: {'; '.join(told)}" for rule, told in lines.items()]
        if len(sentences) <= _TOLD:
            return sentences
        rest = len(sentences) - _TOLD + 1
        more = f"{rest} more kinds of finding: backtest data check {dataset}"
        return [*sentences[: _TOLD - 1], more]

    def as_json(self) -> dict[str, Any]:
        """`findings` that remain, `repairs` made, and the `rules` asked, for a run's manifest."""
        return {
            "rules": [rule_name(rule) for rule in RULES],
            "findings": [
                finding.as_json() for one in self.passed.values() for finding in one.findings
            ],
            "repairs": [done.as_json() for one in self.passed.values() for done in one.repaired],
        }


@dataclass(frozen=True)
class Gate:
    """The gate of one dataset.

    Attributes:
        calendar: `24/7`, or a code of exchange-calendars.
        policy: The dataset's treatment of the rules.
        now: The instant against which the future is measured.
        log: Told what was found and repaired in bars that passed.
    """

    calendar: str
    policy: Policy
    now: pd.Timestamp
    log: QualityLog

    def admit(self, bars: BarsFrame, interval: Interval, place: str) -> BarsFrame:
        """The bars of one symbol, repaired where the dataset asks for it, if they can be trusted.

        Args:
            bars: Of one symbol, normalised, unfinished bar dropped; at least one.
            interval: Length of a bar.
            place: Where the bars came from, for the message.

        Raises:
            BadBarsError: A rule is broken that is an error: naming symbol, rules, bars and what
                to do; its `findings` are everything that was found.
        """
        terms = Terms(interval, self.now, self.calendar, self.policy)
        examined = examine(bars, terms)
        if examined.errors:
            raise _unfit(examined, terms, place)
        self.log.passed[str(bars["symbol"].iloc[0]), interval] = examined
        return examined.bars


def span(finding: Finding) -> str:
    """First and last bar of a finding, or the one there is."""
    if finding.first == finding.last:
        return str(finding.first)
    return f"{finding.first} to {finding.last}"


def _unfit(examined: Examined, terms: Terms, place: str) -> BadBarsError:
    errors = examined.errors
    symbol = errors[0].symbol
    told = "; ".join(finding.sentence for finding in errors)
    lines = [
        _show(examined.bars, finding, rows, terms)
        for finding, rows in zip(examined.findings, examined.rows, strict=True)
        if finding.severity == "error"
    ]
    error = BadBarsError(
        f"bars of {symbol} cannot be trusted: {told}",
        found="\n    ".join(lines),
        where=f"{symbol}: {place}",
        fix=_fix(examined),
    )
    error.findings = examined.findings
    return error


def _show(bars: BarsFrame, finding: Finding, rows: Rows, terms: Terms) -> str:
    """The first bars that are wrong, and their values where they are what is wrong."""
    if finding.rule == "gaps":
        return f"gaps: {span(finding)}"
    shown = []
    for row in rows[:_SHOWN].tolist():
        stamp = stamp_text(bars["timestamp"].iloc[row], terms.interval)
        values = " ".join(f"{column} {bars[column].iloc[row]:g}" for column in VALUE_COLUMNS)
        shown.append(f"{stamp} ({values})" if finding.rule in _OF_VALUES else stamp)
    rest = rows.size - len(shown)
    if rest > 0:
        last = stamp_text(bars["timestamp"].iloc[int(rows[-1])], terms.interval)
        shown.append(f"and {rest} more, the last {last}")
    return f"{finding.rule}: " + ", ".join(shown)


def _fix(examined: Examined) -> str:
    """The repairs there are, the advice of the rules, and the cut that leaves most bars."""
    repairs = {found.rule: found.repair for found in examined.errors if found.repair}
    asked = ", ".join(f"{rule}: repair" for rule in repairs)
    names = ", ".join(dict.fromkeys(repair for repair in repairs.values() if repair))
    advice = [f"add `quality: {{{asked}}}` to the dataset ({names})"] if repairs else []
    advice += [finding.advice for finding in examined.errors if finding.advice]
    bad = [
        rows
        for finding, rows in zip(examined.findings, examined.rows, strict=True)
        if finding.severity == "error" and finding.rule in _OF_VALUES
    ]
    if bad:
        advice.append(_cut(examined.bars, np.concatenate(bad)))
    return "; or ".join(dict.fromkeys(advice))


def _cut(bars: BarsFrame, bad: Rows) -> str:
    correct = "correct these bars where they come from, or use another source"
    days = bars["timestamp"].dt.floor("D")
    first, last = days.iloc[bad].min(), days.iloc[bad].max()
    after, before = int(np.sum(days > last)), int(np.sum(days < first))
    if max(after, before) < len(bars) / 2:
        return correct
    one_day = pd.Timedelta(days=1)
    if after >= before:
        cut = f"start: {last + one_day:%Y-%m-%d}"
    else:
        cut = f"end: {first - one_day:%Y-%m-%d}"
    return f"add `{cut}` to the dataset, which leaves {max(after, before)} bars; or {correct}"
