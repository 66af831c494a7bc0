#!/usr/bin/env bash
# ta 0.11.0: KST and the visual Ichimoku lines show values made of later bars, even with fillna=False.
#
# Expected: with fillna=False an indicator is NaN until it has bars enough, and the value of a bar
#   depends on that bar and earlier ones. KST's slowest part needs 30 + 15 bars: first value at 44.
# Seen:     KST begins at bar 14. Until bar 43 the closes it lacks are replaced by the mean of the
#   whole column, so that changing bars 200 to 299 alone changes KST at bars 14 to 43 by more than
#   100 points. IchimokuIndicator(visual=True) fills its first 26 rows in the same way.
# To do:    blank the first 44 values of KST and the first 26 of both Ichimoku spans, or compute them
#   from shift() without a fill. Try every indicator so: change late bars, compare early values.
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ta==0.11.0 pandas==3.1.1 numpy==2.4.6 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import pandas as pd
from ta.trend import IchimokuIndicator, KSTIndicator

print(*(f"{name} {version(name)}" for name in ("ta", "pandas", "numpy")), sep=", ")

CHANGED_FROM = 200
close = pd.Series(100 * np.exp(np.random.default_rng(0).normal(0, 0.01, 300).cumsum()))
other = close.where(close.index < CHANGED_FROM, close * 1.5)


def kst(price: pd.Series) -> pd.Series:
    return KSTIndicator(price, fillna=False).kst()


def span(price: pd.Series) -> pd.Series:
    return IchimokuIndicator(price * 1.01, price * 0.99, visual=True, fillna=False).ichimoku_a()


def rows_moved(indicator) -> list[int]:
    """The rows before the change at which the indicator differs all the same."""
    moved = (indicator(close) - indicator(other)).abs()[:CHANGED_FROM]
    rows = moved.index[moved > 1e-6].tolist()
    print(f"{indicator.__name__}: first value at bar {indicator(close).first_valid_index()};"
          f" rows {rows[0]}..{rows[-1]} move by up to {moved.max():.1f}" if rows else "none moves")
    return rows


assert rows_moved(kst) == list(range(14, 44)), "KST's first rows are other ones now"
assert (kst(close) - kst(other)).abs()[:CHANGED_FROM].max() > 100, "KST moves less"
assert rows_moved(span) == list(range(26)), "Ichimoku's first rows are other ones now"
print("as described: early values are made of later bars")
PY
