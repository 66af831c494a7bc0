"""Fits on this machine: one process per core, each with one thread."""

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

from engine.core import programs
from engine.core.errors import ContractError, TrainingError
from engine.core.part_origin import find_external_parts
from engine.training.executors.base import Executor
from engine.training.worker import worker_environment

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from types import TracebackType

    from engine.models import Backend
    from engine.models.fitted_model import FittedModel
    from engine.training.scheduler import FitScheduler
    from engine.training.task import FitTask

WORKER_MODULE = "engine.training.worker"


class LocalExecutor(Executor):
    """Worker processes on this machine, one per core.

    A worker runs its own program and is no fork or spawn of this process: it reads its thread
    counts from the environment, works from a script or a notebook without a main guard, keeps the
    libraries' messages off the terminal, and is killed at once on an interrupt. If this process
    dies, its workers read the end of their pipe and exit.

    Args:
        workers: Largest number of processes; None is one per core.
        backend: The library that Keras computes with.
        compile_cache: Folder for compiled programs that are kept after the run; None keeps none.
    """

    def __init__(
        self, workers: int | None, backend: Backend, compile_cache: Path | None = None
    ) -> None:
        self.workers = workers or _count_cores()
        self.backend = backend
        self.compile_cache = compile_cache

    def run_tasks(
        self, scheduler: FitScheduler
    ) -> Generator[tuple[int, FittedModel | TrainingError]]:
        """Sends each ready task to the next free worker."""
        with ExitStack() as stack:
            workers = self._start_workers(scheduler, stack)
            _assign_tasks(scheduler, workers)
            while busy := [worker for worker in workers if worker.task_index is not None]:
                for worker in _wait_for_ready(busy):
                    index, outcome = worker.receive()
                    scheduler.mark_finished(index, outcome)
                    _assign_tasks(scheduler, workers)
                    yield index, outcome

    def _start_workers(self, scheduler: FitScheduler, stack: ExitStack) -> list[_WorkerProcess]:
        count = min(self.workers, scheduler.ready_count)
        if not count:
            return []
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backtest-")))
        cache = self.compile_cache or folder
        search_path = _search_path(scheduler)
        return [
            stack.enter_context(
                _WorkerProcess(folder / f"worker-{number}", self.backend, cache, search_path)
            )
            for number in range(count)
        ]


def _search_path(scheduler: FitScheduler) -> dict[str, str]:
    """What lets a worker import a user's classes from where this process did."""
    if not any(any(find_external_parts(task.model)) for task in scheduler.tasks):
        return {}
    return {"PYTHONPATH": os.pathsep.join(place or str(Path.cwd()) for place in sys.path)}


def _count_cores() -> int:
    if sys.platform == "linux":  # a container may have fewer cores than the machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _WorkerProcess:
    """A process and this end of its pipe; `task_index` is the index of its current task."""

    def __init__(
        self, home: Path, backend: Backend, compile_cache: Path, search_path: Mapping[str, str]
    ) -> None:
        home.mkdir()
        self.task_index: int | None = None
        self._task: FitTask | None = None
        self._log = home / "log"
        self.pipe, theirs = Pipe()
        with theirs, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*programs.command_of(WORKER_MODULE), str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env={
                    **os.environ,
                    **search_path,
                    **worker_environment(backend, home, compile_cache.resolve()),
                    # TensorFlow writes generated code there, and a worker ends by being killed.
                    **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(home)),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self) -> _WorkerProcess:
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

    def send(self, index: int, task: FitTask) -> None:
        """Sends a task."""
        self.task_index, self._task = index, task
        try:
            self.pipe.send(task)
        except OSError:
            self._raise_died()

    def receive(self) -> tuple[int, FittedModel | TrainingError]:
        """Receives the model of the current task, or the error of its fit."""
        index = self.task_index
        assert index is not None
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self._raise_died()
        self.task_index = self._task = None
        if isinstance(answer, ContractError):
            raise answer
        return index, answer

    def _raise_died(self) -> NoReturn:
        code = self._process.wait()
        last = self._log.read_text(errors="replace").strip().splitlines()[-3:]
        raise TrainingError(
            "a worker died",
            found=f"exit status {code}" + "".join(f"\n    {line}" for line in last),
            where=str(self._task),
            fix="run with fewer --workers if memory ran out",
        )


def _assign_tasks(scheduler: FitScheduler, workers: Sequence[_WorkerProcess]) -> None:
    """Gives every idle worker a ready task, as long as there is one."""
    for worker in workers:
        if worker.task_index is None and (ready := scheduler.next_ready()):
            index, start = ready
            worker.send(index, scheduler.tasks[index].with_previous_fit(start))


def _wait_for_ready(busy: Sequence[_WorkerProcess]) -> list[_WorkerProcess]:
    pipes: list[Connection] = [worker.pipe for worker in busy]
    ready = wait(pipes)
    return [worker for worker in busy if worker.pipe in ready]
