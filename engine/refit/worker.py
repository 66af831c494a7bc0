"""The process that trains: one thread, one task at a time, until its pipe closes.

Started as `python -m engine.refit.worker FD`; the parent sets the environment, so that the
libraries find their thread counts and backend before they are loaded.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from engine.artifacts import seed_of
from engine.errors import RefitError
from engine.imports import collect_rarely

if TYPE_CHECKING:
    from pathlib import Path

    from engine.models import Backend, Forecast
    from engine.refit.executor import Device
    from engine.refit.task import Task


def settings(
    backend: Backend, home: Path, programs: Path, *, device: Device = "cpu"
) -> dict[str, str]:
    """Environment of every process that trains: one thread, the backend, no settings of a user's.

    Args:
        backend: What Keras computes with.
        home: An empty folder: a keras.json of the user's could change the float type.
        programs: Where XLA keeps what it compiled, for the other workers and the next run.
        device: On `cpu` a GPU is hidden.
    """
    hidden = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "-1"} if device == "cpu" else {}
    threads = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
    return {
        **hidden,
        **{f"{name}_THREADS": "1" for name in threads},
        "KERAS_BACKEND": backend,
        "KERAS_HOME": str(home),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_COMPILATION_CACHE_DIR": str(programs),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        # What XLA compiles at level 1 is as fast and the same to the bit, a tenth sooner.
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
        "--xla_backend_optimization_level=1",
    }


def fit(task: Task) -> Forecast:
    """Fits one task; one that fails by a bad draw is tried once more with a seed of its own.

    A warm start that failed is tried again from scratch: the weights it went on from are as likely
    to be at fault as the order of the batches, which is all that another seed would change.

    Raises:
        RefitError: Whatever went wrong the last time, with the task named.
    """
    try:
        first = _attempt(task, task.seed)
    except RefitError:
        if not task.model.random:
            raise
    else:
        warm = task.problem.start is not None
        return replace(first, history=replace(first.history, warm=warm))
    again = _attempt(task.starting_from(None), seed_of(task.seed, "second attempt"))
    trials = 2 * again.history.trials  # the first attempt tried as many
    return replace(again, history=replace(again.history, attempts=2, trials=trials))


def _attempt(task: Task, seed: int) -> Forecast:
    try:
        return task.model.forecast(task.problem, task.training, seed)
    except RefitError as error:
        error.where = str(task)
        raise
    except Exception as error:
        raise RefitError(
            "a fit broke down", found=f"{type(error).__name__}: {error}", where=str(task)
        ) from error


def main() -> None:
    """Receives tasks, sends back forecasts, or the errors that came instead."""
    collect_rarely()
    pipe = Connection(int(sys.argv[1]))
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(fit(task))
        except RefitError as error:
            pipe.send(error)


if __name__ == "__main__":
    main()
