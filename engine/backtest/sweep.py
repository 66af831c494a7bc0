"""`run_sweep`: several strategies, or one with several values, as runs that belong together.

Each member is a run like any other, with a folder and a row in the trial ledger of its own; they
share the store, so that nothing is trained twice. What is chosen among them is judged by all of
them: a grid of six is six tries at luck, and its best must not look like one.
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
"""Below the folder of reports, beside those of the strategies."""


@dataclass(frozen=True)
class SweepPoint:
    """One of the runs that are asked for.

    Attributes:
        strategy: The strategy's file.
        label: What tells it from the others: its name, the values of the grid, or both.
        values: Dotted paths to the values that the grid gives this run.
        overrides: Dotted paths to values, those of the grid among them.
    """

    strategy: Path
    label: str
    values: Mapping[str, object]
    overrides: Mapping[str, object]


@dataclass(frozen=True)
class Sweep:
    """What came of runs that were begun together.

    Attributes:
        sweep_id: First 12 hex digits of the SHA-256 over what was asked for; the same runs asked
            for again are the same family.
        points: In the order they ran.
        outcomes: Of each the run, or the error that it ended with.
        comparison: Of the runs that finished, on the bars that all of them have; None where fewer
            than two did, or they cannot be compared.
        comparison_page: The comparison as a page; None where there is none, or no pages were
            wanted.
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
        """Those that finished."""
        told = zip(self.points, self.outcomes, strict=True)
        return [(member, outcome) for member, outcome in told if isinstance(outcome, Run)]

    @property
    def failures(self) -> list[tuple[SweepPoint, Exception]]:
        """Those that did not, and why."""
        told = zip(self.points, self.outcomes, strict=True)
        return [(member, outcome) for member, outcome in told if isinstance(outcome, Exception)]

    def adjust_grade(self, finished_run: Run) -> Grade:
        """Of the evidence for one run, all trials of the family counted.

        A run that was judged before others of its family had run knew of fewer trials. Its grade
        is lowered to what its deflated Sharpe ratio is worth with all of them; never raised.
        """
        own: Grade = finished_run.significance["verdict"]["grade"]
        found = self.comparison
        if found is None or found.selection_bias is None:
            return own
        record = measure_track_record(found.returns[finished_run.run_id].to_numpy())
        luckiest = found.selection_bias.luckiest / found.periods_per_year**0.5
        deflated = record.probability_above(luckiest) if record else None
        return cap_grade(own, deflated, finished_run.significance["method"]["confidence"])


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

    A member that fails keeps no other from running. An interrupt ends the family; the members
    that finished are kept, in their folders and in the ledger.

    Args:
        strategies: Strategy files.
        grid: Dotted paths to the values that are tried: `{"signal.enter_bps": [5, 10, 20]}`.
        overrides: Dotted paths to values that all members have.
        out: As in `run`; the comparison is in `out`/families/`family`.
        pages: Draw the pages of each member, and the comparison's.
        progress: Who is told what goes on.
        execute: What runs a member; `engine.run` unless something stands in for it.
        options: Others of `run`, for each member.

    Raises:
        UsageError: A strategy or a value is wrong, or two members are the same; nothing was run.
    """
    told = progress or NullProgress()
    asked = expand_sweep(strategies, grid or {}, overrides or {})
    family = _compute_sweep_id(asked, options)
    outcomes: list[Run | Exception] = []
    for number, member in enumerate(asked, start=1):
        told.run(number, len(asked), member.label)
        try:
            outcomes.append(
                execute(
                    member.strategy,
                    overrides=member.overrides,
                    out=out,
                    pages=pages,
                    progress=told,
                    sweep_id=family,
                    **options,
                )
            )
        except Exception as error:  # noqa: BLE001 - one that fails takes nothing from the others
            told.notice(f"{member.label} failed: {_summarize_error(error)}")
            outcomes.append(error)
        except KeyboardInterrupt:
            told.notice(f"{number - 1} of {len(asked)} runs were finished and are kept")
            raise
    made = Sweep(family, asked, tuple(outcomes))
    told.stage("comparison")
    return _with_comparison(made, Path(out) / SWEEPS_FOLDER / family if pages else None)


def expand_sweep(
    strategies: Sequence[Path | str],
    grid: Mapping[str, Sequence[object]],
    overrides: Mapping[str, object],
) -> tuple[SweepPoint, ...]:
    """Every strategy with every combination of values, the last path varying fastest.

    Raises:
        UsageError: A strategy or a value is wrong, or two members are the same.
    """
    named = _name_strategies([Path(strategy) for strategy in strategies])
    asked = tuple(
        SweepPoint(
            file,
            _make_label("" if len(named) == 1 and values else name, values),
            values,
            {**overrides, **values},
        )
        for file, name in named
        for values in _grid_combinations(grid)
    )
    _require_distinct(asked)
    return asked


def _name_strategies(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Each file with its name, or its path where another has the same name."""
    often = Counter(file.stem for file in files)
    return [(file, file.stem if often[file.stem] == 1 else str(file)) for file in files]


def _grid_combinations(grid: Mapping[str, Sequence[object]]) -> Iterator[dict[str, object]]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _make_label(name: str, values: Mapping[str, object]) -> str:
    """`lstm signal.enter_bps=10`; of several values the last keys, where no two are the same."""
    last = [path.rpartition(".")[2] for path in values]
    short = len(last) > 1 and len(set(last)) == len(last)
    keys = last if short else list(values)
    told = [
        f"{key}={dump_flow_yaml(value)}" for key, value in zip(keys, values.values(), strict=True)
    ]
    return " ".join([*([name] if name else []), *told])


def _canonical_strategy(point: SweepPoint) -> str:
    """The strategy with every value, as canonical JSON.

    Raises:
        StrategyError: It is wrong.
    """
    strategy = load_strategy(point.strategy, point.overrides)
    return canonical_json(strategy.model_dump(mode="json"))


def _require_distinct(points: Sequence[SweepPoint]) -> None:
    seen: dict[str, SweepPoint] = {}
    for member in points:
        twin = seen.setdefault(_canonical_strategy(member), member)
        if twin is not member:
            raise UsageError(
                "two runs of the family are the same",
                expected="runs that differ in something",
                found=f"{twin.label} and {member.label}",
                fix="name each strategy and each value once",
            )


def _compute_sweep_id(points: Sequence[SweepPoint], options: Mapping[str, Any]) -> str:
    which = {name: options.get(name) or None for name in ("data", "offline", "vintage")}
    told = canonical_json([[_canonical_strategy(member) for member in points], which])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _with_comparison(sweep: Sweep, folder: Path | None) -> Sweep:
    """With the comparison of the runs that finished, and its page in a folder."""
    if len(sweep.finished_runs) < 2:
        return replace(sweep, comparison_error="fewer than two runs finished")
    try:
        found = compare_runs(
            [
                replace(load_compared_run(run), name=member.label)
                for member, run in sweep.finished_runs
            ]
        )
        page = folder and write_comparison([run for _, run in sweep.finished_runs], folder, found)
    except UsageError as error:
        return replace(sweep, comparison_error=f"{error.problem} ({error.found})")
    return replace(sweep, comparison=found, comparison_page=page)


def _summarize_error(error: Exception) -> str:
    told = (
        error.problem if isinstance(error, BacktestError) else f"{type(error).__name__}: {error}"
    )
    return told.partition("\n")[0]
