"""`run_sweep`: several strategies, or one with several values, as one sweep.

Each run of a sweep has its own folder and its own row in the trial ledger. The runs share the
store of fits, so that nothing is trained twice. The best run is graded with all of them counted:
a grid of six values is six trials.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.backtest.runner import run
from engine.comparison import RunComparison, compare_runs, load_compared_run
from engine.config.yaml_tree import dump_flow_yaml
from engine.core.errors import BacktestError, UsageError
from engine.core.hashing import canonical_json
from engine.core.progress import NullProgress, SweepProgress
from engine.evaluation.inference.sharpe_significance import measure_track_record
from engine.evaluation.verdict import Grade, cap_grade
from engine.reporting.comparison import write_comparison
from engine.runs.run import Run
from engine.strategy import load_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SWEEPS_FOLDER = "families"
"""Folder of the comparisons of sweeps, in the folder of reports."""


@dataclass(frozen=True)
class SweepPoint:
    """One run of a sweep.

    Attributes:
        strategy: The strategy's file.
        label: Unique in the sweep: the strategy's name, the values of the grid, or both.
        values: Dotted path -> value from the grid.
        overrides: Dotted path -> value, those of the grid among them.
    """

    strategy: Path
    label: str
    values: Mapping[str, object]
    overrides: Mapping[str, object]


@dataclass(frozen=True)
class Sweep:
    """The runs of a sweep and their comparison.

    Attributes:
        sweep_id: First 12 hex digits of the SHA-256 over strategies and options; the same sweep
            has the same id.
        points: In the order in which they ran.
        outcomes: Of each the run, or the error that it ended with.
        comparison: Of the finished runs, on the bars that all of them have; None where fewer than
            two finished, or where they cannot be compared.
        comparison_page: The comparison as a page; None without a comparison or without pages.
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
        """The points whose runs finished, each with its run."""
        pairs = zip(self.points, self.outcomes, strict=True)
        return [(point, outcome) for point, outcome in pairs if isinstance(outcome, Run)]

    @property
    def failures(self) -> list[tuple[SweepPoint, Exception]]:
        """The points whose runs failed, each with its error."""
        pairs = zip(self.points, self.outcomes, strict=True)
        return [(point, outcome) for point, outcome in pairs if isinstance(outcome, Exception)]

    def adjust_grade(self, finished_run: Run) -> Grade:
        """The grade of one run, with all trials of the sweep counted.

        When the run was graded, later runs of the sweep were not in the ledger yet. Its grade is
        lowered to what its deflated Sharpe ratio allows with all of them, and never raised.
        """
        significance, comparison = finished_run.significance, self.comparison
        own = significance.verdict.grade
        if comparison is None or comparison.selection_bias is None:
            return own
        record = measure_track_record(comparison.returns[finished_run.run_id].to_numpy())
        expected_maximum = comparison.selection_bias.luckiest / comparison.periods_per_year**0.5
        deflated = record.probability_above(expected_maximum) if record else None
        return cap_grade(own, deflated, significance.method.confidence)


def run_sweep(
    strategies: Sequence[Path | str],
    *,
    grid: Mapping[str, Sequence[object]] | None = None,
    overrides: Mapping[str, object] | None = None,
    out: Path | str = "reports",
    pages: bool = True,
    progress: SweepProgress | None = None,
    execute: Callable[..., Run] = run,
    **options: Any,  # noqa: ANN401 - those of `run`
) -> Sweep:
    """Runs every strategy with every combination of the grid's values, and compares them.

    A run that fails does not stop the others. An interrupt ends the sweep; the runs that finished
    keep their folders and their rows in the ledger.

    Args:
        strategies: Strategy files.
        grid: Dotted paths to the values that are tried: `{"signal.enter_bps": [5, 10, 20]}`.
        overrides: Dotted path -> value, for all runs.
        out: As in `run`; the comparison is in `out`/families/`sweep_id`.
        pages: Draw the pages of each run and of the comparison.
        progress: Receives stages and notices.
        execute: Runs one strategy; `engine.run` by default.
        options: Other arguments of `run`, for each run.

    Raises:
        UsageError: A strategy or a value is wrong, or two runs are the same; nothing was run.
    """
    reporter = progress or NullProgress()
    points = expand_sweep(strategies, grid or {}, overrides or {})
    sweep_id = _compute_sweep_id(points, options)
    outcomes: list[Run | Exception] = []
    for number, point in enumerate(points, start=1):
        reporter.run(number, len(points), point.label)
        try:
            outcomes.append(
                execute(
                    point.strategy,
                    overrides=point.overrides,
                    out=out,
                    pages=pages,
                    progress=reporter,
                    sweep_id=sweep_id,
                    **options,
                )
            )
        except Exception as error:  # noqa: BLE001 - the other runs go on
            reporter.notice(f"{point.label} failed: {_summarize_error(error)}")
            outcomes.append(error)
        except KeyboardInterrupt:
            reporter.notice(f"{number - 1} of {len(points)} runs were finished and are kept")
            raise
    sweep = Sweep(sweep_id, points, tuple(outcomes))
    reporter.stage("comparison")
    return _with_comparison(sweep, Path(out) / SWEEPS_FOLDER / sweep_id if pages else None)


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
    """Each file with its name, or with its path where another file has the same name."""
    counts = Counter(file.stem for file in files)
    return [(file, file.stem if counts[file.stem] == 1 else str(file)) for file in files]


def _grid_combinations(grid: Mapping[str, Sequence[object]]) -> Iterator[dict[str, object]]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _make_label(name: str, values: Mapping[str, object]) -> str:
    """`lstm signal.enter_bps=10`; of several values the last keys, where these are distinct."""
    last = [path.rpartition(".")[2] for path in values]
    short = len(last) > 1 and len(set(last)) == len(last)
    keys = last if short else list(values)
    settings = [
        f"{key}={dump_flow_yaml(value)}" for key, value in zip(keys, values.values(), strict=True)
    ]
    return " ".join([*([name] if name else []), *settings])


def _canonical_strategy(point: SweepPoint) -> str:
    """The strategy with every value, as canonical JSON.

    Raises:
        StrategyError: It is wrong.
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
    data = {name: options.get(name) or None for name in ("data", "offline", "vintage")}
    identity = canonical_json([[_canonical_strategy(point) for point in points], data])
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
        page = folder and write_comparison(runs, folder, comparison)
    except UsageError as error:
        return replace(sweep, comparison_error=f"{error.problem} ({error.found})")
    return replace(sweep, comparison=comparison, comparison_page=page)


def _summarize_error(error: Exception) -> str:
    text = (
        error.problem if isinstance(error, BacktestError) else f"{type(error).__name__}: {error}"
    )
    return text.partition("\n")[0]
