"""Bars that the calendar expects and that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import ALWAYS_OPEN, sessions, time_zone
from engine.data.quality.sample import DAY
from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample, Stamps


def gaps(sample: Sample) -> list[Spotted]:
    """Bars are missing between the first and the last.

    On `24/7`, and for weeks everywhere, one is expected every interval; of an exchange, a day's
    bar each session, and of shorter bars one every interval between a session's first and last.
    """
    if sample.instants.size < 2:
        return []
    if sample.calendar == ALWAYS_OPEN or sample.length > DAY:
        return _between(sample, sample.instants)
    dates = _dates(sample)
    if sample.length == DAY:
        return _sessions(sample, dates)
    holes = np.diff(sample.instants) // sample.length - 1
    holes[np.diff(dates) != 0] = 0
    within = _holes(sample, sample.instants, holes)
    return [*within, *_sessions(sample, dates)]


def closed_days(sample: Sample) -> list[Spotted]:
    """A bar lies on a day on which the exchange was closed."""
    if sample.calendar == ALWAYS_OPEN or sample.length > DAY or not sample.instants.size:
        return []
    dates = _dates(sample)
    known = sessions(sample.calendar, int(dates[0]), int(dates[-1]))
    # Nothing is known of the time before the first of them.
    odd = sample.instants[~np.isin(dates, known) & (dates > (known[0] if known.size else dates))]
    rows = np.flatnonzero(np.isin(sample.stamps, odd))
    return [Spotted(rows, "bars lie on days on which the exchange was closed")]


def _between(sample: Sample, instants: Stamps) -> list[Spotted]:
    return _holes(sample, instants, np.diff(instants) // sample.length - 1)


def _holes(sample: Sample, instants: Stamps, holes: Stamps) -> list[Spotted]:
    """Holes after each instant but the last, in bars."""
    after = np.flatnonzero(holes > 0)
    if not after.size:
        return []
    first = int(instants[after[0]]) + sample.length
    last = int(instants[after[-1] + 1]) - sample.length
    rows = np.flatnonzero(np.isin(sample.stamps, instants[after + 1]))
    absent = (first, max(first, last), int(holes[after].sum()))
    return [Spotted(rows, "bars are missing", absent=absent)]


def _sessions(sample: Sample, dates: Stamps) -> list[Spotted]:
    known = sessions(sample.calendar, int(dates[0]), int(dates[-1]))
    absent = known[~np.isin(known, dates)]
    if not absent.size:
        return []
    after = np.searchsorted(dates, absent, side="right")
    rows = np.flatnonzero(np.isin(sample.stamps, sample.instants[after]))
    span = (int(absent[0]) * DAY, int(absent[-1]) * DAY, int(absent.size))
    return [Spotted(rows, "sessions are missing", absent=span)]


def _dates(sample: Sample) -> Stamps:
    """The session's date of each instant, in days since 1970.

    A timestamp at midnight UTC is a date already; another is a moment at the exchange.
    """
    if not (sample.instants % DAY).any():
        return sample.instants // DAY
    moments = pd.to_datetime(sample.instants, unit="us", utc=True)
    local = moments.tz_convert(time_zone(sample.calendar)).tz_localize(None)
    return local.to_numpy(dtype="datetime64[D]").astype(np.int64)
