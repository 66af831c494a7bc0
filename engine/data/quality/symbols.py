"""Checks the symbols of a dataset together: clocks, look-ahead, and bars that are not shared."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bars import format_timestamp
from engine.data.calendar import (
    ALWAYS_OPEN,
    exchange_timezone,
    interval_length,
    is_daily_or_longer,
)
from engine.data.quality._joint_finding import joint_finding
from engine.data.quality._joint_lookahead import (
    find_lookahead,
    find_survivors,
    intersect_stamps,
)
from engine.data.quality._time_lag import PriceSeries, find_time_lag
from engine.data.quality.rules.clock import (
    ZONES,
    declare_zone,
    format_times_of_day,
    to_local,
)
from engine.data.sessions import DAY_US

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame, IntVector
    from engine.data.config import Dataset
    from engine.data.quality.findings import Finding

MAX_LOST_SHARE = 0.1
"""Bars of a symbol that joining or resampling may leave out; a larger share is an error."""

_KEEP = "a book of several `targets` with `inputs: target` is a panel, which keeps them"

_ACCEPT = "`quality: {%s: warn}` joins them as they are"


def check_symbols(frames: Mapping[str, BarsFrame], dataset: Dataset) -> tuple[Finding, ...]:
    """Findings about the symbols of a dataset together.

    `clocks_differ`: the prices of a symbol, or its times of day, are those of the first symbol
    moved by whole half hours. `not_shared`: of the bars between the latest first bar and the
    earliest last bar of the symbols, more than a tenth of one symbol's lie at times at which
    another has none; joining would lose them. `lagged_returns`: a symbol's returns tell what
    another, or itself, earns some bars later, and not what it does in the same bar. `survivors`:
    five symbols or more, all of which have bars to the end.

    Args:
        frames: Symbol -> validated bars, ascending, in the dataset's order.
        dataset: Interval, calendar and the treatment of the rules.
    """
    series = {symbol: _price_series(bars) for symbol, bars in frames.items()}
    clocks = _find_different_clocks(series, dataset)
    return (
        *clocks,
        *_find_unshared(series, dataset),
        *([] if clocks else find_lookahead(frames, dataset)),
        *find_survivors(frames, dataset),
    )


def check_exchanges(frames: Mapping[str, BarsFrame], dataset: Dataset) -> tuple[Finding, ...]:
    """The same of the symbols of each calendar; those of one close together.

    Args:
        frames: As for `check_symbols`.
        dataset: Interval, calendars and the treatment of the rules.
    """
    by_calendar: dict[str, dict[str, BarsFrame]] = {}
    for symbol, bars in frames.items():
        by_calendar.setdefault(dataset.calendar_of(symbol), {})[symbol] = bars
    return tuple(
        finding
        for own in by_calendar.values()
        for finding in check_symbols(own, dataset.of_symbol(next(iter(own))))
    )


def _find_different_clocks(series: Mapping[str, PriceSeries], dataset: Dataset) -> list[Finding]:
    first, reference = next(iter(series.items()))
    length = interval_length(dataset.interval).value // 1_000
    findings = []
    for symbol, other in list(series.items())[1:]:
        lag = find_time_lag(reference, other, length)
        if lag is None:
            continue
        sentence = (
            f"{len(other.stamps)} of {len(other.stamps)} bars lie {lag} those of "
            f"{first}: {lag.evidence}"
        )
        advice = (
            "declare the time zone of their timestamps with `timezone` of the files source; one "
            "source has one zone, so that timestamps of different zones need their offset in the "
            f"file; {_ACCEPT % 'clocks_differ'}"
        )
        stamps = (other.stamps[0], other.stamps[-1])
        findings.append(
            joint_finding(
                "clocks_differ", symbol, len(other.stamps), stamps, dataset, sentence, advice
            )
        )
    return findings


def _find_unshared(series: Mapping[str, PriceSeries], dataset: Dataset) -> list[Finding]:
    """A finding for each symbol of which more than a tenth of the bars would be lost."""
    stamps = {symbol: each.stamps for symbol, each in series.items()}
    shared = shared_timestamps(stamps)
    if all(np.array_equal(own, shared) for own in stamps.values()):
        return []
    findings = []
    span = _common_span(stamps)
    for symbol, own in stamps.items():
        within = _within_span(own, span)
        lost = within[~np.isin(within, shared)]
        if lost.size <= MAX_LOST_SHARE * within.size:
            continue
        example = format_timestamp(pd.Timestamp(lost[0], unit="us", tz="UTC"), dataset.interval)
        last = format_timestamp(pd.Timestamp(lost[-1], unit="us", tz="UTC"), dataset.interval)
        sentence = (
            f"{lost.size} of {within.size} bars lie at times at which another symbol has none, "
            f"from {example} to {last}{_describe_times(symbol, stamps, dataset)}"
        )
        advice = _advise_unshared(stamps, dataset)
        findings.append(
            joint_finding(
                "not_shared", symbol, lost.size, (lost[0], lost[-1]), dataset, sentence, advice
            )
        )
    return findings


def _describe_times(symbol: str, stamps: Mapping[str, IntVector], dataset: Dataset) -> str:
    """The times of day of daily bars, where they differ."""
    if not is_daily_or_longer(dataset.interval):
        return ""
    own = format_times_of_day(stamps[symbol])
    others = {name: format_times_of_day(each) for name, each in stamps.items() if name != symbol}
    different = [f"those of {name} at {times}" for name, times in others.items() if times != own]
    if not different:
        return ""
    return f": its days lie at {own} UTC, {', '.join(different[:3])}"


def _advise_unshared(stamps: Mapping[str, IntVector], dataset: Dataset) -> str:
    """What makes the symbols share their bars; a zone is named where it was tried and does."""
    zone = _find_label_zone(stamps, dataset) if is_daily_or_longer(dataset.interval) else None
    if zone is not None and dataset.calendar != ALWAYS_OPEN:
        return declare_zone(zone)
    if zone is not None:
        return (
            "days that begin at different times are different bars: use shorter bars and "
            f"declare their `interval` at the source, which makes equal days of them; where the "
            f"times only label the same days, {declare_zone(zone)}"
        )
    fewest = min(stamps, key=lambda name: stamps[name].size)
    return (
        "put symbols that trade at the same times into one dataset "
        f"({fewest} has the fewest bars), or correct their timestamps; {_ACCEPT % 'not_shared'}; "
        f"{_KEEP}"
    )


def _find_label_zone(stamps: Mapping[str, IntVector], dataset: Dataset) -> str | None:
    """The zone whose dates the symbols share, where the times of day of daily bars differ."""
    at_time = [each for each in stamps.values() if (each % DAY_US != 0).mean() > 0.5]
    if not at_time:
        return None
    always = dataset.calendar == ALWAYS_OPEN
    own = "UTC" if always else str(exchange_timezone(dataset.calendar))
    midnights = [
        zone
        for zone in (own, *ZONES)
        if all((to_local(each, zone) % DAY_US == 0).mean() > 0.9 for each in at_time)
    ]
    for zone in [*midnights, own]:
        dates = {name: _to_dates(each, zone) for name, each in stamps.items()}
        shared, span = shared_timestamps(dates), _common_span(dates)
        if all(_lost_share(each, span, shared) <= MAX_LOST_SHARE for each in dates.values()):
            return zone
    return None


def _to_dates(stamps: IntVector, zone: str) -> IntVector:
    """Daily timestamps as dates of a zone; those at midnight UTC are dates already."""
    days = to_local(stamps, zone) // DAY_US * DAY_US
    return np.unique(np.where(stamps % DAY_US == 0, stamps, days))


def shared_timestamps(stamps: Mapping[str, IntVector]) -> IntVector:
    """The timestamps that every symbol has, ascending; each has its own ascending ones."""
    return reduce(intersect_stamps, stamps.values())


def _common_span(stamps: Mapping[str, IntVector]) -> tuple[int, int]:
    """The latest first and the earliest last bar."""
    begin = max(int(each[0]) for each in stamps.values())
    return begin, min(int(each[-1]) for each in stamps.values())


def _within_span(own: IntVector, span: tuple[int, int]) -> IntVector:
    """Bars within a span; all, where it ends before it begins.

    A history that begins later, or ends earlier, shortens the others and is no defect.
    """
    begin, end = span
    return own[(own >= begin) & (own <= end)] if begin <= end else own


def _lost_share(own: IntVector, span: tuple[int, int], shared: IntVector) -> float:
    within = _within_span(own, span)
    return float((~np.isin(within, shared)).mean()) if within.size else 0.0


def _price_series(bars: BarsFrame) -> PriceSeries:
    stamps = bars["timestamp"].to_numpy(dtype="datetime64[us]").astype(np.int64)
    return PriceSeries(stamps, bars["close"].to_numpy(dtype=np.float64))
