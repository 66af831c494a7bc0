"""`scripts/bench truth`: run time of the leakage test, of the bootstrap and of a long ledger."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from ledger_cost import time_ledger
from program_timing import time_command
from rich.table import Table

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.evidence import VerdictInputs
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
"""Less autocorrelated returns have shorter blocks, so that more blocks are drawn."""


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the strategy, the sizes and the number of rounds."""
    parser.add_argument("--strategy", type=Path, default=STRATEGIES / "micdl.yaml")
    parser.add_argument("--data", help="name or path of a dataset; default: the offline one")
    parser.add_argument("--no-pages", action="store_true", help="write no pages")
    parser.add_argument("--bars", type=int, default=1_500, help="of each book")
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--ledger-rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Times runs with stored fits, their leakage tests, and the inference on random returns."""
    runs = _time_runs(options, log)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        ledger_s, looks = time_ledger(
            options.strategy, Path(folder), options.ledger_rows, options.bars, options.rounds
        )
    shares = [run["certificate"] / run["total"] for run in runs]
    return {
        "work": {
            "strategy": options.strategy.stem,
            "bars": options.bars,
            "books": len(BOOKS),
            "resamples": options.resamples,
            "ledger_rows": options.ledger_rows,
            "looks": looks,
        },
        "run_s": [run["total"] for run in runs],
        "certificate_s": [run["certificate"] for run in runs],
        "certificate_share_pct": [100 * share for share in shares],
        "evaluation_s": [run["evaluation"] for run in runs],
        "ledger_cpu_s": ledger_s,
        "significance_s": {name: _time_significance(name, options) for name in RETURNS},
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints one row for each measurement, one column for each round."""
    work = results["work"]
    rounds = len(results["run_s"])
    table = Table(title="seconds, one column per round")
    table.add_column("")
    for number in range(rounds):
        table.add_column(str(number + 1), justify="right")
    table.add_row(f"{work['strategy']}, every fit stored", *_format_cells(results["run_s"], ".2f"))
    table.add_row("  its leakage test", *_format_cells(results["certificate_s"], ".2f"))
    table.add_row("  per cent of the run", *_format_cells(results["certificate_share_pct"], ".1f"))
    table.add_row("  its evaluation", *_format_cells(results["evaluation_s"], ".2f"))
    ledger = f"  CPU, ledger of {work['ledger_rows']:,} runs, {work['looks']} looks"
    table.add_row(ledger, *_format_cells(results["ledger_cpu_s"], ".3f"))
    table.add_section()
    label = f"{work['resamples']:,} resamples, {work['books']} books, {work['bars']:,} bars"
    for name, seconds in results["significance_s"].items():
        table.add_row(f"{label}, {name}", *_format_cells(seconds, ".2f"))
    console.print(table)


def _format_cells(values: Sequence[float], digits: str) -> list[str]:
    return [f"{value:{digits}}" for value in values]


def _time_runs(options: Namespace, log: Callable[[str], None]) -> list[dict[str, float]]:
    """Timings by stage of each run except the first, which fills the store."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        command = [
            str(Path(sys.executable).with_name("backtest")),
            *("run", str(options.strategy), "--quiet", "--json", "--out", f"{folder}/reports"),
            *(("--data", options.data) if options.data else ("--offline",)),
            *(("--no-pages",) if options.no_pages else ()),
        ]
        timings = []
        for turn in range(options.rounds + 1):
            _, output = time_command(command, {"BACKTEST_HOME": f"{folder}/home"})
            manifest = json.loads((Path(output["run_dir"]) / "manifest.json").read_text())
            seconds = manifest["timings_s"]
            log(
                f"run {turn}: {seconds['total']:.1f} s, {manifest['fits']['trained']} fits trained"
            )
            timings.append(seconds)
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
        start = time.perf_counter()
        assess_significance(VerdictInputs(returns, 252.0), spec, rng)
        seconds.append(time.perf_counter() - start)
    return seconds
