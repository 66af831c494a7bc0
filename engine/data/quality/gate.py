"""The gate that bars pass before anything is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError
from engine.data.bars import VALUE_COLUMNS, format_timestamp
from engine.data.quality.check_symbol import CheckedBars, CheckSettings, check_bars
from engine.data.quality.registry import RULES, rule_name

if TYPE_CHECKING:
    from engine.core.types import BarsFrame, IntVector
    from engine.data.calendar import BarInterval
    from engine.data.quality.findings import Finding
    from engine.data.quality.policy import QualityPolicy

_MAX_SHOWN_BARS = 3
_MAX_NOTICES = 4
# The bars that break these are wrong in their values, so that it helps to do without them.
_VALUE_RULES = frozenset(
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
        passed_checks: The last examination of each symbol's bars of each interval.
    """

    passed_checks: dict[tuple[str, BarInterval], CheckedBars] = field(default_factory=dict)

    def for_symbol(self, symbol: str) -> list[CheckedBars]:
        """All of a symbol: of the finer bars it was made of first."""
        return [examined for (name, _), examined in self.passed_checks.items() if name == symbol]

    def notices(self, dataset: str) -> list[str]:
        """Repairs, then warnings, a line a rule and a few lines in all."""
        lines: dict[str, list[str]] = {}
        for (symbol, _), examined in self.passed_checks.items():
            for done in examined.repairs:
                lines.setdefault(f"repaired {done.rule}", []).append(f"{symbol} {done.sentence}")
        for (symbol, _), examined in self.passed_checks.items():
            for finding in examined.warnings:
                told = f"{symbol} {finding.sentence}, {format_finding_span(finding)}"
                lines.setdefault(finding.rule, []).append(told)
        sentences = [f"{rule}: {'; '.join(told)}" for rule, told in lines.items()]
        if len(sentences) <= _MAX_NOTICES:
            return sentences
        rest = len(sentences) - _MAX_NOTICES + 1
        more = f"{rest} more kinds of finding: backtest data check {dataset}"
        return [*sentences[: _MAX_NOTICES - 1], more]

    def as_json(self) -> dict[str, Any]:
        """`findings` that remain, `repairs` made, and the `rules` asked, for a run's manifest."""
        return {
            "rules": [rule_name(rule) for rule in RULES],
            "findings": [
                finding.as_json()
                for one in self.passed_checks.values()
                for finding in one.findings
            ],
            "repairs": [
                done.as_json() for one in self.passed_checks.values() for done in one.repairs
            ],
        }


@dataclass(frozen=True)
class QualityGate:
    """The gate of one dataset.

    Attributes:
        calendar: `24/7`, or a code of exchange-calendars.
        policy: The dataset's treatment of the rules.
        now: The instant against which the future is measured.
        log: Told what was found and repaired in bars that passed.
    """

    calendar: str
    policy: QualityPolicy
    now: pd.Timestamp
    log: QualityLog

    def validate(self, bars: BarsFrame, interval: BarInterval, location: str) -> BarsFrame:
        """The bars of one symbol, repaired where the dataset asks for it, if they can be trusted.

        Args:
            bars: Of one symbol, normalised, unfinished bar dropped; at least one.
            interval: Length of a bar.
            location: Where the bars came from, for the message.

        Raises:
            InvalidBarsError: A rule is broken that is an error: naming symbol, rules, bars and
                what to do; its `findings` are everything that was found.
        """
        terms = CheckSettings(interval, self.now, self.calendar, self.policy)
        examined = check_bars(bars, terms)
        if examined.errors:
            raise _bad_bars_error(examined, terms, location)
        self.log.passed_checks[str(bars["symbol"].iloc[0]), interval] = examined
        return examined.bars


def format_finding_span(finding: Finding) -> str:
    """First and last bar of a finding, or the one there is."""
    if finding.first == finding.last:
        return str(finding.first)
    return f"{finding.first} to {finding.last}"


def _bad_bars_error(
    checked: CheckedBars, settings: CheckSettings, location: str
) -> InvalidBarsError:
    errors = checked.errors
    symbol = errors[0].symbol
    told = "; ".join(finding.sentence for finding in errors)
    lines = [
        _format_bad_bars(checked.bars, finding, rows, settings)
        for finding, rows in zip(checked.findings, checked.finding_rows, strict=True)
        if finding.severity == "error"
    ]
    error = InvalidBarsError(
        f"bars of {symbol} cannot be trusted: {told}",
        found="\n    ".join(lines),
        where=f"{symbol}: {location}",
        fix=_suggest_fix(checked),
    )
    error.findings = checked.findings
    return error


def _format_bad_bars(
    bars: BarsFrame, finding: Finding, rows: IntVector, settings: CheckSettings
) -> str:
    """The first bars that are wrong, and their values where they are what is wrong."""
    if finding.rule == "gaps":
        return f"gaps: {format_finding_span(finding)}"
    shown = []
    for row in rows[:_MAX_SHOWN_BARS].tolist():
        stamp = format_timestamp(bars["timestamp"].iloc[row], settings.interval)
        values = " ".join(f"{column} {bars[column].iloc[row]:g}" for column in VALUE_COLUMNS)
        shown.append(f"{stamp} ({values})" if finding.rule in _VALUE_RULES else stamp)
    rest = rows.size - len(shown)
    if rest > 0:
        last = format_timestamp(bars["timestamp"].iloc[int(rows[-1])], settings.interval)
        shown.append(f"and {rest} more, the last {last}")
    return f"{finding.rule}: " + ", ".join(shown)


def _suggest_fix(checked: CheckedBars) -> str:
    """The repairs there are, the advice of the rules, and the cut that leaves most bars."""
    repairs = {found.rule: found.repair for found in checked.errors if found.repair}
    asked = ", ".join(f"{rule}: repair" for rule in repairs)
    names = ", ".join(dict.fromkeys(repair for repair in repairs.values() if repair))
    advice = [f"add `quality: {{{asked}}}` to the dataset ({names})"] if repairs else []
    advice += [finding.advice for finding in checked.errors if finding.advice]
    bad = [
        rows
        for finding, rows in zip(checked.findings, checked.finding_rows, strict=True)
        if finding.severity == "error" and finding.rule in _VALUE_RULES
    ]
    if bad:
        advice.append(_suggest_date_range(checked.bars, np.concatenate(bad)))
    return "; or ".join(dict.fromkeys(advice))


def _suggest_date_range(bars: BarsFrame, bad_rows: IntVector) -> str:
    correct = "correct these bars where they come from, or use another source"
    days = bars["timestamp"].dt.floor("D")
    first, last = days.iloc[bad_rows].min(), days.iloc[bad_rows].max()
    after, before = int(np.sum(days > last)), int(np.sum(days < first))
    if max(after, before) < len(bars) / 2:
        return correct
    one_day = pd.Timedelta(days=1)
    if after >= before:
        cut = f"start: {last + one_day:%Y-%m-%d}"
    else:
        cut = f"end: {first - one_day:%Y-%m-%d}"
    return f"add `{cut}` to the dataset, which leaves {max(after, before)} bars; or {correct}"
