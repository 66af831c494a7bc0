"""Prints the sessions of every calendar of exchange-calendars, as JSON.

`tests/data/calendar_table.json` is its output under a pandas that steps special trading days
rightly, in an environment of its own:

    python -m venv table
    table/bin/pip install exchange-calendars==4.13.2 pandas==3.0.6
    table/bin/python scripts/calendar_table.py > tests/data/calendar_table.json
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from typing import Any

import exchange_calendars
import numpy as np
import pandas as pd

FIRST, LAST = pd.Timestamp("1970-01-01"), pd.Timestamp("2026-12-31")


def describe(schedule: pd.DataFrame) -> dict[str, Any]:
    """The sessions of a calendar.

    Returns:
        `first` year, number of `sessions` of each year from then on, and `sha256`: first 16 hex
        digits over dates, opens, starts and ends of breaks, and closes, each a whole column of
        int64 seconds since 1970 (the least int64 where there is none), little-endian.
    """
    index = pd.DatetimeIndex(schedule.index)
    first = int(index[0].year)
    digest = hashlib.sha256()
    for values in (index, *(schedule[name] for name in ("open", "break_start", "break_end"))):
        digest.update(_seconds(values))
    digest.update(_seconds(schedule["close"]))
    return {
        "first": first,
        "sessions": np.bincount(index.year - first).tolist(),
        "sha256": digest.hexdigest()[:16],
    }


def _seconds(values: pd.Index | pd.Series) -> bytes:
    stamps = pd.DatetimeIndex(values)
    naive = stamps.tz_convert(None) if stamps.tz is not None else stamps
    return naive.to_numpy().astype("datetime64[s]").astype("<i8").tobytes()


def main() -> None:
    """Prints one line a calendar."""
    warnings.simplefilter("ignore")
    lines = []
    for name in exchange_calendars.get_calendar_names(include_aliases=False):
        kind = type(exchange_calendars.get_calendar(name))
        first, last = max(kind.bound_min() or FIRST, FIRST), kind.default_end()
        schedule = kind(start=first, end=last).schedule.loc[:LAST]
        lines.append(f"{json.dumps(name)}: {json.dumps(describe(schedule))}")
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
