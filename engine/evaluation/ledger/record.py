"""One row a run: written when it begins, when its bars are known, and when it ends."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from os import getpid
from sqlite3 import IntegrityError
from typing import TYPE_CHECKING, Any

from engine.artifacts import canonical_json
from engine.errors import BacktestError, LedgerError, LedgerUnreachableError
from engine.evaluation.ledger.configuration import configuration
from engine.evaluation.ledger.others import Ground, Others, others
from engine.evaluation.ledger.process import host, mark
from engine.evaluation.ledger.rows import Row, read_returns, read_rows
from engine.evaluation.ledger.schema import PATIENCE_S, writing
from engine.evaluation.ledger.series import packed
from engine.progress import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from engine.evaluation.trials import Trials

IMPATIENCE_S = 1.0
"""How long a run that is interrupted waits for other writers: nobody likes to press it twice."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run that finished.

    Attributes:
        run_id: Of its folder.
        returns: Net return of each out-of-sample bar of the strategy; index of UTC timestamps.
        sharpe: Of the strategy, a year; None where there is none.
        seeds: Fits a window.
        tuning: Configurations that were tried within, on train rows alone.
        grade: Of the evidence.
        certificate: Result of the leak certificate, as JSON; None where none was made.
    """

    run_id: str
    returns: pd.Series[float]
    sharpe: float | None
    seeds: int
    tuning: int = 0
    grade: str | None = None
    certificate: Any = None

    def columns(self) -> dict[str, Any]:
        """As the ledger holds it."""
        told = {name: getattr(self, name) for name in ("run_id", "sharpe", "seeds", "tuning")}
        certificate = None if self.certificate is None else canonical_json(self.certificate)
        held = {"certificate": certificate, "returns": packed(self.returns)}
        return told | {"grade": self.grade} | held


class Ledger:
    """A file that knows every run of a home; it only grows, and many processes may share it.

    Args:
        path: `ledger.sqlite` of a home; made when the first run begins.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def record(
        self,
        strategy: Mapping[str, Any],
        command: str = "",
        told: Progress | None = None,
        family: str | None = None,
    ) -> Iterator[Entry]:
        """Around a run: it is in the ledger from here on, however it ends.

        What is raised inside is recorded and raised on: an interrupt as `interrupted`, anything
        else as `failed`. A ledger that cannot be written now does not keep a run from running:
        somebody is told that this run is not counted.

        Args:
            strategy: Resolved, as JSON.
            command: The command line, where there was one.
            told: Who is told of a ledger that cannot be used.
            family: Of the runs that are begun together with this one.

        Raises:
            LedgerError: The file is damaged, no ledger, or of a newer version; nothing was run.
        """
        entry = Entry(self.path, strategy, told or Silent())
        entry.begin(command, family)
        try:
            yield entry
        except Exception as error:
            entry.fail(error)
            raise
        except BaseException:
            entry.interrupt()
            raise
        else:
            entry.leave()

    def rows(self, where: str = "", values: Sequence[object] = ()) -> list[Row]:
        """Every run for which a condition of SQL holds, the oldest first.

        Args:
            where: Over the columns of the view `ledger`, with `?` for each of `values`.
            values: In the order of the question marks.

        Raises:
            LedgerError: The file is damaged, no ledger, of a newer version, or out of reach.
        """
        return read_rows(self.path, where, values)

    def returns(self, numbers: Sequence[int]) -> dict[int, pd.Series[float]]:
        """Net returns of the strategy by run number, of those runs that finished.

        Raises:
            LedgerError: As `rows`; or the returns of a run are damaged.
        """
        return read_returns(self.path, numbers)

    def others(self, configuration: str, ground: Ground) -> Others:
        """What else was tried on the same target and interval, over a span that overlaps.

        Raises:
            LedgerError: As `rows`.
        """
        return others(self.path, configuration, ground)


class Entry:
    """The row of one run while it runs.

    Attributes:
        number: Of the row; None where the ledger could not be written when the run began.
    """

    def __init__(self, path: Path, strategy: Mapping[str, Any], told: Progress) -> None:
        self.number: int | None = None
        self._ledger = Ledger(path)
        self._strategy = strategy
        self._configuration = configuration(strategy)
        self._told = told
        self._ground: Ground | None = None
        self._ended = False

    def begin(self, command: str, family: str | None = None) -> None:
        """Writes that the run has begun.

        Raises:
            LedgerError: The file is damaged, no ledger, or of a newer version.
        """
        row = {
            "started_at": _now(),
            "name": self._strategy["name"],
            "configuration": self._configuration,
            "strategy": canonical_json(self._strategy),
            "command": command,
            "family": family,
            "engine": version("backtest-engine"),
            "host": host(),
            "pid": getpid(),
            "process": mark(getpid()),
        }
        try:
            with writing(self._ledger.path) as connection:
                self.number = connection.execute(_insert("runs", row), row).lastrowid
        except LedgerUnreachableError as error:
            self._notice("this run is not counted", error)

    def stands_on(self, ground: Ground) -> None:
        """Writes which bars the run is on, as soon as they are known."""
        self._ground = ground
        self._write("grounds", ground.columns(), "the bars of this run are not noted")

    def trials(self, returns: pd.Series[float], tuning: int = 0) -> Trials | None:
        """How many independent trials there were on the bars of this run, itself among them.

        Nothing of it depends on how often this configuration ran before.

        Args:
            returns: Net returns of this run's strategy over its out-of-sample bars.
            tuning: Configurations that this run tried within.

        Returns:
            None where nobody can know, as the ledger cannot be read; somebody is told.
        """
        from engine.evaluation.trials import count_trials

        if self._ground is None:
            raise RuntimeError("the ledger was not told the bars of this run")
        try:
            found = self._ledger.others(self._configuration, self._ground)
            held = self._ledger.returns([row.number for row in found.newest])
        except LedgerError as error:
            self._notice("the trials before this run are not counted", error)
            return None
        return count_trials(
            returns,
            held,
            runs=found.finished + found.failed + 1,
            failed=found.failed,
            tuning=tuning + sum(row.tuning or 0 for row in found.newest),
            since=found.since,
        )

    def finish(self, outcome: Outcome) -> None:
        """Writes what came of the run; the last thing it does."""
        self._end("finished", outcome.columns())

    def fail(self, error: Exception) -> None:
        """Writes the error that the run ended with, unless it had ended before."""
        problem = error.problem if isinstance(error, BacktestError) else str(error)
        self._end("failed", {"error": type(error).__name__, "problem": problem})

    def interrupt(self) -> None:
        """Writes that the run was interrupted, unless it had ended before."""
        self._end("interrupted", {}, patience_s=IMPATIENCE_S)

    def leave(self) -> None:
        """Writes that the run ended without telling how, unless it told."""
        self._end("failed", {"error": "None", "problem": "the run ended without a result"})

    def _end(
        self, status: str, columns: Mapping[str, Any], *, patience_s: float = PATIENCE_S
    ) -> None:
        if self._ended:
            return
        row = {"ended_at": _now(), "status": status, **columns}
        # An interrupt may fall between the end of the transaction and what is noted of it here.
        with suppress(IntegrityError):
            self._write("outcomes", row, "how this run ended is not noted", patience_s)
        self._ended = True

    def _write(
        self, table: str, columns: Mapping[str, Any], lost: str, patience_s: float = PATIENCE_S
    ) -> None:
        if self.number is None:
            return
        row = {"run": self.number, **columns}
        try:
            with writing(self._ledger.path, patience_s=patience_s) as connection:
                connection.execute(_insert(table, row), row)
        except LedgerError as error:
            self._notice(lost, error)

    def _notice(self, lost: str, error: LedgerError) -> None:
        self._told.notice(f"{lost}: {error.problem} ({error.found}; {error.where})")


def _insert(table: str, row: Mapping[str, Any]) -> str:
    names = ", ".join(row)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
