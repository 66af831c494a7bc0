"""The quality gate: bars pass it before any other use, or an error lists their defects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError
from engine.core.name_lists import join_names
from engine.core.types import PRICE_COLUMNS
from engine.data.bars import format_timestamp, has_volume, is_close_only
from engine.data.quality._check_symbol import CheckedBars, CheckSettings, check_bars
from engine.data.quality._registry import RANGE_RULES, RULES, rule_name
from engine.data.quality._resampling import find_resampling_violations
from engine.data.quality_config import JOINT_RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BarsFrame, IntVector
    from engine.data.calendar import BarInterval
    from engine.data.quality.findings import Finding
    from engine.data.quality_config import QualityPolicy
    from engine.data.resampling import ResampledBars
    from engine.data.resampling_probe import ResamplingProbe
    from engine.data.sessions import DayBegin

_MAX_SHOWN_BARS = 3
_MAX_NOTICES = 4
_MAX_NAMED_SYMBOLS = 4
# Rules about the values of bars: a date range without these bars is a fix.
_VALUE_RULES = frozenset(
    {
        "missing_open",
        "missing_values",
        "nonpositive_prices",
        "negative_volume",
        "price_range",
        "price_scale",
        "volume_scale",
        "missed_splits",
        "unit_errors",
        "bad_ticks",
        "jumps",
        "missed_dividends",
    }
)


@dataclass(frozen=True)
class QualityLog:
    """Findings and repairs of the bars that passed.

    Attributes:
        passed_checks: The last check of the bars of each symbol and interval.
        resampling_probes: Symbol to what was compared of its resampled bars; none where they came
            from the cache, which keeps bars that were compared when they were made.
    """

    passed_checks: dict[tuple[str, BarInterval], CheckedBars] = field(default_factory=dict)
    resampling_probes: dict[str, ResamplingProbe] = field(default_factory=dict)

    def for_symbol(self, symbol: str) -> list[CheckedBars]:
        """The checks of a symbol; those of the finer bars, if it was resampled, come first."""
        return [checked for (name, _), checked in self.passed_checks.items() if name == symbol]

    def notices(self, dataset: str) -> list[str]:
        """Symbols with closes alone, repairs, then warnings: a line per rule, at most four."""
        lines: dict[str, list[str]] = {}
        if self._close_only:
            names = join_names(self._close_only, _MAX_NAMED_SYMBOLS)
            unchecked = ", ".join(map(rule_name, RANGE_RULES))
            lines["closes alone"] = [
                f"{names} without open, high and low, so that {unchecked} are not checked"
            ]
        for (symbol, _), checked in self.passed_checks.items():
            for repair in checked.repairs:
                sentence = f"{symbol} {repair.sentence}"
                lines.setdefault(f"repaired {repair.rule}", []).append(sentence)
        for (symbol, _), checked in self.passed_checks.items():
            for finding in checked.warnings:
                sentence = f"{symbol} {finding.sentence}, {format_finding_span(finding)}"
                lines.setdefault(finding.rule, []).append(sentence)
        notices = [f"{rule}: {'; '.join(sentences)}" for rule, sentences in lines.items()]
        if len(notices) <= _MAX_NOTICES:
            return notices
        rest = len(notices) - _MAX_NOTICES + 1
        more = f"{rest} more kinds of finding: backtest data check {dataset}"
        return [*notices[: _MAX_NOTICES - 1], more]

    @property
    def _close_only(self) -> list[str]:
        """The symbols with closes alone, each once."""
        found = [
            symbol
            for (symbol, _), checked in self.passed_checks.items()
            if is_close_only(checked.bars)
        ]
        return list(dict.fromkeys(found))

    def as_json(self, together: Sequence[Finding] = ()) -> dict[str, Any]:
        """The remaining `findings`, the `repairs` and the checked `rules`, for a manifest.

        Args:
            together: Findings about the symbols together.
        """
        findings = [finding for one in self.passed_checks.values() for finding in one.findings]
        symbols = {symbol for symbol, _ in self.passed_checks}
        skipped = RANGE_RULES if symbols and symbols <= set(self._close_only) else ()
        return {
            "rules": [*(rule_name(one) for one in RULES if one not in skipped), *JOINT_RULES],
            "findings": [finding.as_json() for finding in (*findings, *together)],
            "repairs": [
                repair.as_json() for one in self.passed_checks.values() for repair in one.repairs
            ],
            "resampling": [probe.as_json() for probe in self.resampling_probes.values()],
        }


@dataclass(frozen=True)
class QualityGate:
    """The quality gate of one dataset.

    Attributes:
        calendar: `24/7`, or a code of exchange-calendars.
        policy: The dataset's treatment of the rules.
        now: The present instant; bars that end later are in the future.
        log: Receives the findings and repairs of bars that pass.
        day_begins: When a day begins, where the calendar does not say.
        timezone: Zone in which the source reads timestamps without an offset; None for UTC.
    """

    calendar: str
    policy: QualityPolicy
    now: pd.Timestamp
    log: QualityLog
    day_begins: DayBegin | None = None
    timezone: str | None = None

    def validate(self, bars: BarsFrame, interval: BarInterval, location: str) -> BarsFrame:
        """Returns the bars of one symbol, with the requested repairs, if no error remains.

        Args:
            bars: Bars of one symbol, normalised, unfinished bar dropped; at least one.
            interval: Length of a bar.
            location: Origin of the bars, for the message.

        Raises:
            InvalidBarsError: The bars break a rule of severity `error`. The message names symbol,
                rules, bars and fixes; `findings` has all findings.
        """
        settings = CheckSettings(
            interval, self.now, self.calendar, self.policy, self.day_begins, self.timezone
        )
        checked = check_bars(bars, settings)
        if checked.errors:
            raise _bad_bars_error(checked, settings, location)
        self.log.passed_checks[str(bars["symbol"].iloc[0]), interval] = checked
        return checked.bars

    def validate_resampling(
        self,
        fine: BarsFrame,
        resampled: ResampledBars,
        intervals: tuple[BarInterval, BarInterval],
        location: str,
    ) -> None:
        """Checks what resampling the bars of one symbol leaves out or mixes.

        Args:
            fine: Bars that passed `validate`.
            resampled: What was made of them.
            intervals: Length of a fine bar and of a coarse one.
            location: Origin of the bars, for the message.

        Raises:
            InvalidBarsError: A rule of severity `error` is broken.
        """
        key = (str(fine["symbol"].iloc[0]), intervals[0])
        checked = self.log.passed_checks[key]
        found = find_resampling_violations(fine, resampled, intervals, self.calendar)
        if not found:
            return
        settings = CheckSettings(intervals[0], self.now, self.calendar, self.policy)
        checked = checked.adding(found, settings)
        if checked.errors:
            raise _bad_bars_error(checked, settings, location)
        self.log.passed_checks[key] = checked


def format_finding_span(finding: Finding) -> str:
    """First and last bar of a finding, or its only bar."""
    if finding.first == finding.last:
        return str(finding.first)
    return f"{finding.first} to {finding.last}"


def _bad_bars_error(
    checked: CheckedBars, settings: CheckSettings, location: str
) -> InvalidBarsError:
    errors = checked.errors
    symbol = errors[0].symbol
    sentences = "; ".join(finding.sentence for finding in errors)
    lines = [
        _format_bad_bars(checked.bars, finding, rows, settings)
        for finding, rows in zip(checked.findings, checked.finding_rows, strict=True)
        if finding.severity == "error"
    ]
    error = InvalidBarsError(
        f"bars of {symbol} fail the quality checks: {sentences}",
        found="\n    ".join(lines),
        where=f"{symbol}: {location}",
        fix=_suggest_fix(checked),
    )
    error.findings = checked.findings
    return error


def _format_bad_bars(
    bars: BarsFrame, finding: Finding, rows: IntVector, settings: CheckSettings
) -> str:
    """The first bars that break the rule, with their values if the rule is about values."""
    if finding.rule == "gaps":
        return f"gaps: {format_finding_span(finding)}"
    prices = ("close",) if is_close_only(bars) else PRICE_COLUMNS
    shown, columns = [], (*prices, "volume") if has_volume(bars) else prices
    for row in rows[:_MAX_SHOWN_BARS].tolist():
        stamp = format_timestamp(bars["timestamp"].iloc[row], settings.interval)
        values = " ".join(f"{column} {bars[column].iloc[row]:g}" for column in columns)
        shown.append(f"{stamp} ({values})" if finding.rule in _VALUE_RULES else stamp)
    rest = rows.size - len(shown)
    if rest > 0:
        last = format_timestamp(bars["timestamp"].iloc[int(rows[-1])], settings.interval)
        shown.append(f"and {rest} more, the last {last}")
    return f"{finding.rule}: " + ", ".join(shown)


def _suggest_fix(checked: CheckedBars) -> str:
    """Available repairs, the rules' advice, and the date range that leaves most bars."""
    repairs = {finding.rule: finding.repair for finding in checked.errors if finding.repair}
    treatments = ", ".join(f"{rule}: repair" for rule in repairs)
    names = ", ".join(dict.fromkeys(repair for repair in repairs.values() if repair))
    advice = [f"add `quality: {{{treatments}}}` to the dataset ({names})"] if repairs else []
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
    correct = "correct these bars at their source, or use another source"
    days = bars["timestamp"].dt.floor("D")
    first, last = days.iloc[bad_rows].min(), days.iloc[bad_rows].max()
    after, before = int(np.sum(days > last)), int(np.sum(days < first))
    if max(after, before) < len(bars) / 2:
        return correct
    one_day = pd.Timedelta(days=1)
    if after >= before:
        limit = f"start: {last + one_day:%Y-%m-%d}"
    else:
        limit = f"end: {first - one_day:%Y-%m-%d}"
    return f"add `{limit}` to the dataset, which leaves {max(after, before)} bars; or {correct}"
