"""`scripts/bench refit`: training time of all windows, against plain loops."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from program_timing import TimedProgram, pin_cores, program_command, run_alternately, time_command
from rerun import DEFAULT_STRATEGY, run_twice
from rich.table import Table
from sgemm import forward_flop, workload_flop
from workload import BATCH_SIZE, LOOKBACK, SERIES, TRAIN, Workload

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

PARTS = ("speed", "memory", "stored")
WORKERS = 2


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the sizes; the defaults are those of the documented results."""
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--windows", type=int, default=Workload.windows)
    parser.add_argument("--epochs", type=int, default=Workload.epochs)
    parser.add_argument("--cores", type=int, default=WORKERS)
    parser.add_argument("--bars", type=int, default=1_000_000, help="bars of the memory part")
    parser.add_argument(
        "--strategy",
        type=Path,
        default=DEFAULT_STRATEGY,
        help="strategy of the stored part, run offline",
    )
    parser.add_argument("--no-pages", action="store_true", help="of the stored part")
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="measure this part only; repeatable"
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """The figures of the requested parts.

    Raises:
        ProgramError: A program failed.
    """
    cores = pin_cores(options.cores)
    parts = options.part or PARTS
    results: dict[str, Any] = {}
    if "speed" in parts:
        results |= _measure_speed(
            Workload(options.windows, options.epochs), options.rounds, cores, log
        )
    if "memory" in parts:
        results["memory"] = {
            backend: time_command(
                program_command("training_memory", "--backend", backend, "--bars", options.bars)
            )[1]
            for backend in ("tensorflow", "jax")
        }
        log("memory measured")
    if "stored" in parts:
        results["stored"] = run_twice(options.strategy, pages=not options.no_pages)
    return results


def _measure_speed(
    workload: Workload, rounds: int, cores: int, log: Callable[[str], None]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        programs = _timed_programs(workload, Path(folder))
        run_alternately(list(programs.values()), rounds, log)
    rate = max(output["sgemm_flop_per_s"] for output in programs.pop("arithmetic").outputs)
    samples = workload.windows * workload.epochs * TRAIN
    return {
        "work": {
            "windows": workload.windows,
            "epochs": workload.epochs,
            "train_samples": TRAIN,
            "batch_size": BATCH_SIZE,
            "lookback": LOOKBACK,
            "series": len(SERIES),
            "cores": cores,
            "workers": WORKERS,
            "rounds": rounds,
            "training_samples_in_all": samples,
            "forward_flop_per_sample": forward_flop(),
            "flop": workload_flop(workload),
            "sgemm_flop_per_s": rate,
        },
        "contenders": {
            name: {
                "seconds": program.seconds,
                "median_s": program.median,
                "samples_per_s": samples / program.median,
                "sgemm_fraction": workload_flop(workload) / program.median / rate,
                "train_loss": program.outputs[0]["train_loss"],
                "forecasts": program.outputs[0]["forecasts"],
            }
            for name, program in programs.items()
        },
        **_compute_speedups(programs),
    }


def _timed_programs(workload: Workload, folder: Path) -> dict[str, TimedProgram]:
    """Programs by their names in the JSON, in the order of the rounds."""
    size = ("--windows", workload.windows, "--epochs", workload.epochs)

    def engine(backend: str, home: str) -> Callable[[int], Sequence[str]]:
        options = ("--backend", backend, "--workers", WORKERS, *size)
        return lambda turn: program_command(
            "engine_training", *options, "--home", folder / home.format(turn=turn)
        )

    def plain(name: str) -> Callable[[int], Sequence[str]]:
        return lambda _: program_command(name, *size)

    programs = {
        "arithmetic": TimedProgram("sgemm", lambda _: program_command("sgemm")),
        "engine_tensorflow": TimedProgram(
            "this engine on TensorFlow", engine("tensorflow", "tensorflow-{turn}")
        ),
        "plain_keras": TimedProgram("plain Keras loop on TensorFlow", plain("plain_keras")),
        "engine_jax": TimedProgram("this engine on JAX", engine("jax", "jax-{turn}")),
    }
    if find_spec("torch"):
        programs["plain_torch"] = TimedProgram("plain PyTorch loop", plain("plain_torch"))
    return programs


def _compute_speedups(programs: Mapping[str, TimedProgram]) -> dict[str, Any]:
    pairs = [
        ("tensorflow", "plain_keras"),
        ("jax", "plain_keras"),
        ("tensorflow", "plain_torch"),
        ("jax", "plain_torch"),
    ]
    speedups: dict[str, Any] = {}
    for backend, other in pairs:
        name = f"speedup_{backend}_vs_{other}"
        if other not in programs:
            speedups[name] = None
            continue
        engine, plain = programs[f"engine_{backend}"], programs[other]
        rounds = [b / a for a, b in zip(engine.seconds, plain.seconds, strict=True)]
        speedups[name] = plain.median / engine.median
        speedups[f"{name}_by_round"] = rounds
    return speedups


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints the results as tables and sentences."""
    if "work" in results:
        _show_speed(results, console)
    for backend, figures in results.get("memory", {}).items():
        console.print(
            f"memory of one fit on {backend}: {figures['peak_in_matrices']:.2f} times its feature "
            f"matrix of {figures['matrix_bytes'] / 1e6:.0f} MB"
        )
    if "stored" in results:
        stored = results["stored"]
        console.print(
            f"{stored['strategy']}, first run: {stored['first_s']:.1f} s, "
            f"{stored['first_trained']} fits trained; second run: {stored['again_s']:.1f} s, "
            f"{stored['again_trained']} fits trained"
        )


def _show_speed(results: Mapping[str, Any], console: Console) -> None:
    work, contenders = results["work"], results["contenders"]
    table = Table(
        title=f"{work['windows']} windows of MICDL, {work['epochs']} epochs of "
        f"{work['train_samples']} samples, {work['cores']} cores, {work['rounds']} rounds"
    )
    table.add_column("whole process", no_wrap=True)
    for heading in ("median s", "min to max", "samples/s", "of sgemm", "train loss", "vs Keras"):
        table.add_column(heading, justify="right", no_wrap=True)
    slowest = contenders["plain_keras"]["median_s"]
    for name, figures in contenders.items():
        table.add_row(
            name.replace("_", " "),
            f"{figures['median_s']:.1f}",
            f"{min(figures['seconds']):.1f} to {max(figures['seconds']):.1f}",
            f"{figures['samples_per_s']:,.0f}",
            f"{figures['sgemm_fraction']:.1%}",
            f"{figures['train_loss']:.3f}",
            f"{slowest / figures['median_s']:.1f}x",
        )
    console.print(table)
    console.print(f"sgemm on all cores: {work['sgemm_flop_per_s'] / 1e9:.0f} GFLOP/s")
    if "plain_torch" not in contenders:
        console.print("PyTorch is not installed, so its plain loop is omitted.")
