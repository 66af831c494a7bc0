"""What the section `paths` of a strategy asks for besides the run itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.pipeline.combinatorial_paths import run_combinatorial_paths
from engine.pipeline.combinatorial_splits import prepare_combinatorial_data
from engine.pipeline.offset_paths import run_offset_paths
from engine.pipeline.schedules import prepare_delayed_data

if TYPE_CHECKING:
    from engine.core.progress import Progress
    from engine.pipeline.combinatorial_paths import CombinatorialRun
    from engine.pipeline.combinatorial_splits import CombinatorialData
    from engine.pipeline.offset_paths import OffsetRun
    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore


@dataclass(frozen=True, eq=False)
class FurtherPaths:
    """The strategy under further schedules, and on the paths of cross-validation.

    Attributes:
        offset_runs: Those of `paths.offsets`.
        combinatorial_run: Those of `paths.groups`; None without it.
    """

    offset_runs: tuple[OffsetRun, ...] = ()
    combinatorial_run: CombinatorialRun | None = None


@dataclass(frozen=True, eq=False)
class FurtherPathData:
    """Bars and rows of the further paths, before anything is fitted.

    Attributes:
        delayed: One for each further schedule of `paths.offsets`.
        combinatorial: The splits of `paths.groups`; None without it.
    """

    delayed: tuple[PreparedData, ...] = ()
    combinatorial: CombinatorialData | None = None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.delayed) or self.combinatorial is not None


def prepare_further_paths(
    spec: Strategy, prepared: PreparedData, progress: Progress
) -> FurtherPathData:
    """The rows of the further paths; a notice says how many fits the groups add.

    Raises:
        UsageError: As `prepare_delayed_data` and `prepare_combinatorial_data`.
    """
    further = FurtherPathData(
        prepare_delayed_data(spec, prepared), prepare_combinatorial_data(spec, prepared)
    )
    if further.combinatorial is not None:
        progress.notice(further.combinatorial.describe_cost())
    return further


def run_further_paths(
    spec: Strategy,
    data: FurtherPathData,
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    fresh: bool,
) -> FurtherPaths:
    """Fits, predicts, decides and simulates them.

    Raises:
        TrainingError: A fit failed, unless the strategy leaves failures out.
    """
    return FurtherPaths(
        tuple(run_offset_paths(spec, data.delayed, executor, store, progress, fresh=fresh)),
        None
        if data.combinatorial is None
        else run_combinatorial_paths(
            spec, data.combinatorial, executor, store, progress, fresh=fresh
        ),
    )
