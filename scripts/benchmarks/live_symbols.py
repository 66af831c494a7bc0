"""Program: a bar of many symbols by the bar loop: all their features, and one decision.

Arguments: numbers of symbols, comma-separated; bars of each. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from live_workload import HISTORY, MODELS, following_bars, make_market, make_spec, start_loop

WARM_UP_BARS = 5
LONGEST_TURN = 60
"""Bars of a turn: many of a few symbols, one of many, so that no turn starts with cold caches."""


def main() -> None:
    """Moves over the bars of each market in turn, and prints CPU milliseconds a bar."""
    counts, turns = [int(number) for number in sys.argv[1].split(",")], int(sys.argv[2])
    in_turn = {count: max(1, LONGEST_TURN // count) for count in counts}
    loops, waiting = {}, {}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for count in counts:
            bars = WARM_UP_BARS + turns * in_turn[count]
            market = make_market(HISTORY + bars, count)
            loops[count] = start_loop(make_spec(MODELS["LSTM(50)"]), market, Path(folder))
            waiting[count] = following_bars(market)
    taken: dict[int, list[float]] = {count: [] for count in counts}
    for count in counts:
        for bar in waiting[count][:WARM_UP_BARS]:
            loops[count].advance(bar)
    for turn in range(turns):
        for count in counts:
            first = WARM_UP_BARS + turn * in_turn[count]
            for bar in waiting[count][first : first + in_turn[count]]:
                start = time.process_time()
                loops[count].advance(bar)
                taken[count].append(time.process_time() - start)
    medians = {str(count): 1e3 * float(np.median(seconds)) for count, seconds in taken.items()}
    sys.stdout.write(json.dumps(medians))


if __name__ == "__main__":
    main()
