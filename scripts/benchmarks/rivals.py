"""`scripts/bench rivals`: other tools that judge backtests, on the same functions and returns."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rival_samples
import rival_speed
import rival_tables
from program_timing import SCRIPTS_FOLDER, ProgramError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

ROOT = Path(__file__).parents[2]
PINNED = {
    "monte-neo": "0.54.0",
    "tokio-ai": "0.7.0",
    "nullcheck": "0.2.5",
    "nullbar": "0.7.1",
    "nullius": "0.1.0",
    "quantproof": "0.1.5",
    "quant-harness": "0.4.1",
    "sharpebench": "0.28.0",
    "fullbacktester": "0.1.0",
    "holdout-backtest": "0.1.0",
}
"""Other tools and their versions, installed into an environment of their own."""

ENGINE = "this engine"
PROBED = ("nullcheck", "monte-neo", "nullius", "nullbar", "tokio-ai", "fullbacktester")
COMPUTED = tuple(name for name in PINNED if name != "nullcheck")


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the environment of the other tools, and the parts."""
    parser.add_argument(
        "--environment",
        type=Path,
        help="folder of the virtual environment, kept; default: a new one, removed at the end",
    )
    parser.add_argument(
        "--only",
        choices=("functions", "statistics", "speed"),
        help="one part: functions that look ahead, printed examples and noise, or the time of a "
        "million bars; default: all three",
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Every tool works in a process of its own; those of others have no network and a new home."""
    results: dict[str, Any] = {"versions": PINNED}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        python = _prepare(options.environment or folder / "venv", log)
        if options.only in {None, "functions"}:
            results["functions"] = _measure_functions(python, folder, log)
        if options.only in {None, "statistics"}:
            results["statistics"] = _measure_statistics(python, folder, log)
        if options.only in {None, "speed"}:
            commands = rival_speed.write_bars(folder, python.with_name("monte-neo-verify"))
            commands["monte-neo"] = [*_sealed(), *commands["monte-neo"]]
            results["speed"] = rival_speed.time_in_turn(commands, folder, log)
    return results


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a table of each part."""
    for part, make in rival_tables.TABLES.items():
        if part in results:
            console.print(make(results[part], results["versions"]))


def _measure_functions(
    python: Path, home: Path, log: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    tools = {ENGINE: _run_own("probes")}
    for tool in PROBED:
        log(f"{tool} probes functions")
        tools[tool] = _run_other(python, home, "rival_probes.py", tool)
    return tools


def _measure_statistics(
    python: Path, home: Path, log: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    samples = home / "samples.npz"
    rival_samples.write_samples(samples)
    tools = {ENGINE: _run_own("statistics", samples)}
    for tool in COMPUTED:
        log(f"{tool} computes statistics")
        tools[tool] = _run_other(python, home, "rival_statistics.py", tool, samples)
    return tools


def _run_own(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, str(SCRIPTS_FOLDER / "rival_engine.py"), *map(str, arguments)]
    figures: dict[str, Any] = json.loads(_run(command))
    return figures


def _run_other(python: Path, home: Path, script: str, *arguments: object) -> dict[str, Any]:
    command = [*_sealed(), str(python), str(SCRIPTS_FOLDER / script), *map(str, arguments)]
    figures: dict[str, Any] = json.loads(_run(command, rival_speed.other_environment(home)))
    return figures


def _sealed() -> list[str]:
    """What a command begins with to have no network, where the system allows it."""
    prefix = ["unshare", "--map-root-user", "--net"]
    if not shutil.which(prefix[0]):
        return []
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return [] if tried.returncode else prefix


def _prepare(environment: Path, log: Callable[[str], None]) -> Path:
    """The Python of an environment with the pinned tools."""
    python = environment / "bin" / "python"
    wanted = [f"{name}=={version}" for name, version in PINNED.items()]
    if not python.is_file():
        log(f"installing {', '.join(wanted)}")
        _run([sys.executable, "-m", "venv", str(environment)])
    _run([str(python), "-m", "pip", "install", "--quiet", *wanted])
    return python


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )
    if done.returncode:
        raise ProgramError(done.stderr[-2_000:])
    return done.stdout
