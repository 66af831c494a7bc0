"""Program: resident memory of the bar loop over many bars; bars are drawn, not kept.

Arguments: number of bars. Prints one JSON object: bytes at some bars, after a warm-up.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from live_workload import HISTORY, MODELS, endless_bars, make_market, make_spec, start_loop

WARM_UP_BARS = 2_000
READINGS = 20


def main() -> None:
    """Moves over the bars and prints the readings."""
    count = int(sys.argv[1])
    market = make_market(HISTORY)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        loop = start_loop(make_spec(MODELS["LSTM(50)"]), market, Path(folder))
    (symbol,), last = market.symbols, market.bars.iloc[-1]
    first = last["timestamp"] + pd.Timedelta(hours=1)
    bars = endless_bars(symbol, first, float(last["close"]))
    readings = []
    start = 0.0
    for number, bar in zip(range(WARM_UP_BARS + count), bars, strict=False):
        if number == WARM_UP_BARS:
            start = time.perf_counter()
        if number >= WARM_UP_BARS and (number - WARM_UP_BARS) % max(1, count // READINGS) == 0:
            readings.append(_resident_bytes())
        loop.advance(bar)
    readings.append(_resident_bytes())
    seconds = time.perf_counter() - start
    sys.stdout.write(json.dumps({"bars": count, "seconds": seconds, "bytes": readings}))


def _resident_bytes() -> int:
    """Resident memory now; where the system does not say, the largest so far."""
    gc.collect()
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
