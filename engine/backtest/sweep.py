"""`run_sweep`: several strategies, or one strategy with a grid of values, run and compared.

Each point of a sweep is a run of its own, with a folder and a row in the trial ledger; the runs
share the store of fits, so that nothing is trained twice. The best run is graded with all runs
counted as trials.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.backtest.runner import run
from engine.comparison import RunComparison, compare_runs, load_compared_run
from engine.comparison.selection import compute_selection_bias
from engine.config.yaml_tree import dump_flow_yaml
from engine.core.errors import BacktestError, UsageError
from engine.core.hashing import canonical_json
from engine.core.home import backtest_home, prepare_home
from engine.core.limits import MAX_SWEEP_RUNS
from engine.core.progress import NullProgress, SweepProgress
from engine.core.storage import translate_disk_faults
from engine.evaluation.verdict import Grade, cap_grade
from engine.reporting.comparison import COMPARISON_FILE, write_comparison
from engine.runs.folder import RUNS_PLACE
from engine.runs.run import Run
from engine.strategy import load_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SWEEPS_FOLDER = "families"
"""Folder of the comparison pages of sweeps, below the folder of the runs."""


@dataclass(frozen=True)
class SweepPoint:
    """One run of a sweep.

    Attributes:
        strategy: Strategy file.
        label: Unique label: the name, the values of the grid, or both.
        values: Dotted path -> value of the grid.
        overrides: Dotted path -> value of every override, those of the grid included.
    """

    strategy: Path
    label: str
    values: Mapping[str, object]
    overrides: Mapping[str, object]


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep.

    Attributes:
        sweep_id: First 12 hex digits of the SHA-256 over points and dataset options; the same
            sweep has the same id.
        points: In the order in which they ran.
        outcomes: The run of each point, or the error that ended it.
        comparison: Comparison of the finished runs on their common bars; None where fewer than
            two finished, or they cannot be compared.
        comparison_page: Path of the comparison page; None without a comparison or pages.
        comparison_error: Why there is no comparison; empty where there is one.
    """

    sweep_id: str
    points: tuple[SweepPoint, ...]
    outcomes: tuple[Run | Exception, ...]
    comparison: RunComparison | None = None
    comparison_page: Path | None = None
    comparison_error: str = ""

    @property
    def finished_runs(self) -> list[tuple[SweepPoint, Run]]:
        """The points whose runs finished, with the runs."""
        pairs = zip(self.points, self.outcomes, strict=True)
        return [(point, outcome) for point, outcome in pairs if isinstance(outcome, Run)]

    @property
    def failures(self) -> list[tuple[SweepPoint, Exception]]:
        """The points whose runs failed, with the errors."""
        pairs = zip(self.points, self.outcomes, strict=True)
        return [(point, outcome) for point, outcome in pairs if isinstance(outcome, Exception)]

    def adjust_grade(self, finished_run: Run) -> Grade:
        """Grade of one run with all runs of the sweep counted as trials.

        The ledger had fewer trials when the first runs of the sweep were graded. The grade is
        lowered to what its tests allow with all of them counted; it is never raised.
        """
        significance, comparison = finished_run.significance, self.comparison
        own_grade: Grade = significance.verdict.grade
        if own_grade == "none" or comparison is None or comparison.selection_bias is None:
            return own_grade
        confidence = significance.method.confidence
        bias = compute_selection_bias(
            finished_run.run_id, comparison.returns, comparison.runs, confidence
        )
        return cap_grade(own_grade, bias.p_value, bias.lead_p_value, confidence)


def run_sweep(  # noqa: PLR0913 - a parameter an option
    strategies: Sequence[Path | str],
    *,
    grid: Mapping[str, Sequence[object]] | None = None,
    overrides: Mapping[str, object] | None = None,
    out: Path | str = "reports",
    pages: bool = True,
    progress: SweepProgress | None = None,
    execute: Callable[..., Run] = run,
    max_runs: int | None = MAX_SWEEP_RUNS,
    **options: Any,  # noqa: ANN401 - those of `run`
) -> Sweep:
    """Runs every strategy with every combination of the grid's values, and compares them.

    The sweep continues after a run that fails. An interrupt ends the sweep; finished runs are
    kept, in their folders and in the ledger.

    Args:
        strategies: Strategy files.
        grid: Dotted path -> values to try: `{"signal.enter_bps": [5, 10, 20]}`.
        overrides: Dotted path -> value, for every run.
        out: As in `run`; the comparison page is in `out`/families/<sweep id>.
        pages: Whether to write the pages of each run and the comparison page.
        progress: Receives the progress.
        execute: Runs one point; `engine.run` unless replaced.
        max_runs: Bound on the number of runs, checked before they are expanded; None for none.
        options: Other options of `run`, for every run.

    Raises:
        UsageError: A strategy or a value is wrong, two runs are the same, or there are more than
            `max_runs`; as a StorageError a folder cannot be written. Nothing was run.
    """
    progress = progress or NullProgress()
    _require_at_most(max_runs, count_runs(strategies, grid or {}))
    points = expand_sweep(strategies, grid or {}, overrides or {})
    sweep_id = _compute_sweep_id(points, options)
    page_folder = Path(out) / SWEEPS_FOLDER / sweep_id
    RUNS_PLACE.require_folder(page_folder, COMPARISON_FILE)
    prepare_home(backtest_home(options.get("home")))
    outcomes: list[Run | Exception] = []
    for number, point in enumerate(points, start=1):
        progress.run(number, len(points), point.label)
        try:
            outcomes.append(
                execute(
                    point.strategy,
                    overrides=point.overrides,
                    out=out,
                    pages=pages,
                    progress=progress,
                    sweep_id=sweep_id,
                    **options,
                )
            )
        except Exception as error:  # noqa: BLE001 - the other runs go on
            progress.notice(f"{point.label} failed: {_summarize_error(error)}")
            outcomes.append(error)
        except KeyboardInterrupt:
            progress.notice(f"{number - 1} of {len(points)} runs finished and are kept")
            raise
    sweep = Sweep(sweep_id, points, tuple(outcomes))
    progress.stage("comparison")
    return _with_comparison(sweep, page_folder if pages else None)


def count_runs(strategies: Sequence[Path | str], grid: Mapping[str, Sequence[object]]) -> int:
    """The number of runs of a sweep: strategies times the values of each path of the grid."""
    return len(strategies) * math.prod(len(values) for values in grid.values())


def _require_at_most(max_runs: int | None, count: int) -> None:
    if max_runs is None or count <= max_runs:
        return
    raise UsageError(
        f"the sweep has {count:,} runs",
        expected=f"at most {max_runs:,} runs, unless more are confirmed",
        found=f"{count:,}: the number of strategies times that of the values of each --grid",
        fix="leave values out, or confirm: --yes on the command line, max_runs=None in Python",
    )


def expand_sweep(
    strategies: Sequence[Path | str],
    grid: Mapping[str, Sequence[object]],
    overrides: Mapping[str, object],
) -> tuple[SweepPoint, ...]:
    """Every strategy with every combination of values, the last path varying fastest.

    Raises:
        UsageError: A strategy or a value is wrong, or two runs are the same.
    """
    named = _name_strategies([Path(strategy) for strategy in strategies])
    points = tuple(
        SweepPoint(
            file,
            _make_label("" if len(named) == 1 and values else name, values),
            values,
            {**overrides, **values},
        )
        for file, name in named
        for values in _grid_combinations(grid)
    )
    _require_distinct(points)
    return points


def _name_strategies(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Each file with its name, or its path where another has the same name."""
    counts = Counter(file.stem for file in files)
    return [(file, file.stem if counts[file.stem] == 1 else str(file)) for file in files]


def _grid_combinations(grid: Mapping[str, Sequence[object]]) -> Iterator[dict[str, object]]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _make_label(name: str, values: Mapping[str, object]) -> str:
    """`lstm signal.enter_bps=10`; of several values the last keys, where no two are the same."""
    last_keys = [path.rpartition(".")[2] for path in values]
    are_unique = len(last_keys) > 1 and len(set(last_keys)) == len(last_keys)
    keys = last_keys if are_unique else list(values)
    settings = [
        f"{key}={dump_flow_yaml(value)}" for key, value in zip(keys, values.values(), strict=True)
    ]
    return " ".join([*([name] if name else []), *settings])


def _canonical_strategy(point: SweepPoint) -> str:
    """The strategy with every value, as canonical JSON.

    Raises:
        StrategyError: The strategy is wrong.
    """
    strategy = load_strategy(point.strategy, point.overrides)
    return canonical_json(strategy.model_dump(mode="json"))


def _require_distinct(points: Sequence[SweepPoint]) -> None:
    seen: dict[str, SweepPoint] = {}
    for point in points:
        first = seen.setdefault(_canonical_strategy(point), point)
        if first is not point:
            raise UsageError(
                "two runs of the sweep are the same",
                expected="runs that differ in at least one setting",
                found=f"{first.label} and {point.label}",
                fix="name each strategy and each value once",
            )


def _compute_sweep_id(points: Sequence[SweepPoint], options: Mapping[str, Any]) -> str:
    names = ("data", "offline", "vintage", "tries_elsewhere")
    chosen = {name: options.get(name) or None for name in names}
    identity = canonical_json([[_canonical_strategy(point) for point in points], chosen])
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def _with_comparison(sweep: Sweep, folder: Path | None) -> Sweep:
    """The sweep with the comparison of its finished runs, and its page in a folder."""
    if len(sweep.finished_runs) < 2:
        return replace(sweep, comparison_error="fewer than two runs finished")
    try:
        comparison = compare_runs(
            [
                replace(load_compared_run(run), name=point.label)
                for point, run in sweep.finished_runs
            ]
        )
        runs = [run for _, run in sweep.finished_runs]
        with translate_disk_faults("the page cannot be written", Path(folder or "")):
            page = folder and write_comparison(runs, folder, comparison)
    except UsageError as error:
        return replace(sweep, comparison_error=f"{error.problem} ({error.found})")
    return replace(sweep, comparison=comparison, comparison_page=page)


def _summarize_error(error: Exception) -> str:
    message = (
        error.problem if isinstance(error, BacktestError) else f"{type(error).__name__}: {error}"
    )
    return message.partition("\n")[0]
