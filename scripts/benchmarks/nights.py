"""`scripts/bench nights`: a run every night, one bar longer, beside an earlier build."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arch.data import nasdaq
from program_timing import program_command, time_command
from rich.table import Table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

    from rich.console import Console

ROOT = Path(__file__).parents[2]
EARLIER_BUILD = "00d2800"
"""The last commit in which a fit forecast its own test rows: each new bar was a new fit."""

BARS_PER_YEAR = 252
STRATEGY = """name: nights
data: {dataset: nights}
inputs: target
features:
  - {kind: log_return}
  - {kind: rsi, window: 14}
  - {kind: macd, fast: 12, slow: 26, signal: 9}
  - {kind: volatility, window: 20}
windows: {kind: rolling, train: 3y, validation: 6mo, test: 8mo}
model: {kind: lstm, lookback: 20, units: [50, 25], dropout: 0.2}
training: {epochs: 20, batch_size: 64}
seeds: 2
benchmarks:
  - {kind: buy_and_hold}
  - {kind: ma_crossover, fast: 20, slow: 100}
  - {kind: ridge}
"""
"""The network of `strategies/lstm.yaml`; six windows in eight years."""


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the number of nights and the earlier build."""
    parser.add_argument("--nights", type=int, default=100)
    parser.add_argument("--years", type=int, default=8, help="of daily bars on the last night")
    parser.add_argument("--before", default=EARLIER_BUILD, help="commit to compare with")
    parser.add_argument(
        "--before-nights", type=int, help="nights of that build; its total is scaled to all nights"
    )
    parser.add_argument("--pages", action="store_true", help="draw the pages of each run")


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Runs the nights with both builds, one after the other.

    Every build begins with an empty store. The total leaves the first night out, whose fits are
    those of all windows; it stands beside.
    """
    few = min(options.before_nights or options.nights, options.nights)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        _write_bars(folder, options.years)
        strategy = folder / "nights-strategy.yaml"
        strategy.write_text(STRATEGY)
        first = options.years * BARS_PER_YEAR - options.nights
        command = program_command("night_runs", strategy, folder / "source", first)

        def run(build: Path, nights: int) -> list[dict[str, Any]]:
            _, output = time_command(
                [*command, str(nights), str(int(options.pages))], {"PYTHONPATH": str(build)}
            )
            record: list[dict[str, Any]] = output["nights"]
            return record

        log(f"{options.nights} nights of this build")
        now = run(ROOT, options.nights)
        log(f"{few} nights of {options.before}")
        before = run(_checkout(options.before, folder), few)
    summaries = {
        name: _summarise(each, options.nights) for name, each in (("now", now), ("before", before))
    }
    return {
        "work": {"nights": options.nights, "before": options.before, "before_nights": few},
        **summaries,
        "ratio": _ratio(summaries, "nights_s"),
        "processor_ratio": _ratio(summaries, "processor_s"),
    }


def _ratio(summaries: Mapping[str, Mapping[str, Any]], key: str) -> float:
    return float(summaries["before"][key] / summaries["now"][key])


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a row a build."""
    work = results["work"]
    table = Table(title=f"{work['nights']} nights, each one bar longer; seconds")
    for column in (
        "",
        "first night",
        "other nights",
        "median night",
        "CPU of them",
        "fits trained in them",
    ):
        table.add_column(column, justify="right" if column else "left")
    for name in ("now", "before"):
        row = results[name]
        label = "this build" if name == "now" else work["before"]
        table.add_row(
            label,
            *(f"{row[key]:.2f}" for key in ("first_s", "nights_s", "median_s", "processor_s")),
            f"{row['trained']} in {row['measured']} nights",
        )
    console.print(table)
    console.print(
        f"total of the other nights: {results['ratio']:.1f} times less, of CPU time "
        f"{results['processor_ratio']:.1f}; that of "
        f"{work['before']} is scaled from {work['before_nights']} nights"
    )


def _summarise(record: list[dict[str, Any]], nights: int) -> dict[str, Any]:
    """Seconds of the first night and, scaled to all, of the others."""
    seconds = sorted(night["seconds"] for night in record[1:])
    return {
        "first_s": record[0]["seconds"],
        "nights_s": sum(seconds) / len(seconds) * (nights - 1),
        "processor_s": sum(night["processor_s"] for night in record[1:])
        / len(seconds)
        * (nights - 1),
        "median_s": seconds[len(seconds) // 2],
        "measured": len(seconds),
        "trained": sum(night["trained"] for night in record[1:]),
        "stages_s": record[-1]["stages"],
    }


def _write_bars(folder: Path, years: int) -> None:
    """Real daily bars that the arch package ships."""
    bars = nasdaq.load().iloc[-years * BARS_PER_YEAR :]
    table = bars[["Open", "High", "Low", "Close", "Volume"]].rename(columns=str.lower)
    table.index.name = "timestamp"
    (folder / "source").mkdir()
    table.to_csv(folder / "source" / "NASDAQ.csv", date_format="%Y-%m-%d")


def _checkout(commit: str, folder: Path) -> Path:
    """The files of a commit in a folder of its own."""
    build = folder / "earlier"
    build.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit, "engine", "strategies", "datasets"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    subprocess.run(["tar", "-x", "-C", str(build)], input=archive.stdout, check=True)
    return build
