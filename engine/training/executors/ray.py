"""Tasks on a Ray cluster: the same fits, the same bytes, on other machines."""

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

    from engine.models import Backend, Forecast, WindowDataset
    from engine.training.scheduler import FitScheduler

MAX_TASK_RETRIES = 3
"""How often a task is started again after the process or the machine that had it was lost."""


class RayExecutor(Executor):
    """Workers of a Ray cluster, each with one thread, as local ones have.

    A window's arrays are put into Ray's object store once, whatever number of seeds and books
    are fitted on them. Forecasts come back to this process, which stores them: the nodes need no
    shared disk, but the same version of the engine.

    Args:
        address: Of the cluster, such as `ray://head:10001` or `auto`; None starts Ray on this
            machine for the time of the run.
        backend: What Keras computes with.
        workers: CPUs for a Ray of our own; a cluster has what it has.
        gpus: Share of a GPU that each fit takes; a GPU rounds otherwise than a CPU, so that its
            fits are others.

    Raises:
        UsageError: Ray is not installed, or no cluster answers at the address.
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
    ) -> Generator[tuple[int, Forecast | TrainingError]]:
        """Hands every ready task to Ray, which starts them as its workers come free."""
        import ray

        if not scheduler.ready_count:
            return
        remote = ray.remote(
            num_cpus=1,
            num_gpus=self._gpus_per_fit,
            max_retries=MAX_TASK_RETRIES,
            runtime_env=self._runtime_env(),
        )(_fit_on_node)
        further = [name for task in scheduler.tasks for name in task.model.libraries]
        versions = collect_fit_versions(self.backend) | installed_versions(further)
        for task in scheduler.tasks:
            versions |= describe_parts(task.model)
        shared: dict[int, Any] = {}
        pending: dict[Any, int] = {}

        def hand_out() -> None:
            while taken := scheduler.next_ready():
                place, start = taken
                task = scheduler.tasks[place]
                if id(task.dataset) not in shared:
                    shared[id(task.dataset)] = ray.put(task.dataset)
                arrays = shared[id(task.dataset)]
                pending[remote.remote(_task_fields(task), arrays, start, versions)] = place

        hand_out()
        try:
            while pending:
                (finished, *_), _ = ray.wait(list(pending), num_returns=1)
                place, outcome = pending.pop(finished), _get_outcome(finished)
                scheduler.mark_finished(place, outcome)
                hand_out()
                yield place, outcome
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)

    def close(self) -> None:
        """Stops the Ray that was started for this run."""
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
                    "no Ray cluster answers",
                    expected="the address of a running cluster",
                    found=f"{self._address}: {str(error).splitlines()[0]}",
                    where="--ray-address",
                    fix="start one with `ray start --head`, or leave the address out",
                ) from error
        return int(ray.cluster_resources().get("CPU", 1))

    def _runtime_env(self) -> dict[str, dict[str, str]]:
        # Made by whichever process needs them, on whichever machine that is.
        place = Path(tempfile.gettempdir()) / "backtest-engine"
        told = worker_environment(
            self.backend, place / "keras", place / "programs", device=self.device
        )
        return {"env_vars": told}


def _task_fields(task: FitTask) -> dict[str, Any]:
    """A task without its arrays, which travel on their own."""
    return {part.name: getattr(task, part.name) for part in fields(task) if part.name != "dataset"}


def _fit_on_node(
    task_fields: dict[str, Any],
    dataset: WindowDataset,
    previous_fit: Forecast | None,
    versions: dict[str, str],
) -> Forecast | TrainingError | UsageError:
    """Runs on a node; errors are values, because Ray would wrap them in its own.

    A node that does not fit the run is no failed fit, and a UsageError.
    """
    task = FitTask(**task_fields, dataset=dataset).with_previous_fit(previous_fit)
    here = collect_fit_versions(next(name for name in ("tensorflow", "jax") if name in versions))
    here |= installed_versions(task.model.libraries) | describe_parts(task.model)
    different = [name for name in here if here[name] != versions[name]]
    if different:
        return UsageError(
            "a node of the cluster has other versions",
            expected=", ".join(f"{name} {versions[name]}" for name in different),
            found=", ".join(f"{name} {here[name]}" for name in different),
            where=str(task),
            fix="install the same constraints.txt on every node",
        )
    try:
        return fit_task(task)
    except (ContractError, TrainingError) as error:
        return error


def _get_outcome(finished: Any) -> Forecast | TrainingError:  # noqa: ANN401 - Ray's reference
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
            "a worker of the cluster was lost, again and again",
            found=str(error).strip().splitlines()[0],
            fix="look at the nodes' memory and logs",
        ) from error
    if isinstance(answer, UsageError):
        raise answer
    forecast: Forecast | TrainingError = answer
    return forecast
