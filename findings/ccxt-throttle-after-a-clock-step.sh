#!/usr/bin/env bash
# ccxt 4.5.90: after the wall clock is set back, the rate limit sleeps for as long as the step.
#
# Expected: enableRateLimit keeps requests `rateLimit` milliseconds apart, whatever the clock of the
#   machine is set to meanwhile: a pause is measured on the monotonic clock.
# Seen:     throttle() compares milliseconds() with the wall time of the last request. With the clock
#   set back by an hour it asks for a sleep of an hour and the rate limit, without a word; a step
#   ahead lets the next request go at once, whatever the limit. Both are usual on a laptop that wakes
#   up, and where a machine's clock is corrected while bars are pulled.
# To do:    replace throttle by a pause on time.monotonic(), or set lastRestRequestTimestamp to 0
#   where it lies ahead.
#
# No exchange is contacted and nothing sleeps: the seconds asked for are kept instead.
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ccxt==4.5.90 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" - <<'PY'
import time

import ccxt

print(f"ccxt {ccxt.__version__}")
exchange = ccxt.bitstamp({"enableRateLimit": True})
asked: list[float] = []
time.sleep = asked.append  # the seconds that a call asks for


def seconds_asked(clock_step_s: float) -> float:
    """Of a request right after another one, between which the clock is set by a step."""
    asked.clear()
    exchange.lastRestRequestTimestamp = exchange.milliseconds() - 1000 * clock_step_s
    exchange.throttle(1)
    return sum(asked)


limit = exchange.rateLimit / 1000
found = {step: seconds_asked(step) for step in (0, -3600, 3600)}
for step, seconds in found.items():
    print(f"clock set by {step:+d} s: sleeps {seconds:.2f} s (rate limit {limit:.3f} s)")
assert abs(found[0] - limit) < 0.05, "without a step the pause is another one"
assert abs(found[-3600] - 3600 - limit) < 0.05, "a clock set back no longer lengthens the pause"
assert found[3600] == 0, "a clock set ahead no longer skips the pause"
PY
