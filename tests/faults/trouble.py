"""Random trouble: what a number makes of a job, and what has to hold after it."""

from __future__ import annotations

import errno
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.training.store import FIT_SUFFIX, FitStore
from tests.faults.faulty_disk import ALL, CHANGES, NEEDS_SPACE, Fault, Operation, Plan
from tests.faults.jobs import SUPERSEDED, VINTAGES, read_bars, read_runs

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from tests.faults.commands import Disk, Ended

HOUR, DAY = 3_600, 86_400
KILLED = -9
DOCUMENTED = (0, 1, 2, 3, 5)
"""Exit codes that trouble may end a command with; 4 is look-ahead and 130 an interrupt."""

FOUR_PARTS = ("expected", "found", "where", "fix")

UNRECORDED = "the end of this run is not recorded"
UNCOUNTED = "this run is not counted"
TRIALS_UNCOUNTED = "the trials before this run are not counted"

Counts = dict[Operation, int]


@dataclass(frozen=True)
class Trouble:
    """What happens to each of the commands that run at once."""

    name: str
    plans: tuple[Plan, ...]

    @property
    def hinders_cleaning(self) -> bool:
        """Whether a command may be unable to remove its temporary files."""
        return any(
            plan.fault in {Fault.KILL, Fault.TEAR_AND_KILL}
            or (plan.fault == Fault.FAIL and Operation.REMOVE in plan.affected)
            for plan in self.plans
        )


def draw_trouble(rng: random.Random, kind: str, counts: Counts) -> Trouble:
    """Trouble of a kind, at an operation of those that an undisturbed command carries out."""
    return Trouble(kind, KINDS[kind](rng, counts))


def _operation(rng: random.Random, counts: Counts, among: Operation) -> Operation:
    """One kind of operation that occurs, each as likely: renames are few and writes are many."""
    return rng.choice([each for each in among if counts[each]] or [Operation.OPEN])


def _number(rng: random.Random, counts: Counts, affected: Operation) -> int:
    return rng.randint(1, max(1, sum(counts[each] for each in affected)))


def _at_one(rng: random.Random, counts: Counts, among: Operation, fault: Fault, **rest: Any):
    affected = _operation(rng, counts, among)
    return (Plan(affected, _number(rng, counts, affected), fault, **rest),)


def _killed(rng: random.Random, counts: Counts) -> tuple[Plan, ...]:
    return _at_one(rng, counts, ALL, Fault.KILL)


def _torn(rng: random.Random, counts: Counts) -> tuple[Plan, ...]:
    return _at_one(rng, counts, Operation.WRITE, Fault.TEAR_AND_KILL)


def _full(rng: random.Random, counts: Counts) -> tuple[Plan, ...]:
    first = rng.choice([Fault.FAIL, Fault.TEAR])
    at = _number(rng, counts, NEEDS_SPACE)
    return (Plan(NEEDS_SPACE, at, first, errno.ENOSPC, lasts=True),)


def _failing_once(rng: random.Random, counts: Counts) -> tuple[Plan, ...]:
    return _at_one(rng, counts, CHANGES, Fault.FAIL, error=errno.EIO)


def _unreadable_once(rng: random.Random, counts: Counts) -> tuple[Plan, ...]:
    reads = Operation.OPEN | Operation.READ
    return _at_one(rng, counts, reads, Fault.FAIL, error=errno.EIO)


def _failing(rng: random.Random, counts: Counts) -> tuple[Plan, ...]:
    return (Plan(ALL, _number(rng, counts, ALL), Fault.FAIL, errno.EIO, lasts=True),)


def _clock(rng: random.Random, counts: Counts) -> tuple[Plan, ...]:
    step, ahead = (rng.choice([-1, 1]) * rng.randint(1, 240) * HOUR for _ in range(2))
    at = _number(rng, counts, ALL)
    return (Plan(ALL, at, Fault.STEP, step_s=step, ahead_s=rng.choice([0, ahead])),)


def _two_at_once(rng: random.Random, counts: Counts) -> tuple[Plan, ...]:
    other = rng.choice([_killed, lambda *_: (Plan(),), _clock])
    return (Plan(), *other(rng, counts))


KINDS: dict[str, Callable[[random.Random, Counts], tuple[Plan, ...]]] = {
    "killed": _killed,
    "torn and killed": _torn,
    "disk full": _full,
    "one failing write": _failing_once,
    "one failing read": _unreadable_once,
    "failing disk": _failing,
    "clock steps": _clock,
    "two at once": _two_at_once,
}


def read_ledger(disk: Disk) -> dict[int, tuple[Any, ...]]:
    """All rows, from an intact file, each run with one begin and at most one end."""
    path = disk.home / "ledger.sqlite"
    if not path.exists() or not path.stat().st_size:
        return {}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
            return {}
        rows = connection.execute("SELECT * FROM ledger ORDER BY number").fetchall()
    found = {row[0]: row for row in rows}
    assert len(found) == len(rows)
    return found


def assert_told(ended: Ended, plan: Plan) -> None:
    """The exit code is documented, and a failure is told in four parts and as no engine fault."""
    kills = plan.fault in {Fault.KILL, Fault.TEAR_AND_KILL}
    if kills and ended.code == KILLED:
        return
    assert ended.code in DOCUMENTED, f"exit code {ended.code}\n{ended.stderr}"
    assert "Traceback" not in ended.stderr, ended.stderr
    assert "fault of the engine" not in ended.stderr, ended.stderr
    if ended.code == 0:
        assert isinstance(json.loads(ended.stdout), dict)
        assert not re.search(r"^error:", ended.stderr, re.MULTILINE), ended.stderr
        return
    told = ended.stderr + "".join(_errors_in(ended.stdout))
    # What a quality rule expects is its sentence, which is the problem itself.
    parts = ("found", "where", "fix") if "quality checks" in told else FOUR_PARTS
    for part in parts:
        assert re.search(rf"^ +{part}: \S", told, re.MULTILINE), f"no {part}:\n{told}"


def _errors_in(stdout: str) -> list[str]:
    """The errors of symbols in what `data pull --json` printed."""
    try:
        sources = json.loads(stdout)["sources"]
    except (ValueError, LookupError):
        return []
    symbols = [symbol for source in sources for symbol in source["symbols"].values()]
    return [f"{symbol['error']}\n" for symbol in symbols if "error" in symbol]


def assert_nothing_lost(
    disk: Disk,
    before: Mapping[int, tuple[Any, ...]],
    reference: Mapping[str, Any],
    varying: tuple[str, ...],
) -> None:
    """The ledger holds all it held, every run is whole and right, every bar and fit readable."""
    after = read_ledger(disk)
    assert {number: after.get(number) for number in before} == dict(before)
    for name, value in read_runs(disk, varying).items():
        assert value == reference[name], f"{name} of an unfinished command differs"
    store = FitStore(disk.home / "fits")
    for file in (disk.home / "fits").glob(f"*/*{FIT_SUFFIX}"):
        assert store.get(file.stem) is not None
    read_bars(disk)


def assert_recorded(
    ended: Sequence[Ended], rows: Mapping[int, tuple[Any, ...]], expected: int
) -> None:
    """Every command that was not killed has its rows, with their ends, or says that it has not."""
    told = "".join(each.stderr for each in ended)
    killed = any(each.code == KILLED for each in ended)
    assert len(rows) <= expected
    # The later runs of a grid do not begin where their folders cannot be made.
    if not any(each.code for each in ended) and UNCOUNTED not in told:
        assert len(rows) == expected
    if not killed and UNRECORDED not in told:
        assert all("finished" in row or "failed" in row for row in rows.values())


def assert_same_results(
    found: Mapping[str, Any], expected: Mapping[str, Any], trouble: Trouble
) -> None:
    """Equal; under a wrong clock the bars may have arrived in more vintages, and end alike.

    A clock that is ahead makes a pull take the newest bars for unfinished, and so for withdrawn.
    """
    steps = any(plan.fault == Fault.STEP for plan in trouble.plans)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if steps and name.endswith(VINTAGES):
            assert (set(value) - set(found[name]), found[name][-1]) == (set(), value[-1])
        elif not (steps and name.endswith(SUPERSEDED)):
            assert found[name] == value, f"{name} differs from that of an undisturbed command"


def find_leftovers(disk: Disk) -> list[str]:
    """Temporary files and folders on the disk, apart from lock files, which stay."""
    temporary = list(disk.temporary.iterdir())
    hidden = [
        path
        for path in disk.folder.rglob("*")
        if path.name.startswith(".") or path.name.endswith(("-journal", ".tmp", ".draft", ".npy"))
    ]
    return sorted(
        str(path.relative_to(disk.folder))
        for path in {*temporary, *hidden}
        if path.suffix != ".lock"
    )
