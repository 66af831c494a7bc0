"""The worker process: one thread, one task at a time, until its pipe closes.

Started as `python -m engine.training.worker FD`. The parent sets the environment, so that thread
counts and backend are set before the libraries are loaded.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Literal, TypeAlias

from engine.core.errors import ContractError, TrainingError
from engine.core.lazy_imports import relax_gc
from engine.core.part_origin import is_built_in
from engine.core.randomness import derive_seed
from engine.models.fitted import check_fitted
from engine.models.fitted_model import FittedModel

if TYPE_CHECKING:
    from pathlib import Path

    from engine.models import Backend, FittedForecaster
    from engine.training.task import FitTask

Device: TypeAlias = Literal["cpu", "gpu"]


def worker_environment(
    backend: Backend, home: Path, compile_cache: Path, *, device: Device = "cpu"
) -> dict[str, str]:
    """Environment of every worker process: one thread, the backend, no settings of the user.

    Args:
        backend: The library that Keras computes with.
        home: An empty folder; a keras.json of the user could change the float type.
        compile_cache: Folder of XLA's compiled programs, for other workers and later runs.
        device: `cpu` hides GPUs.
    """
    hidden = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "-1"} if device == "cpu" else {}
    threads = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
    return {
        **hidden,
        **{f"{name}_THREADS": "1" for name in threads},
        "KERAS_BACKEND": backend,
        "KERAS_HOME": str(home),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_COMPILATION_CACHE_DIR": str(compile_cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        # At level 1 XLA's programs are as fast and give the same bits; compiling takes 10 % less.
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
        "--xla_backend_optimization_level=1",
    }


def fit_task(task: FitTask) -> FittedModel:
    """Fits one task; a stochastic fit that fails is tried once more with another seed.

    A warm start that failed is tried again from random weights: another seed would change only
    the order of the batches, and the initial weights are as likely to be the cause.

    Raises:
        TrainingError: The error of the last attempt, naming the task.
        ContractError: What a user's model returned is no fit of the task.
    """
    try:
        first = _fit_once(task, task.seed)
    except TrainingError:
        if not task.model.stochastic:
            raise
    else:
        warm = task.training_set.previous_fit is not None
        return _to_model(task, replace(first, history=replace(first.history, warm=warm)))
    second = _fit_once(task.with_previous_fit(None), derive_seed(task.seed, "second attempt"))
    trials = 2 * second.history.trials  # the first attempt tried as many
    return _to_model(
        task, replace(second, history=replace(second.history, attempts=2, trials=trials))
    )


def _fit_once(task: FitTask, seed: int) -> FittedForecaster:
    try:
        fitted = task.model.fit(task.training_set, task.training, seed)
    except ContractError as error:
        error.where = str(task)
        raise
    except TrainingError as error:
        error.where, error.is_reproducible = str(task), True
        raise
    except Exception as error:
        raise TrainingError(
            "a fit raised an error", found=f"{type(error).__name__}: {error}", where=str(task)
        ) from error
    if not is_built_in(type(task.model)):
        check_fitted(task.model, fitted, str(task))
    return fitted


def _to_model(task: FitTask, fitted: FittedForecaster) -> FittedModel:
    """The fit with its predictions on the rows that it learnt from."""
    arrays = task.training_set
    try:
        train, validation = (
            fitted.predict(arrays, rows).returns for rows in (arrays.train, arrays.validation)
        )
    except ContractError as error:
        error.where = str(task)
        raise
    return FittedModel(
        fitted,
        train,
        validation,
        arrays.realised_returns(arrays.validation) if task.realised is None else task.realised,
        task.transform,
        task.spans,
        pooled=() if task.pool is None else task.pool.kept_transforms,
    )


def main() -> None:
    """Receives tasks and sends back models or errors."""
    relax_gc()
    pipe = Connection(int(sys.argv[1]))
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(fit_task(task))
        except (ContractError, TrainingError) as error:
            pipe.send(error)


if __name__ == "__main__":
    main()
