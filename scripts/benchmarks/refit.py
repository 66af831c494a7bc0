"""`scripts/bench refit`: how fast windows are refitted, against loops written by hand."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arithmetic import forward_flop, work_flop
from contest import Contender, compete, confine, program, timed
from rich.table import Table
from stored import DEFAULT, run_twice
from work import BATCH, LOOKBACK, SERIES, TRAIN, Work

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

PARTS = ("speed", "memory", "stored")
WORKERS = 2


def add_arguments(arguments: ArgumentParser) -> None:
    """How much is measured; the defaults are what the engine's promises are about."""
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--windows", type=int, default=Work.windows)
    arguments.add_argument("--epochs", type=int, default=Work.epochs)
    arguments.add_argument("--cores", type=int, default=WORKERS)
    arguments.add_argument("--bars", type=int, default=1_000_000, help="of the memory part")
    arguments.add_argument(
        "--strategy", type=Path, default=DEFAULT, help="of the stored part, run offline"
    )
    arguments.add_argument(
        "--part", choices=PARTS, action="append", help="measure this part only; repeatable"
    )


def measure(given: Namespace, tell: Callable[[str], None]) -> dict[str, Any]:
    """All parts asked for, in plain numbers.

    Raises:
        ProgramError: Something measured failed.
    """
    cores = confine(given.cores)
    parts = given.part or PARTS
    found: dict[str, Any] = {}
    if "speed" in parts:
        found |= _speed(Work(given.windows, given.epochs), given.rounds, cores, tell)
    if "memory" in parts:
        found["memory"] = {
            backend: timed(program("memory", "--backend", backend, "--bars", given.bars))[1]
            for backend in ("tensorflow", "jax")
        }
        tell("memory measured")
    if "stored" in parts:
        found["stored"] = run_twice(given.strategy)
    return found


def _speed(work: Work, rounds: int, cores: int, tell: Callable[[str], None]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        contenders = _contenders(work, Path(folder))
        compete(list(contenders.values()), rounds, tell)
    rate = max(told["sgemm_flop_per_s"] for told in contenders.pop("arithmetic").told)
    samples = work.windows * work.epochs * TRAIN
    return {
        "work": {
            "windows": work.windows,
            "epochs": work.epochs,
            "train_samples": TRAIN,
            "batch_size": BATCH,
            "lookback": LOOKBACK,
            "series": len(SERIES),
            "cores": cores,
            "workers": WORKERS,
            "rounds": rounds,
            "training_samples_in_all": samples,
            "forward_flop_per_sample": forward_flop(),
            "flop": work_flop(work),
            "sgemm_flop_per_s": rate,
        },
        "contenders": {
            name: {
                "seconds": contender.seconds,
                "median_s": contender.median,
                "samples_per_s": samples / contender.median,
                "sgemm_fraction": work_flop(work) / contender.median / rate,
                "train_loss": contender.told[0]["train_loss"],
                "forecasts": contender.told[0]["forecasts"],
            }
            for name, contender in contenders.items()
        },
        **_speedups(contenders),
    }


def _contenders(work: Work, folder: Path) -> dict[str, Contender]:
    """By their names in the JSON, in the order of their turns."""
    size = ("--windows", work.windows, "--epochs", work.epochs)

    def engine(backend: str, home: str) -> Callable[[int], Sequence[str]]:
        options = ("--backend", backend, "--workers", WORKERS, *size)
        return lambda turn: program(
            "engine_refit", *options, "--home", folder / home.format(turn=turn)
        )

    def plain(name: str) -> Callable[[int], Sequence[str]]:
        return lambda _: program(name, *size)

    contenders = {
        "arithmetic": Contender("sgemm", lambda _: program("arithmetic")),
        "engine_tensorflow": Contender(
            "this engine on TensorFlow", engine("tensorflow", "tensorflow-{turn}")
        ),
        "plain_keras": Contender("plain Keras loop on TensorFlow", plain("plain_keras")),
        "engine_jax": Contender("this engine on JAX", engine("jax", "jax-{turn}")),
    }
    if find_spec("torch"):
        contenders["plain_torch"] = Contender("plain PyTorch loop", plain("plain_torch"))
    return contenders


def _speedups(contenders: Mapping[str, Contender]) -> dict[str, Any]:
    pairs = [
        ("tensorflow", "plain_keras"),
        ("jax", "plain_keras"),
        ("tensorflow", "plain_torch"),
        ("jax", "plain_torch"),
    ]
    found: dict[str, Any] = {}
    for backend, other in pairs:
        name = f"speedup_{backend}_vs_{other}"
        if other not in contenders:
            found[name] = None
            continue
        engine, plain = contenders[f"engine_{backend}"], contenders[other]
        rounds = [b / a for a, b in zip(engine.seconds, plain.seconds, strict=True)]
        found[name] = plain.median / engine.median
        found[f"{name}_by_round"] = rounds
    return found


def show(found: Mapping[str, Any], console: Console) -> None:
    """The same as tables and sentences."""
    if "work" in found:
        _show_speed(found, console)
    for backend, told in found.get("memory", {}).items():
        console.print(
            f"memory of one fit on {backend}: {told['peak_in_matrices']:.2f} times its feature "
            f"matrix of {told['matrix_bytes'] / 1e6:.0f} MB"
        )
    if "stored" in found:
        told = found["stored"]
        console.print(
            f"{told['strategy']} for the first time: {told['first_s']:.1f} s, "
            f"{told['first_trained']} fits trained; again: {told['again_s']:.1f} s, "
            f"{told['again_trained']} fits trained"
        )


def _show_speed(found: Mapping[str, Any], console: Console) -> None:
    work, contenders = found["work"], found["contenders"]
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
