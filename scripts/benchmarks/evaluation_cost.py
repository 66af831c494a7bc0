"""`scripts/bench truth`: what the leak certificate and the resamples of a verdict cost."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from program_timing import time_command
from rich.table import Table

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.significance import assess_significance
from engine.selftest.return_processes import ar1, iid_normal

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

STRATEGIES = Path(__file__).parents[2] / "strategies"
BOOKS = ("strategy", "buy_and_hold", "ma_crossover", "mean_reversion", "ridge", "persistence")
RETURNS = {
    "independent returns": lambda rng, bars: iid_normal(rng, bars, volatility=0.01),
    "AR(1) 0.2": lambda rng, bars: ar1(rng, bars, volatility=0.01, coefficient=0.2),
}
"""The less returns hang together, the shorter their blocks and the more of them are drawn."""


def add_arguments(parser: ArgumentParser) -> None:
    """What is run and drawn, and how often."""
    parser.add_argument("--strategy", type=Path, default=STRATEGIES / "micdl.yaml")
    parser.add_argument("--data", help="a dataset's name or path; left out, the offline one")
    parser.add_argument("--no-pages", action="store_true", help="draw none in these runs")
    parser.add_argument("--bars", type=int, default=1_500, help="of the books")
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Runs with every fit stored, and their certificates; books of made-up returns judged."""
    runs = _time_runs(options, log)
    shares = [run["certificate"] / run["total"] for run in runs]
    return {
        "work": {
            "strategy": options.strategy.stem,
            "bars": options.bars,
            "books": len(BOOKS),
            "resamples": options.resamples,
        },
        "run_s": [run["total"] for run in runs],
        "certificate_s": [run["certificate"] for run in runs],
        "certificate_share_pct": [100 * share for share in shares],
        "significance_s": {name: _time_significance(name, options) for name in RETURNS},
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """A line a measurement, a column a round."""
    work = results["work"]
    rounds = len(results["run_s"])
    table = Table(title="seconds, a column a round")
    table.add_column("")
    for number in range(rounds):
        table.add_column(str(number + 1), justify="right")
    table.add_row(f"{work['strategy']}, every fit stored", *_format_cells(results["run_s"], ".2f"))
    table.add_row("  its leak certificate", *_format_cells(results["certificate_s"], ".2f"))
    table.add_row("  per cent of the run", *_format_cells(results["certificate_share_pct"], ".1f"))
    table.add_section()
    drawn = f"{work['resamples']:,} resamples, {work['books']} books, {work['bars']:,} bars"
    for name, seconds in results["significance_s"].items():
        table.add_row(f"{drawn}, {name}", *_format_cells(seconds, ".2f"))
    console.print(table)


def _format_cells(values: Sequence[float], digits: str) -> list[str]:
    return [f"{value:{digits}}" for value in values]


def _time_runs(options: Namespace, log: Callable[[str], None]) -> list[dict[str, float]]:
    """Timings by stage of each run but the first, which fills the store."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        command = [
            str(Path(sys.executable).with_name("backtest")),
            *("run", str(options.strategy), "--quiet", "--json", "--out", f"{folder}/reports"),
            *(("--data", options.data) if options.data else ("--offline",)),
            *(("--no-pages",) if options.no_pages else ()),
        ]
        timings = []
        for turn in range(options.rounds + 1):
            _, told = time_command(command, {"BACKTEST_HOME": f"{folder}/home"})
            manifest = json.loads((Path(told["run_dir"]) / "manifest.json").read_text())
            took = manifest["timings_s"]
            log(f"run {turn}: {took['total']:.1f} s, {manifest['fits']['trained']} fits trained")
            timings.append(took)
    return timings[1:]


def _time_significance(name: str, options: Namespace) -> list[float]:
    seconds = []
    for turn in range(options.rounds):
        rng = np.random.default_rng(turn)
        returns = pd.DataFrame(
            {book: RETURNS[name](rng, options.bars) for book in BOOKS},
            index=pd.date_range("2015-01-01", periods=options.bars, tz="UTC"),
        )
        spec = EvaluationSpec(resamples=options.resamples)
        begin = time.perf_counter()
        assess_significance(returns, periods_per_year=252.0, spec=spec, rng=rng)
        seconds.append(time.perf_counter() - begin)
    return seconds
