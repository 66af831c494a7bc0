"""`scripts/bench refit`: how fast windows are refitted, against loops written by hand."""

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
    """How much is measured; the defaults are what the engine's promises are about."""
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--windows", type=int, default=Workload.windows)
    parser.add_argument("--epochs", type=int, default=Workload.epochs)
    parser.add_argument("--cores", type=int, default=WORKERS)
    parser.add_argument("--bars", type=int, default=1_000_000, help="of the memory part")
    parser.add_argument(
        "--strategy", type=Path, default=DEFAULT_STRATEGY, help="of the stored part, run offline"
    )
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="measure this part only; repeatable"
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """All parts asked for, in plain numbers.

    Raises:
        ProgramError: Something measured failed.
    """
    cores = pin_cores(options.cores)
    parts = options.part or PARTS
    found: dict[str, Any] = {}
    if "speed" in parts:
        found |= _measure_speed(
            Workload(options.windows, options.epochs), options.rounds, cores, log
        )
    if "memory" in parts:
        found["memory"] = {
            backend: time_command(
                program_command("training_memory", "--backend", backend, "--bars", options.bars)
            )[1]
            for backend in ("tensorflow", "jax")
        }
        log("memory measured")
    if "stored" in parts:
        found["stored"] = run_twice(options.strategy)
    return found


def _measure_speed(
    workload: Workload, rounds: int, cores: int, log: Callable[[str], None]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        contenders = _timed_programs(workload, Path(folder))
        run_alternately(list(contenders.values()), rounds, log)
    rate = max(told["sgemm_flop_per_s"] for told in contenders.pop("arithmetic").outputs)
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
                "seconds": contender.seconds,
                "median_s": contender.median,
                "samples_per_s": samples / contender.median,
                "sgemm_fraction": workload_flop(workload) / contender.median / rate,
                "train_loss": contender.outputs[0]["train_loss"],
                "forecasts": contender.outputs[0]["forecasts"],
            }
            for name, contender in contenders.items()
        },
        **_compute_speedups(contenders),
    }


def _timed_programs(workload: Workload, folder: Path) -> dict[str, TimedProgram]:
    """By their names in the JSON, in the order of their turns."""
    size = ("--windows", workload.windows, "--epochs", workload.epochs)

    def engine(backend: str, home: str) -> Callable[[int], Sequence[str]]:
        options = ("--backend", backend, "--workers", WORKERS, *size)
        return lambda turn: program_command(
            "engine_training", *options, "--home", folder / home.format(turn=turn)
        )

    def plain(name: str) -> Callable[[int], Sequence[str]]:
        return lambda _: program_command(name, *size)

    contenders = {
        "arithmetic": TimedProgram("sgemm", lambda _: program_command("sgemm")),
        "engine_tensorflow": TimedProgram(
            "this engine on TensorFlow", engine("tensorflow", "tensorflow-{turn}")
        ),
        "plain_keras": TimedProgram("plain Keras loop on TensorFlow", plain("plain_keras")),
        "engine_jax": TimedProgram("this engine on JAX", engine("jax", "jax-{turn}")),
    }
    if find_spec("torch"):
        contenders["plain_torch"] = TimedProgram("plain PyTorch loop", plain("plain_torch"))
    return contenders


def _compute_speedups(programs: Mapping[str, TimedProgram]) -> dict[str, Any]:
    pairs = [
        ("tensorflow", "plain_keras"),
        ("jax", "plain_keras"),
        ("tensorflow", "plain_torch"),
        ("jax", "plain_torch"),
    ]
    found: dict[str, Any] = {}
    for backend, other in pairs:
        name = f"speedup_{backend}_vs_{other}"
        if other not in programs:
            found[name] = None
            continue
        engine, plain = programs[f"engine_{backend}"], programs[other]
        rounds = [b / a for a, b in zip(engine.seconds, plain.seconds, strict=True)]
        found[name] = plain.median / engine.median
        found[f"{name}_by_round"] = rounds
    return found


def show(results: Mapping[str, Any], console: Console) -> None:
    """The same as tables and sentences."""
    if "work" in results:
        _show_speed(results, console)
    for backend, told in results.get("memory", {}).items():
        console.print(
            f"memory of one fit on {backend}: {told['peak_in_matrices']:.2f} times its feature "
            f"matrix of {told['matrix_bytes'] / 1e6:.0f} MB"
        )
    if "stored" in results:
        told = results["stored"]
        console.print(
            f"{told['strategy']} for the first time: {told['first_s']:.1f} s, "
            f"{told['first_trained']} fits trained; again: {told['again_s']:.1f} s, "
            f"{told['again_trained']} fits trained"
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
    for name, told in contenders.items():
        table.add_row(
            name.replace("_", " "),
            f"{told['median_s']:.1f}",
            f"{min(told['seconds']):.1f} to {max(told['seconds']):.1f}",
            f"{told['samples_per_s']:,.0f}",
            f"{told['sgemm_fraction']:.1%}",
            f"{told['train_loss']:.3f}",
            f"{slowest / told['median_s']:.1f}x",
        )
    console.print(table)
    console.print(f"sgemm on all cores: {work['sgemm_flop_per_s'] / 1e9:.0f} GFLOP/s")
    if "plain_torch" not in contenders:
        console.print("PyTorch is not installed, so its plain loop was left out.")
