"""`scripts/bench universe`: a run over 500 symbols, and its simulation beside other libraries."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from program_timing import SCRIPTS_FOLDER, ProgramError, pin_cores, program_command, time_command
from rich.table import Table
from universe_bars import FEE_BPS, SLIPPAGE_BPS

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

    from rich.console import Console

CORES = 2
PARTS = ("run", "simulation", "pybroker", "lstm")
TARGETS = {
    "peak_gb": 4.0,
    "growth": 12.0,
    "cpu_growth": 12.0,
    "vectorbt_ratio": 1.3,
    "pybroker_speedup": 20.0,
    "run_to_pybroker": 1.0,
    "lstm_speedup": 2.5,
}
"""The most of a figure; of the two speedups the least."""


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the sizes; the defaults are those of the documented results."""
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--few", type=int, default=50, help="symbols of the run before it")
    parser.add_argument("--bars", type=int, default=2_500)
    parser.add_argument("--epochs", type=int, default=4, help="of the pooled LSTM")
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="measure this part only; repeatable"
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """The figures of the requested parts, of which simulations need the run.

    Raises:
        ProgramError: A program failed.
    """
    parts = options.part or PARTS
    results: dict[str, Any] = {
        "work": {
            "cores": pin_cores(CORES),
            "bars": options.bars,
            "symbols": options.symbols,
            "few": options.few,
            "load": os.getloadavg()[0],
        }
    }
    if set(parts) & {"run", "simulation", "pybroker"}:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            results |= _measure_universe(options, parts, Path(folder), log)
    if "lstm" in parts:
        results["lstm"] = _measure_lstm(options.epochs, log)
    return results | {"ratios": _compute_ratios(results)}


def _measure_universe(
    options: Namespace,
    parts: list[str] | tuple[str, ...],
    folder: Path,
    log: Callable[[str], None],
) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name, symbols in (("few", options.few), ("many", options.symbols)):
        if name == "few" and "run" not in parts:
            continue
        (folder / name).mkdir()
        sizes = ("--symbols", symbols, "--bars", options.bars, "--folder", folder / name)
        _, results[f"run_{name}"] = time_command(program_command("universe_run", *sizes))
        log(f"run of {symbols} symbols: {results[f'run_{name}']['seconds']:.1f} s")
    book = folder / "many"
    if "simulation" in parts:
        costs = ("--fee-bps", FEE_BPS, "--slippage-bps", SLIPPAGE_BPS)
        command = program_command("universe_simulation", "--folder", book, *costs)
        _, results["simulation"] = time_command(command)
        log(f"simulation: {results['simulation']['engine']['seconds']:.2f} s")
    if "pybroker" in parts:
        python = _install_pybroker(log)
        script = str(SCRIPTS_FOLDER / "universe_pybroker.py")
        cost_pct = str((FEE_BPS + SLIPPAGE_BPS) / 100.0)
        _, results["pybroker"] = time_command([str(python), script, str(book), cost_pct])
        log(f"PyBroker: {results['pybroker']['seconds']:.1f} s")
    return results


def _install_pybroker(log: Callable[[str], None]) -> Path:
    """The Python of an environment with the newest PyBroker, which is made where it is missing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "backtest-bench" / "pybroker"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        log(f"PyBroker is installed into {folder}")
        _call([sys.executable, "-m", "venv", str(folder)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*pip, "--upgrade", "lib-pybroker"])
    return python


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramError(f"{' '.join(command)}\n{done.stderr[-2_000:]}")


def _measure_lstm(epochs: int, log: Callable[[str], None]) -> dict[str, float | None]:
    """Samples a second by this engine and by the plain loop; None where torch is missing."""
    rates: dict[str, float | None] = {"torch": None}
    for name in ("engine", "torch") if find_spec("torch") else ("engine",):
        program = "universe_lstm" if name == "engine" else "universe_torch"
        command = program_command(program, "--epochs", epochs)
        _, output = time_command(command)
        rates[name] = output["samples_per_s"]
        log(f"pooled LSTM, {name}: {rates[name]:,.0f} samples/s")
    return rates


def _compute_ratios(results: Mapping[str, Any]) -> dict[str, float]:
    """Each figure that has a target, where its parts were measured."""
    ratios = {}
    few, many, simulation, pybroker = (
        results.get(name) for name in ("run_few", "run_many", "simulation", "pybroker")
    )
    if many:
        ratios["peak_gb"] = max(many["peak_mb"], many["worker_peak_mb"]) / 1_024
    if few and many:
        ratios["growth"] = many["seconds"] / few["seconds"]
        ratios["cpu_growth"] = many["cpu_seconds"] / few["cpu_seconds"]
    if simulation:
        ratios["vectorbt_ratio"] = (
            simulation["engine"]["seconds"] / simulation["vectorbt"]["seconds"]
        )
    if simulation and pybroker:
        ratios["pybroker_speedup"] = pybroker["seconds"] / simulation["engine"]["seconds"]
    if many and pybroker:
        ratios["run_to_pybroker"] = many["seconds"] / pybroker["seconds"]
    lstm = results.get("lstm")
    if lstm and lstm["torch"]:
        ratios["lstm_speedup"] = lstm["engine"] / lstm["torch"]
    return ratios


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints the results as tables and sentences."""
    work = results["work"]
    for name in ("run_few", "run_many"):
        if name in results:
            _show_run(
                results[name], work["few" if name == "run_few" else "symbols"], work, console
            )
    for name, figures in {
        **results.get("simulation", {}),
        **({"pybroker": results["pybroker"]} if "pybroker" in results else {}),
    }.items():
        console.print(
            f"simulation by {name}: {figures['seconds']:.3f} s, "
            f"return {figures['return_pct']:+.2f} %"
        )
    if "lstm" in results:
        _show_lstm(results["lstm"], console)
    table = Table(
        title=f"{work['cores']} cores, load of the machine {work['load']:.1f} at the start"
    )
    for heading in ("figure", "measured", "target"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    least = {"pybroker_speedup", "lstm_speedup"}
    for name, value in results["ratios"].items():
        sign = "at least" if name in least else "at most"
        table.add_row(name.replace("_", " "), f"{value:.2f}", f"{sign} {TARGETS[name]:g}")
    console.print(table)


def _show_run(
    figures: Mapping[str, Any], symbols: int, work: Mapping[str, Any], console: Console
) -> None:
    table = Table(title=f"run of {symbols} symbols x {work['bars']} bars, without pages")
    for heading in ("stage", "s", "peak until its end, MB"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for stage, seconds in figures["stages"].items():
        table.add_row(stage, f"{seconds:.1f}", f"{figures['peaks_mb'][stage]:,.0f}")
    table.add_row("all", f"{figures['seconds']:.1f}", f"{figures['peak_mb']:,.0f}")
    console.print(table)
    console.print(f"of which on a CPU: {figures['cpu_seconds']:.1f} s")


def _show_lstm(rates: Mapping[str, float | None], console: Console) -> None:
    console.print(f"pooled LSTM by this engine: {rates['engine']:,.0f} samples/s")
    if rates["torch"] is None:
        console.print("PyTorch is not installed, so its plain loop is omitted.")
    else:
        console.print(f"pooled LSTM by a plain PyTorch loop: {rates['torch']:,.0f} samples/s")
