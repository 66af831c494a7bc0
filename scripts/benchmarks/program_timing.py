"""Programs timed side by side: each a process of its own, in turns, round after round."""

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
    """A measured program failed; the text is the end of what it wrote."""


@dataclass(frozen=True)
class TimedProgram:
    """A program and what it took.

    Attributes:
        name: In the table.
        command: Of one round.
        seconds: From its start to its end, one a round.
        outputs: What it printed, one a round.
    """

    name: str
    command: Callable[[int], Sequence[str]]
    seconds: list[float] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)


def program_command(name: str, *arguments: object) -> list[str]:
    """The command of a program in this folder."""
    return [sys.executable, str(SCRIPTS_FOLDER / f"{name}.py"), *map(str, arguments)]


def run_alternately(
    programs: Sequence[TimedProgram], rounds: int, log: Callable[[str], None]
) -> None:
    """A B C, A B C, ...: what else the machine does then falls on all of them.

    Raises:
        ProgramError: One of them failed.
    """
    for turn in range(rounds):
        for contender in programs:
            seconds, told = time_command(contender.command(turn))
            log(f"round {turn + 1} of {rounds}: {contender.name} {seconds:.1f} s")
            contender.seconds.append(seconds)
            contender.outputs.append(told)


def time_command(
    command: Sequence[str], settings: Mapping[str, str] | None = None
) -> tuple[float, dict[str, Any]]:
    """Seconds that a program took from start to end, and the JSON it printed.

    Args:
        command: What to run.
        settings: Environment variables on top of this process's own.

    Raises:
        ProgramError: It failed.
    """
    start = time.perf_counter()
    done = subprocess.run(
        command,
        env=_program_environment() | dict(settings or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise ProgramError(f"{' '.join(command)}\n{done.stderr[-2_000:]}")
    return seconds, json.loads(done.stdout)


def _program_environment() -> dict[str, str]:
    """As a user has it, but every thread allowed and the libraries' chatter off."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if k.removesuffix("_THREADS") not in THREAD_LIMIT_VARIABLES
    }
    return {**kept, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}


def pin_cores(cores: int) -> int:
    """Keeps this process and all it starts to so many cores; returns how many it got."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    os.sched_setaffinity(0, chosen)
    return len(chosen)
