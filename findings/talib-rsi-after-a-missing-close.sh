#!/usr/bin/env bash
# TA-Lib 0.8.2 (Python): one missing close makes RSI, CMO and ADX constants for the rest of the data.
#
# Expected: a NaN among the closes makes the value of that bar and of those that depend on it NaN,
#   for the length of the window or, with recursive averages, for good. It shows in isnan().
# Seen:     SMA and EMA do so: NaN from there on. RSI and CMO are 0.0 at that bar and at every later
#   one; ADX repeats its last value for ever. No NaN is left in the output. An RSI of 0 is below any
#   threshold for "oversold": a rule that buys there holds until the end.
# To do:    test np.isfinite(close).all() before the call; drop bars without a close, or fill them
#   from the bar before. A test for NaN in the output finds nothing.
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  TA-Lib==0.8.2 numpy==2.4.6 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import talib

print(f"TA-Lib {version('TA-Lib')} on the C library {talib.__ta_version__.decode()},"
      f" numpy {np.__version__}")

HOLE = 100
whole = 100 * np.cumprod(1 + np.random.default_rng(0).normal(0, 0.01, 300))
holed = whole.copy()
holed[HOLE] = np.nan

INDICATORS = {
    "SMA": lambda close: talib.SMA(close, 10),
    "EMA": lambda close: talib.EMA(close, 10),
    "RSI": lambda close: talib.RSI(close, 14),
    "CMO": lambda close: talib.CMO(close, 14),
    "ADX": lambda close: talib.ADX(close * 1.01, close * 0.99, close, 14),
}
after = {}
for name, indicator in INDICATORS.items():
    after[name] = indicator(holed)[HOLE:]
    print(f"{name}: last value {indicator(whole)[-1]:.2f} with every close,"
          f" {after[name][-1]:.2f} with one missing;"
          f" NaN in {np.isnan(after[name]).sum()} of {len(after[name])} later bars")

for name in ("SMA", "EMA"):
    assert np.isnan(after[name]).all(), f"{name} recovers"
for name in ("RSI", "CMO"):
    assert (after[name] == 0).all(), f"{name} is no longer 0 throughout"
before = INDICATORS["ADX"](holed)[HOLE - 1]
assert (after["ADX"] == before).all(), "ADX no longer repeats its last value"
print("as described: the hole leaves constants, not NaN")
PY
