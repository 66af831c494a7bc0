#!/usr/bin/env bash
# pandas 3.1.1: 65-minute bars of a stock exchange depend on the day on which the data begin.
#
# Expected: New York trades for 390 minutes: six bars of 65. resample("65min") bins each day alike (its
#   default origin is called "start_day"), and a history one day shorter gives the same later bars.
# Seen:     start_day is midnight of the first day in the data, of no other. 65 does not divide 1440, so
#   the edges move by 10 minutes a day: seven bars a day with stumps of 5 to 60 minutes, and leaving
#   out the first day changes every bar. origin="start" is right on the first day only. Lengths that
#   divide a day keep their place, which is why it is not seen with 15min, 30min or 1h.
# To do:    group by session first, then resample each with origin="start".
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pandas==3.1.1 numpy==2.4.6 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" - <<'PY'
import numpy as np
import pandas as pd

print(f"pandas {pd.__version__}, numpy {np.__version__}")

stamps = [
    minute
    for day in pd.bdate_range("2025-03-03", periods=5)
    for minute in pd.date_range(f"{day:%Y-%m-%d} 09:30", periods=390, freq="min", tz="America/New_York")
]
minutes = pd.Series(1, index=pd.DatetimeIndex(stamps))


def minutes_in_bars(series: pd.Series, **options: str) -> dict[str, list[int]]:
    """How many minutes each bar holds, by day."""
    bars = series.resample("65min", **options).sum()
    bars = bars[bars > 0]
    return {f"{day:%d}": held.tolist() for day, held in bars.groupby(bars.index.date)}


by_default = minutes_in_bars(minutes)
shorter = minutes_in_bars(minutes["2025-03-04":])
from_start = minutes_in_bars(minutes, origin="start")
by_session = {}
for _, session in minutes.groupby(minutes.index.date):
    by_session |= minutes_in_bars(session, origin="start")
for name in ("by_default", "shorter", "from_start", "by_session"):
    print(name, *globals()[name].items(), sep="\n  ")

assert by_default["03"] == [15, 65, 65, 65, 65, 65, 50], "the first day has other bars"
assert by_default["04"] == [5, 65, 65, 65, 65, 65, 60], "the second day has other bars"
assert shorter["04"] != by_default["04"], "bars no longer depend on the first day"
assert from_start["03"] == [65] * 6 != from_start["04"], "origin='start' is right on later days"
assert all(bars == [65] * 6 for bars in by_session.values()), "the remedy fails"
print("as described: the edges move by 10 minutes a day")
PY
