#!/usr/bin/env bash
# exchange-calendars 4.13.2 with pandas 3.1.1: special Saturday sessions are missing.
#
# Expected: the sessions of an exchange depend on exchange-calendars' own tables alone. Its table
#   for Mumbai (XBOM) lists the Saturdays 2024-01-20 and 2025-02-01 as trading days.
# Seen:     with pandas 3.0.6 both days are sessions. With pandas 3.1.1 and the same release of
#   exchange-calendars neither is, and Moscow (XMOS) has fewer sessions too. Nothing is raised.
#   Such days are kept in a subclass of CustomBusinessDay: its is_on_offset() still says yes, but
#   date_range() of pandas 3.1 filters all days by the base class's mask and asks it no more.
# To do:    count the sessions of your calendar against a pandas below 3.1, or add the days by hand.
#   Else the bar of such a Saturday counts as one of a closed day, and a week closes on Friday.
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"

cat > "$work/sessions.py" <<'PY'
import json
import warnings

import exchange_calendars
import pandas as pd

warnings.simplefilter("ignore", DeprecationWarning)
found = {"pandas": pd.__version__, "exchange-calendars": exchange_calendars.__version__}
mumbai = exchange_calendars.get_calendar("XBOM", start="2024-01-01", end="2025-12-31")
for day in ("2024-01-20", "2025-02-01"):
    found[f"XBOM {day}"] = bool(mumbai.is_session(day))
for name in ("XBOM", "XMOS", "XNYS"):
    calendar = exchange_calendars.get_calendar(name, start="2007-01-01", end="2025-12-31")
    found[f"sessions of {name}"] = len(calendar.sessions)
print(json.dumps(found))
PY

for pandas in 3.0.6 3.1.1; do
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    exchange-calendars==4.13.2 "pandas==$pandas" numpy==2.4.6 2> "$work/pip.log" ||
    { cat "$work/pip.log" >&2; exit 2; }
  "$work/venv/bin/python" "$work/sessions.py" | tee "$work/$pandas.json"
done

"$work/venv/bin/python" - "$work/3.0.6.json" "$work/3.1.1.json" <<'PY'
import json
import sys
from pathlib import Path

older, newer = (json.loads(Path(name).read_text()) for name in sys.argv[1:])
for day in ("XBOM 2024-01-20", "XBOM 2025-02-01"):
    assert older[day] and not newer[day], f"{day} is the same under both"
for name in ("sessions of XBOM", "sessions of XMOS"):
    assert older[name] > newer[name], f"{name} are the same under both"
assert older["sessions of XNYS"] == newer["sessions of XNYS"], "New York, the control, differs"
print("as described: Saturday sessions are lost under pandas 3.1.1")
PY
