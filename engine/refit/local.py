"""Tasks on this machine: one process a core, each with one thread."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from engine.errors import RefitError
from engine.refit.executor import Executor
from engine.refit.worker import settings

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from types import TracebackType

    from engine.models import Backend, Forecast
    from engine.refit.queue import Queue
    from engine.refit.task import Task


class Local(Executor):
    """Worker processes on this machine, one a core.

    A worker is a process of its own program, not a fork or a spawn of this one: it finds its
    thread counts in the environment, works from a script or a notebook without a main guard,
    keeps the libraries' chatter off the terminal, and is killed at once on an interrupt. If this
    process dies, its workers read the end of their pipe and leave.

    Args:
        workers: Processes at most; None is one a core.
        backend: What Keras computes with.
        programs: Folder for compiled programs that outlive this run; None keeps none.
    """

    def __init__(
        self, workers: int | None, backend: Backend, programs: Path | None = None
    ) -> None:
        self.workers = workers or _cores()
        self.backend = backend
        self.programs = programs

    def fit(self, queue: Queue) -> Generator[tuple[int, Forecast | RefitError]]:
        """Hands out the tasks as they become ready, the next to whichever worker is free."""
        with ExitStack() as stack:
            crew = self._start(min(self.workers, queue.ready), stack)
            _hand_out(queue, crew)
            while busy := [worker for worker in crew if worker.place is not None]:
                for worker in _ready(busy):
                    place, outcome = worker.take()
                    queue.finish(place, outcome)
                    _hand_out(queue, crew)
                    yield place, outcome

    def _start(self, count: int, stack: ExitStack) -> list[_Worker]:
        if not count:
            return []
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backtest-")))
        return [
            stack.enter_context(
                _Worker(folder / f"worker-{number}", self.backend, self.programs or folder)
            )
            for number in range(count)
        ]


def _cores() -> int:
    if sys.platform == "linux":  # a container may be given fewer than the machine has
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """One process and our end of its pipe; `place` is that of the task it is at."""

    def __init__(self, home: Path, backend: Backend, programs: Path) -> None:
        home.mkdir()
        self.place: int | None = None
        self._task: Task | None = None
        self._log = home / "log"
        self.pipe, theirs = Pipe()
        with theirs, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "engine.refit.worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env={**os.environ, **settings(backend, home, programs.resolve())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self) -> _Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.wait()

    def give(self, place: int, task: Task) -> None:
        """Sends a task."""
        self.place, self._task = place, task
        try:
            self.pipe.send(task)
        except OSError:
            self._died()

    def take(self) -> tuple[int, Forecast | RefitError]:
        """Receives the forecast of the task it was given, or why it failed."""
        place = self.place
        assert place is not None
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self._died()
        self.place = self._task = None
        return place, answer

    def _died(self) -> NoReturn:
        code = self._process.wait()
        last = self._log.read_text(errors="replace").strip().splitlines()[-3:]
        raise RefitError(
            "a worker died",
            found=f"exit status {code}" + "".join(f"\n    {line}" for line in last),
            where=str(self._task),
            fix="run with fewer --workers if memory ran out",
        )


def _hand_out(queue: Queue, crew: Sequence[_Worker]) -> None:
    """Gives every idle worker a task, as long as there are any that wait for no other."""
    for worker in crew:
        if worker.place is None and (taken := queue.take()):
            place, start = taken
            worker.give(place, queue.tasks[place].starting_from(start))


def _ready(busy: Sequence[_Worker]) -> list[_Worker]:
    pipes: list[Connection] = [worker.pipe for worker in busy]
    ready = wait(pipes)
    return [worker for worker in busy if worker.pipe in ready]
