"""Program: a year of hourly bars by the bar loop, and the batch that is run again at each bar.

The batch is `signal_of_market`: all features, the stored fits, all forecasts, decisions and the
book of the history so far. It is measured at some bars and scaled to all of them.
Arguments: bars of the year, bars at which the batch is measured. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import pandas as pd
from live_workload import HISTORY, MODELS, following_bars, make_market, make_spec, start_loop

from engine.live.certification import Certification
from engine.live.newest_signal import signal_of_market


def main() -> None:
    """Moves over the year once, and runs the batch at evenly spaced bars."""
    year, samples = int(sys.argv[1]), int(sys.argv[2])
    market, spec = make_market(HISTORY + year), make_spec(MODELS["LSTM(50)"])
    certification, taken = Certification("", "", None), []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        home = Path(folder)
        loop = start_loop(spec, market, home)
        bars = following_bars(market)
        stride = max(1, year // samples)
        loop_s = 0.0
        for number, bar in enumerate(bars):
            start = time.perf_counter()
            outcome = loop.advance(bar)
            loop_s += time.perf_counter() - start
            if number % stride == stride - 1:
                known = market.until(bar.timestamp)
                start = time.perf_counter()
                signal = signal_of_market(
                    spec, known, certification, now=pd.Timestamp.now("UTC"), home=home, workers=1
                )
                taken.append(time.perf_counter() - start)
                assert signal.symbols[0].predicted == next(iter(outcome.row.predicted.values()))
    sys.stdout.write(
        json.dumps(
            {
                "bars": len(bars),
                "loop_s": loop_s,
                "batches_measured": len(taken),
                "batch_median_s": median(taken),
                "batch_scaled_s": sum(taken) / len(taken) * len(bars),
            }
        )
    )


if __name__ == "__main__":
    main()
