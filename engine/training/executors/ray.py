"""Fits on a Ray cluster, with the same bytes as on this machine."""

from __future__ import annotations

import re
import tempfile
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.errors import ContractError, TrainingError, UsageError
from engine.core.part_origin import describe_parts
from engine.core.versions import collect_fit_versions, installed_versions
from engine.training.executors.base import Executor
from engine.training.task import FitTask
from engine.training.worker import fit_task, worker_environment

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.models import Backend, FittedForecaster, TrainingSet
    from engine.models.fitted_model import FittedModel
    from engine.training.scheduler import FitScheduler

MAX_TASK_RETRIES = 3
"""How often a task is restarted after its process or machine was lost."""


class RayExecutor(Executor):
    """Workers of a Ray cluster, each with one thread like local workers.

    The arrays of a window are put into Ray's object store once, for any number of seeds and books.
    Fitted models return to this process, which stores them: the nodes need no shared disk, but the
    same version of the engine.

    Args:
        address: Address of the cluster, such as `ray://head:10001` or `auto`; None starts Ray on
            this machine for the run.
        backend: The library that Keras computes with.
        workers: CPUs of a Ray started here; not used with a cluster.
        gpus: Share of a GPU for each fit; a GPU rounds differently from a CPU, so that its fits
            have other keys.

    Raises:
        UsageError: Ray is not installed, or no cluster responds at the address.
    """

    def __init__(
        self,
        address: str | None,
        backend: Backend,
        workers: int | None = None,
        gpus: float = 0.0,
    ) -> None:
        if find_spec("ray") is None:
            raise UsageError(
                "ray is not installed",
                expected="the package ray",
                found="no such package",
                where="--executor ray",
                fix="pip install 'backtest-engine[ray]'",
            )
        self.backend = backend
        self.device = "gpu" if gpus else "cpu"
        self._gpus_per_fit = gpus
        self._address = address
        self._local_cpus = workers
        self._started_ray = False
        self.workers = self._connect()

    def run_tasks(
        self, scheduler: FitScheduler
    ) -> Generator[tuple[int, FittedModel | TrainingError]]:
        """Submits every ready task to Ray, which starts them as workers become free."""
        import ray

        if not scheduler.ready_count:
            return
        remote = ray.remote(
            num_cpus=1,
            num_gpus=self._gpus_per_fit,
            max_retries=MAX_TASK_RETRIES,
            runtime_env=self._runtime_env(),
        )(fit_on_node)
        libraries = [name for task in scheduler.tasks for name in task.model.libraries]
        versions = collect_fit_versions(self.backend) | installed_versions(libraries)
        for task in scheduler.tasks:
            versions |= describe_parts(task.model)
        shared: dict[int, Any] = {}
        pending: dict[Any, int] = {}

        def submit_ready() -> None:
            while ready := scheduler.next_ready():
                index, start = ready
                task = scheduler.tasks[index]
                if id(task.training_set) not in shared:
                    shared[id(task.training_set)] = ray.put(task.training_set)
                arrays = shared[id(task.training_set)]
                pending[remote.remote(fields_without_arrays(task), arrays, start, versions)] = (
                    index
                )

        submit_ready()
        try:
            while pending:
                (finished, *_), _ = ray.wait(list(pending), num_returns=1)
                index, outcome = pending.pop(finished), _get_outcome(finished)
                scheduler.mark_finished(index, outcome)
                submit_ready()
                yield index, outcome
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)

    def close(self) -> None:
        """Stops Ray where this executor started it."""
        import ray

        if self._started_ray:
            ray.shutdown()

    def _connect(self) -> int:
        import ray

        if not ray.is_initialized():
            self._started_ray = True
            try:
                ray.init(
                    address=self._address,
                    num_cpus=None if self._address else self._local_cpus,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level="ERROR",
                    configure_logging=True,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise UsageError(
                    "no Ray cluster responds",
                    expected="the address of a running cluster",
                    found=f"{self._address}: {str(error).splitlines()[0]}",
                    where="--ray-address",
                    fix="start one with `ray start --head`, or omit the address",
                ) from error
        return int(ray.cluster_resources().get("CPU", 1))

    def _runtime_env(self) -> dict[str, dict[str, str]]:
        # Created by the process that needs them, on any machine.
        folder = Path(tempfile.gettempdir()) / "backtest-engine"
        variables = worker_environment(
            self.backend, folder / "keras", folder / "programs", device=self.device
        )
        return {"env_vars": variables}


def fields_without_arrays(task: FitTask) -> dict[str, Any]:
    """The fields of a task without its arrays, which are sent separately."""
    return {
        part.name: getattr(task, part.name) for part in fields(task) if part.name != "training_set"
    }


def fit_on_node(
    task_fields: dict[str, Any],
    training_set: TrainingSet,
    previous_fit: FittedForecaster | None,
    versions: dict[str, str],
) -> FittedModel | TrainingError | UsageError:
    """Runs on a node; returns errors as values, because Ray would wrap them in its own.

    Versions of a node that differ from those of the run are a UsageError, not a failed fit.
    """
    task = FitTask(**task_fields, training_set=training_set).with_previous_fit(previous_fit)
    node_versions = collect_fit_versions(
        next(name for name in ("tensorflow", "jax") if name in versions)
    )
    node_versions |= installed_versions(task.model.libraries) | describe_parts(task.model)
    different = [name for name in node_versions if node_versions[name] != versions[name]]
    if different:
        return UsageError(
            "a node of the cluster has other versions",
            expected=", ".join(f"{name} {versions[name]}" for name in different),
            found=", ".join(f"{name} {node_versions[name]}" for name in different),
            where=str(task),
            fix="install the same constraints.txt on every node",
        )
    try:
        return fit_task(task)
    except (ContractError, TrainingError) as error:
        return error


def _get_outcome(finished: object) -> FittedModel | TrainingError:
    import ray

    try:
        answer = ray.get(finished)
    except ray.exceptions.RayError as error:
        if missing := re.search(r"No module named '([\w.]+)'", str(error)):
            raise UsageError(
                "a node of the cluster cannot import a class of the strategy",
                expected="the packages of all of its parts on every node",
                found=f"no module {missing[1]}",
                fix="install the distribution of the part on every node",
            ) from error
        raise TrainingError(
            "a worker of the cluster was lost repeatedly",
            found=str(error).strip().splitlines()[0],
            fix="look at the nodes' memory and logs",
        ) from error
    if isinstance(answer, UsageError):
        raise answer
    outcome: FittedModel | TrainingError = answer
    return outcome
