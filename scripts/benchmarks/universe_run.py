"""Program: one run of a pooled ridge over a universe, everything but the pages."""

from __future__ import annotations

import json
import resource
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from universe_bars import COLUMNS, FEE_BPS, SLIPPAGE_BPS, write_dataset

import engine
from engine.core.book_names import STRATEGY_BOOK
from engine.core.progress import NullProgress
from engine.strategy import Strategy

if TYPE_CHECKING:
    from engine.runs import Run


def cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def make_strategy(manifest: Path, share: float) -> Strategy:
    """Each week long the highest forecasts of a pooled ridge, and short the lowest.

    Args:
        manifest: Of the dataset.
        share: Of the symbols on either side.
    """
    return Strategy.model_validate(
        {
            "name": "universe",
            "data": {"dataset": str(manifest), "targets": "all"},
            "inputs": "target",
            "features": [
                {"kind": "log_return"},
                {"kind": "rsi", "window": 14},
                {"kind": "volatility", "window": 20},
            ],
            "target": {"horizon": 5},
            "windows": {"kind": "rolling", "train": "2y", "validation": "6mo", "test": "1y"},
            "model": {"kind": "ridge", "lookback": 5},
            "scope": "pooled",
            "portfolio": {
                "allocation": {"kind": "long_short", "quantile": share},
                "rebalance": "weekly",
            },
            "costs": {"fee_bps": FEE_BPS, "slippage_bps": SLIPPAGE_BPS},
            "benchmarks": [],
        }
    )


class StageTimes(NullProgress):
    """Seconds of each stage of a run, and the peak memory until its end."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peaks_mb: dict[str, float] = {}
        self._stage, self._began = "start", time.perf_counter()

    def stage(self, name: str) -> None:
        """Ends the stage before."""
        now = time.perf_counter()
        self.seconds[self._stage] = now - self._began
        self.peaks_mb[self._stage] = peak_mb(resource.RUSAGE_SELF)
        self._stage, self._began = name, now


def peak_mb(who: int) -> float:
    """The largest resident memory of this process, or of one that it started."""
    return resource.getrusage(who).ru_maxrss / 1_024


def write_book(run: Run, file: Path) -> None:
    """The weights and the bars of the out-of-sample span, for simulations beside this one."""
    own = run.positions[run.positions["book"] == STRATEGY_BOOK]
    weights = own.pivot_table(index="timestamp", columns="symbol", values="weight")
    wide = {
        name: run.bars.pivot_table(index="timestamp", columns="symbol", values=name)
        .loc[weights.index, weights.columns]
        .to_numpy()
        for name in COLUMNS
    }
    np.savez(
        file,
        timestamp=weights.index.tz_localize(None).to_numpy(),
        symbols=weights.columns.to_numpy(dtype="U"),
        weights=weights.to_numpy(),
        **wide,
    )


def main() -> None:
    """Runs the strategy, and keeps its weights and prices for the simulations beside it."""
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--symbols", type=int, required=True)
    arguments.add_argument("--bars", type=int, required=True)
    arguments.add_argument("--share", type=float, default=0.1)
    arguments.add_argument("--folder", type=Path, required=True)
    options = arguments.parse_args()
    manifest = write_dataset(options.folder, options.symbols, options.bars)
    spec, times = make_strategy(manifest, options.share), StageTimes()
    began, own = time.perf_counter(), cpu_seconds()
    run = engine.run(
        spec,
        home=options.folder / "home",
        out=options.folder / "out",
        workers=2,
        pages=False,
        progress=times,
    )
    seconds, cpu = time.perf_counter() - began, cpu_seconds() - own
    times.stage("end")
    write_book(run, options.folder / "book.npz")
    summary = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "stages": times.seconds,
        "peaks_mb": times.peaks_mb,
        "peak_mb": peak_mb(resource.RUSAGE_SELF),
        "worker_peak_mb": peak_mb(resource.RUSAGE_CHILDREN),
        "out_of_sample_bars": len(run.returns),
        "trades": len(run.trades),
        "run_dir": str(run.run_dir),
    }
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
