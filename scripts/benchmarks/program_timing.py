"""Times programs in alternation: each is a separate process, in every round."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCRIPTS_FOLDER = Path(__file__).parent
THREAD_LIMIT_VARIABLES = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")


class ProgramError(Exception):
    """A measured program failed; the message is the end of its output."""


@dataclass(frozen=True)
class TimedProgram:
    """A program with its run times.

    Attributes:
        name: Name in the table.
        command: Gives the command of a round.
        seconds: Run time of each round.
        outputs: JSON output of each round.
    """

    name: str
    command: Callable[[int], Sequence[str]]
    seconds: list[float] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median run time in seconds."""
        return statistics.median(self.seconds)


def program_command(name: str, *arguments: object) -> list[str]:
    """The command of a program in this folder."""
    return [sys.executable, str(SCRIPTS_FOLDER / f"{name}.py"), *map(str, arguments)]


def run_alternately(
    programs: Sequence[TimedProgram], rounds: int, log: Callable[[str], None]
) -> None:
    """Runs A B C, A B C, ..., so that other work on the machine affects all programs alike.

    Raises:
        ProgramError: A program failed.
    """
    for turn in range(rounds):
        for program in programs:
            seconds, output = time_command(program.command(turn))
            log(f"round {turn + 1} of {rounds}: {program.name} {seconds:.1f} s")
            program.seconds.append(seconds)
            program.outputs.append(output)


def time_command(
    command: Sequence[str], settings: Mapping[str, str] | None = None
) -> tuple[float, dict[str, Any]]:
    """Run time of a program in seconds, and its JSON output.

    Args:
        command: The command to run.
        settings: Environment variables added to those of this process.

    Raises:
        ProgramError: The program failed.
    """
    start = time.perf_counter()
    completed = subprocess.run(
        command,
        env=_program_environment() | dict(settings or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if completed.returncode:
        raise ProgramError(f"{' '.join(command)}\n{completed.stderr[-2_000:]}")
    return seconds, json.loads(completed.stdout)


def _program_environment() -> dict[str, str]:
    """The environment without limits on threads, and with TensorFlow's log messages off."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if k.removesuffix("_THREADS") not in THREAD_LIMIT_VARIABLES
    }
    return {**kept, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}


def pin_cores(cores: int) -> int:
    """Restricts this process and its children to this many cores; returns the actual number."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    selected = sorted(os.sched_getaffinity(0))[:cores]
    os.sched_setaffinity(0, selected)
    return len(selected)
