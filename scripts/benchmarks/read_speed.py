"""`scripts/bench read`: a file of a million bars is read and checked, beside an earlier build."""

from __future__ import annotations

import gzip
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from program_timing import program_command, time_command
from rich.table import Table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

    from rich.console import Console

ROOT = Path(__file__).parents[2]
EARLIER_BUILD = "6058557"
"""The last commit in which pandas parsed every file, and rules looked closely at every bar."""

FIRST_MINUTE = np.datetime64("2017-08-17T04:00", "s")
MANIFEST = """name: read
interval: 1m
calendar: 24/7
symbols: [X]
sources: [{kind: files, path: ., pattern: "{symbol}.csv.gz"}]
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the size of the file, how it writes its timestamps, and the earlier build."""
    parser.add_argument("--bars", type=int, default=1_165_968, help="one-minute bars in the file")
    parser.add_argument("--rounds", type=int, default=3, help="times that each build reads it")
    parser.add_argument("--before", default=EARLIER_BUILD, help="commit to compare with")
    parser.add_argument(
        "--stamps", choices=("text", "seconds"), default="text", help="form of the timestamps"
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Reads and checks one file with both builds in alternation, each time in a new process."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        log(f"a file of {options.bars:,} made-up bars")
        _write_bars(folder / "X.csv.gz", options.bars, options.stamps)
        (folder / "read.yaml").write_text(MANIFEST)
        builds = {"now": ROOT, "before": _checkout(options.before, folder)}
        records: dict[str, list[dict[str, Any]]] = {build: [] for build in builds}
        for turn in range(options.rounds):
            for build, root in builds.items():
                command = program_command("read_runs", folder / "read.yaml")
                _, record = time_command(command, {"PYTHONPATH": str(root)})
                log(f"round {turn + 1} of {options.rounds}: {build} {record['seconds']:.2f} s")
                records[build].append(record)
        size_mb = (folder / "X.csv.gz").stat().st_size / 2**20
    now, before = (_summarise(records[build]) for build in ("now", "before"))
    return {
        "work": {
            "bars": options.bars,
            "file_mb": size_mb,
            "stamps": options.stamps,
            "before": options.before,
            "rounds": options.rounds,
        },
        "now": now,
        "before": before,
        "ratio": before["seconds"] / now["seconds"],
        "processor_ratio": before["processor_s"] / now["processor_s"],
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a row a build."""
    work = results["work"]
    table = Table(
        title=f"{work['bars']:,} one-minute bars from a gzipped CSV of {work['file_mb']:.0f} MB, "
        f"read and checked; medians of {work['rounds']}"
    )
    for column in ("", "seconds", "processor seconds", "peak memory, MB", "bars", "findings"):
        table.add_column(column, justify="right" if column else "left")
    for build in ("now", "before"):
        row = results[build]
        label = "this build" if build == "now" else work["before"]
        table.add_row(
            label,
            f"{row['seconds']:.2f}",
            f"{row['processor_s']:.2f}",
            f"{row['peak_mb']:.0f}",
            f"{row['bars']:,}",
            f"{row['findings']}",
        )
    console.print(table)
    console.print(
        f"{results['ratio']:.1f} times faster, with {results['processor_ratio']:.1f} times less "
        "processor time"
    )


def _summarise(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the times, the highest peak, and the counts of the last round."""
    return {
        **records[-1],
        **{key: statistics.median(r[key] for r in records) for key in ("seconds", "processor_s")},
        "peak_mb": max(record["peak_mb"] for record in records),
    }


def _write_bars(path: Path, count: int, stamps: str) -> None:
    """A random walk with six decimals, as an exchange of coins writes its prices."""
    rng = np.random.default_rng(11)
    closes = 4_000 * np.exp(np.cumsum(rng.normal(0, 7e-4, count)))
    opens = np.r_[4_000, closes[:-1]]
    highs = np.maximum(opens, closes) * (1 + rng.exponential(3e-4, count))
    lows = np.minimum(opens, closes) * (1 - rng.exponential(3e-4, count))
    volumes = rng.exponential(20, count)
    seconds = FIRST_MINUTE + 60 * np.arange(count)
    times = np.datetime_as_string(seconds) if stamps == "text" else seconds.astype(np.int64)
    with gzip.open(path, "wt", compresslevel=6) as file:
        file.write("timestamp,open,high,low,close,volume\n")
        for time, *prices, volume in zip(
            times.tolist(), opens, highs, lows, closes, volumes, strict=True
        ):
            stamp = time.replace("T", " ") if isinstance(time, str) else time
            cells = ",".join(f"{price:.6f}" for price in prices)
            file.write(f"{stamp},{cells},{volume:.8f}\n")


def _checkout(commit: str, folder: Path) -> Path:
    """The engine of a commit in a folder of its own."""
    build = folder / "earlier"
    build.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit, "engine"], cwd=ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "-x", "-C", str(build)], input=archive.stdout, check=True)
    return build
