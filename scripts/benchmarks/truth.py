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
from contest import timed
from rich.table import Table

from engine.evaluation.significance import significance
from engine.evaluation.spec import EvaluationSpec
from engine.selftest.processes import autoregressive, independent

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

STRATEGIES = Path(__file__).parents[2] / "strategies"
BOOKS = ("strategy", "buy_and_hold", "ma_crossover", "mean_reversion", "ridge", "persistence")
RETURNS = {
    "independent returns": lambda rng, bars: independent(rng, bars, deviation=0.01),
    "AR(1) 0.2": lambda rng, bars: autoregressive(rng, bars, deviation=0.01, coefficient=0.2),
}
"""The less returns hang together, the shorter their blocks and the more of them are drawn."""


def add_arguments(arguments: ArgumentParser) -> None:
    """What is run and drawn, and how often."""
    arguments.add_argument("--strategy", type=Path, default=STRATEGIES / "micdl.yaml")
    arguments.add_argument("--data", help="a dataset's name or path; left out, the offline one")
    arguments.add_argument("--no-pages", action="store_true", help="draw none in these runs")
    arguments.add_argument("--bars", type=int, default=1_500, help="of the books")
    arguments.add_argument("--resamples", type=int, default=10_000)
    arguments.add_argument("--rounds", type=int, default=3)


def measure(given: Namespace, tell: Callable[[str], None]) -> dict[str, Any]:
    """Runs with every fit stored, and their certificates; books of made-up returns judged."""
    runs = _runs(given, tell)
    shares = [run["certificate"] / run["total"] for run in runs]
    return {
        "work": {
            "strategy": given.strategy.stem,
            "bars": given.bars,
            "books": len(BOOKS),
            "resamples": given.resamples,
        },
        "run_s": [run["total"] for run in runs],
        "certificate_s": [run["certificate"] for run in runs],
        "certificate_share_pct": [100 * share for share in shares],
        "significance_s": {name: _judged(name, given) for name in RETURNS},
    }


def show(found: Mapping[str, Any], console: Console) -> None:
    """A line a measurement, a column a round."""
    work = found["work"]
    rounds = len(found["run_s"])
    table = Table(title="seconds, a column a round")
    table.add_column("")
    for number in range(rounds):
        table.add_column(str(number + 1), justify="right")
    table.add_row(f"{work['strategy']}, every fit stored", *_cells(found["run_s"], ".2f"))
    table.add_row("  its leak certificate", *_cells(found["certificate_s"], ".2f"))
    table.add_row("  per cent of the run", *_cells(found["certificate_share_pct"], ".1f"))
    table.add_section()
    drawn = f"{work['resamples']:,} resamples, {work['books']} books, {work['bars']:,} bars"
    for name, seconds in found["significance_s"].items():
        table.add_row(f"{drawn}, {name}", *_cells(seconds, ".2f"))
    console.print(table)


def _cells(values: Sequence[float], digits: str) -> list[str]:
    return [f"{value:{digits}}" for value in values]


def _runs(given: Namespace, tell: Callable[[str], None]) -> list[dict[str, float]]:
    """Timings by stage of each run but the first, which fills the store."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        command = [
            str(Path(sys.executable).with_name("backtest")),
            *("run", str(given.strategy), "--quiet", "--json", "--out", f"{folder}/reports"),
            *(("--data", given.data) if given.data else ("--offline",)),
            *(("--no-pages",) if given.no_pages else ()),
        ]
        timings = []
        for turn in range(given.rounds + 1):
            _, told = timed(command, {"BACKTEST_HOME": f"{folder}/home"})
            manifest = json.loads((Path(told["run_dir"]) / "manifest.json").read_text())
            took = manifest["timings_s"]
            tell(f"run {turn}: {took['total']:.1f} s, {manifest['fits']['trained']} fits trained")
            timings.append(took)
    return timings[1:]


def _judged(name: str, given: Namespace) -> list[float]:
    seconds = []
    for turn in range(given.rounds):
        rng = np.random.default_rng(turn)
        returns = pd.DataFrame(
            {book: RETURNS[name](rng, given.bars) for book in BOOKS},
            index=pd.date_range("2015-01-01", periods=given.bars, tz="UTC"),
        )
        spec = EvaluationSpec(resamples=given.resamples)
        begin = time.perf_counter()
        significance(returns, periods_per_year=252.0, spec=spec, rng=rng)
        seconds.append(time.perf_counter() - begin)
    return seconds
