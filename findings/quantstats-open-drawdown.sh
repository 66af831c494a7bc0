#!/usr/bin/env bash
# quantstats 0.0.86: a drawdown that has not ended is listed as over, or is not listed at all.
#
# Expected: drawdown_details() lists the deepest fall, the same one that max_drawdown() gives, and
#   leaves its end open if equity has not come back to its peak.
# Seen:     (a) the end of such a fall is the last day of the data. The HTML report takes that column
#   for its heading "Recovered". (b) If the very first return is a loss that is never made good, the
#   table is empty although max_drawdown() is right; the same loss one day later is in the table.
# To do:    read an end on the last day as "not recovered" unless to_drawdown_series() is 0 there,
#   and put one return of 0 before the first.
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MPLCONFIGDIR=$work/matplotlib
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  quantstats==0.0.86 pandas==3.1.1 numpy==2.4.6 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" -W ignore - <<'PY'
import inspect
from importlib.metadata import version

import pandas as pd
import quantstats
from quantstats import stats

print(*(f"{name} {version(name)}" for name in ("quantstats", "pandas", "numpy")), sep=", ")

days = pd.bdate_range("2024-01-02", periods=60)
ripple = [0.001, -0.002] * 29
late = pd.Series([0.0, -0.05, *ripple], index=days)
early = pd.Series([-0.05, *ripple, 0.0], index=days)


def table(returns: pd.Series) -> pd.DataFrame:
    depth = stats.to_drawdown_series(returns)
    found = stats.drawdown_details(depth)
    print(f"max_drawdown {stats.max_drawdown(returns):.4f}, depth on the last day {depth.iloc[-1]:.4f}")
    print(found[["start", "end", "max drawdown"]].to_string())
    assert depth.iloc[-1] < -0.05, "the fall has to be unrecovered for this to mean anything"
    return found


last_day = f"{days[-1]:%Y-%m-%d}"
assert table(late)["end"].tolist() == [last_day], "an open drawdown no longer ends on the last day"
assert table(early).empty, "a fall from the first day on is listed now"
assert abs(stats.max_drawdown(early) - stats.max_drawdown(late)) < 1e-9

headings = '"Started", "Recovered", "Drawdown", "Days"'
assert headings in inspect.getsource(quantstats.reports), "the report has other headings now"
print("as described: an open drawdown is reported as recovered, or not reported")
PY
