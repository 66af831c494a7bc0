"""`run_family`: several strategies, or one with several values, as runs that belong together.

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

from engine.artifacts import Run, canonical_json
from engine.documents.tree import flow
from engine.errors import BacktestError, UsageError
from engine.evaluation.comparison import Comparison, candidate, compare
from engine.evaluation.track_record import track_record
from engine.evaluation.verdict import Grade, at_most
from engine.pipeline.stages import run
from engine.progress import FamilyProgress, Silent
from engine.reporting.comparison import write_comparison
from engine.strategy import load_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FOLDER = "families"
"""Below the folder of reports, beside those of the strategies."""


@dataclass(frozen=True)
class Member:
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
class Family:
    """What came of runs that were begun together.

    Attributes:
        family: First 12 hex digits of the SHA-256 over what was asked for; the same runs asked
            for again are the same family.
        members: In the order they ran.
        outcomes: Of each the run, or the error that it ended with.
        comparison: Of the runs that finished, on the bars that all of them have; None where fewer
            than two did, or they cannot be compared.
        page: The comparison as a page; None where there is none, or no pages were wanted.
        uncompared: Why there is no comparison; empty where there is one.
    """

    family: str
    members: tuple[Member, ...]
    outcomes: tuple[Run | Exception, ...]
    comparison: Comparison | None = None
    page: Path | None = None
    uncompared: str = ""

    @property
    def runs(self) -> list[tuple[Member, Run]]:
        """Those that finished."""
        told = zip(self.members, self.outcomes, strict=True)
        return [(member, outcome) for member, outcome in told if isinstance(outcome, Run)]

    @property
    def failures(self) -> list[tuple[Member, Exception]]:
        """Those that did not, and why."""
        told = zip(self.members, self.outcomes, strict=True)
        return [(member, outcome) for member, outcome in told if isinstance(outcome, Exception)]

    def grade(self, made: Run) -> Grade:
        """Of the evidence for one run, all trials of the family counted.

        A run that was judged before others of its family had run knew of fewer trials. Its grade
        is lowered to what its deflated Sharpe ratio is worth with all of them; never raised.
        """
        own: Grade = made.significance["verdict"]["grade"]
        found = self.comparison
        if found is None or found.family is None:
            return own
        record = track_record(found.returns[made.run_id].to_numpy())
        luckiest = found.family.luckiest / found.periods_per_year**0.5
        deflated = record.probability_above(luckiest) if record else None
        return at_most(own, deflated, made.significance["method"]["confidence"])


def run_family(
    strategies: Sequence[Path | str],
    *,
    grid: Mapping[str, Sequence[object]] | None = None,
    overrides: Mapping[str, object] | None = None,
    out: Path | str = "reports",
    pages: bool = True,
    progress: FamilyProgress | None = None,
    execute: Callable[..., Run] = run,
    **options: Any,  # noqa: ANN401 - those of `run`
) -> Family:
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
    told = progress or Silent()
    asked = members(strategies, grid or {}, overrides or {})
    family = _identity(asked, options)
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
                    family=family,
                    **options,
                )
            )
        except Exception as error:  # noqa: BLE001 - one that fails takes nothing from the others
            told.notice(f"{member.label} failed: {_first_line(error)}")
            outcomes.append(error)
        except KeyboardInterrupt:
            told.notice(f"{number - 1} of {len(asked)} runs were finished and are kept")
            raise
    made = Family(family, asked, tuple(outcomes))
    told.stage("comparison")
    return _compared(made, Path(out) / FOLDER / family if pages else None)


def members(
    strategies: Sequence[Path | str],
    grid: Mapping[str, Sequence[object]],
    overrides: Mapping[str, object],
) -> tuple[Member, ...]:
    """Every strategy with every combination of values, the last path varying fastest.

    Raises:
        UsageError: A strategy or a value is wrong, or two members are the same.
    """
    named = _names([Path(strategy) for strategy in strategies])
    asked = tuple(
        Member(
            file,
            _label("" if len(named) == 1 and values else name, values),
            values,
            {**overrides, **values},
        )
        for file, name in named
        for values in _combinations(grid)
    )
    _require_apart(asked)
    return asked


def _names(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Each file with its name, or its path where another has the same name."""
    often = Counter(file.stem for file in files)
    return [(file, file.stem if often[file.stem] == 1 else str(file)) for file in files]


def _combinations(grid: Mapping[str, Sequence[object]]) -> Iterator[dict[str, object]]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _label(name: str, values: Mapping[str, object]) -> str:
    """`lstm signal.enter_bps=10`; of several values the last keys, where no two are the same."""
    last = [path.rpartition(".")[2] for path in values]
    short = len(last) > 1 and len(set(last)) == len(last)
    keys = last if short else list(values)
    told = [f"{key}={flow(value)}" for key, value in zip(keys, values.values(), strict=True)]
    return " ".join([*([name] if name else []), *told])


def _resolved(member: Member) -> str:
    """The strategy with every value, as canonical JSON.

    Raises:
        StrategyError: It is wrong.
    """
    strategy = load_strategy(member.strategy, member.overrides)
    return canonical_json(strategy.model_dump(mode="json"))


def _require_apart(asked: Sequence[Member]) -> None:
    seen: dict[str, Member] = {}
    for member in asked:
        twin = seen.setdefault(_resolved(member), member)
        if twin is not member:
            raise UsageError(
                "two runs of the family are the same",
                expected="runs that differ in something",
                found=f"{twin.label} and {member.label}",
                fix="name each strategy and each value once",
            )


def _identity(asked: Sequence[Member], options: Mapping[str, Any]) -> str:
    which = {name: options.get(name) or None for name in ("data", "offline", "vintage")}
    told = canonical_json([[_resolved(member) for member in asked], which])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _compared(made: Family, folder: Path | None) -> Family:
    """With the comparison of the runs that finished, and its page in a folder."""
    if len(made.runs) < 2:
        return replace(made, uncompared="fewer than two runs finished")
    try:
        found = compare([replace(candidate(run), name=member.label) for member, run in made.runs])
        page = folder and write_comparison([run for _, run in made.runs], folder, found)
    except UsageError as error:
        return replace(made, uncompared=f"{error.problem} ({error.found})")
    return replace(made, comparison=found, page=page)


def _first_line(error: Exception) -> str:
    told = (
        error.problem if isinstance(error, BacktestError) else f"{type(error).__name__}: {error}"
    )
    return told.partition("\n")[0]
