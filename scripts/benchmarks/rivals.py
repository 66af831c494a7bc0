"""`scripts/bench rivals`: functions that look ahead, found by this engine and by other tools."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from program_timing import SCRIPTS_FOLDER, ProgramError
from rich.table import Table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

ROOT = Path(__file__).parents[2]
PINNED = {"nullcheck": "0.2.5"}
"""Other tools and their versions, installed into an environment of their own."""

ENGINE = "this engine"


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the environment of the other tools."""
    parser.add_argument(
        "--environment",
        type=Path,
        help="folder of the virtual environment, kept; default: a new one, removed at the end",
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Every tool probes the same functions in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        python = _prepare(options.environment or Path(name) / "venv", log)
        commands = {
            ENGINE: [sys.executable, str(SCRIPTS_FOLDER / "rival_engine.py")],
            f"nullcheck {PINNED['nullcheck']}": [
                str(python),
                str(SCRIPTS_FOLDER / "rival_nullcheck.py"),
            ],
        }
        tools = {}
        for tool, command in commands.items():
            log(f"{tool} probes")
            tools[tool] = json.loads(_run(command))
    return {"tools": tools}


def _prepare(environment: Path, log: Callable[[str], None]) -> Path:
    """The Python of an environment with the pinned tools."""
    python = environment / "bin" / "python"
    if not python.is_file():
        log(f"installing {', '.join(f'{name} {version}' for name, version in PINNED.items())}")
        _run([sys.executable, "-m", "venv", str(environment)])
        wanted = [f"{name}=={version}" for name, version in PINNED.items()]
        _run([str(python), "-m", "pip", "install", "--quiet", *wanted])
    return python


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise ProgramError(done.stderr[-2_000:])
    return done.stdout


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a column a tool."""
    tools = results["tools"]
    table = Table(title="functions that look ahead, and honest ones")
    table.add_column("", no_wrap=True)
    for tool in tools:
        table.add_column(tool, justify="right", no_wrap=True)
    for kind, label in (("leaky", "classic leaks found"), ("honest", "false alarms")):
        table.add_row(label, *(_count(tool[kind]) for tool in tools.values()))
    first = next(iter(tools.values()))
    for share in first["shares"]:
        cells = (f"{tool['shares'][share]} of 20" for tool in tools.values())
        table.add_row(f"leaks at {float(share):.0%} of the bars found", *cells)
    for kind in ("honest", "leaky"):
        cells = (f"{_seconds(tool[kind]):.2f}" for tool in tools.values())
        table.add_row(f"seconds for all {kind} functions", *cells)
    for name in first["honest"]:
        cells = (f"{tool['honest'][name]['seconds']:.2f}" for tool in tools.values())
        table.add_row(f"  {name}", *cells)
    console.print(table)


def _count(rows: Mapping[str, Any]) -> str:
    return f"{sum(row['found'] for row in rows.values())} of {len(rows)}"


def _seconds(rows: Mapping[str, Any]) -> float:
    return float(sum(row["seconds"] for row in rows.values()))
