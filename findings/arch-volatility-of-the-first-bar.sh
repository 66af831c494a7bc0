#!/usr/bin/env bash
# arch 8.0.0: with parameters held fixed, a GARCH volatility of an early bar depends on later bars.
#
# Expected: sigma²(t) = omega + alpha·r²(t-1) + beta·sigma²(t-1) looks back only. With parameters fixed
#   beforehand through .fix() (nothing is estimated from these returns) conditional_volatility at
#   bar t is known at bar t, and can be a feature of a backtest.
# Seen:     the recursion starts from a weighted mean of the first 75 squared returns: larger returns
#   from bar 50 on raise the volatility of bar 0 by more than a quarter. With the default
#   mean="Constant" one large return at the very last bar moves bar 0 too, although mu is fixed:
#   the start is taken about the mean of the whole sample.
# To do:    use mean="Zero" and do not trade on the first 75 values; or run the recursion yourself,
#   from a variance that was measured on earlier data.
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  arch==8.0.0 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from arch import arch_model

print(*(f"{name} {version(name)}" for name in ("arch", "numpy", "scipy", "statsmodels")), sep=", ")

GARCH = (0.05, 0.08, 0.90)
FIXED = {"Zero": GARCH, "Constant": (0.0, *GARCH)}
returns = np.random.default_rng(0).normal(size=400)


def volatility(values: np.ndarray, mean: str) -> np.ndarray:
    return arch_model(values, mean=mean, rescale=False).fix(FIXED[mean]).conditional_volatility


def change_at_bar_0(mean: str, changed_from: int) -> float:
    """Relative change of the first bar's volatility when later returns are four times as large."""
    later = returns.copy()
    later[changed_from:] *= 4
    change = volatility(later, mean)[0] / volatility(returns, mean)[0] - 1
    print(f"mean={mean}: bars {changed_from}.. times 4 change bar 0 by {change:+.2%}")
    return float(change)


assert change_at_bar_0("Zero", 50) > 0.25, "bar 50 no longer matters to bar 0"
assert change_at_bar_0("Zero", 75) == 0, "bars after the 75th matter to bar 0 now"
assert change_at_bar_0("Constant", 75) > 0.01, "the sample mean no longer matters"

last = returns.copy()
last[-1] = 30
change = volatility(last, "Constant")[0] / volatility(returns, "Constant")[0] - 1
print(f"mean=Constant: a last return of 30 changes bar 0 by {change:+.2%}")
assert change > 0.001, "the last bar no longer matters to the first"
print("as described: the first volatilities know later returns")
PY
