"""One row a run: written when it begins, when its bars are known, and when it ends."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from os import getpid
from sqlite3 import IntegrityError
from typing import TYPE_CHECKING, Any

from engine.core.errors import BacktestError, LedgerError, LedgerUnreachableError
from engine.core.hashing import canonical_json
from engine.core.progress import NullProgress, Progress
from engine.trials.ledger_rows import LedgerRow, read_returns, read_rows
from engine.trials.ledger_schema import BUSY_TIMEOUT_S, ledger_transaction
from engine.trials.liveness import host_name, process_start_token
from engine.trials.related_runs import (
    DataScope,
    RelatedRuns,
    find_related_runs,
    hash_configuration,
)
from engine.trials.serialization import encode_returns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from engine.evaluation.inference.trial_set import TrialSet

INTERRUPT_TIMEOUT_S = 1.0
"""How long a run that is interrupted waits for other writers: nobody likes to press it twice."""


@dataclass(frozen=True)
class RunOutcome:
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

    def as_row(self) -> dict[str, Any]:
        """As the ledger holds it."""
        told = {name: getattr(self, name) for name in ("run_id", "sharpe", "seeds", "tuning")}
        certificate = None if self.certificate is None else canonical_json(self.certificate)
        held = {"certificate": certificate, "returns": encode_returns(self.returns)}
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
        progress: Progress | None = None,
        sweep_id: str | None = None,
    ) -> Iterator[LedgerEntry]:
        """Around a run: it is in the ledger from here on, however it ends.

        What is raised inside is recorded and raised on: an interrupt as `interrupted`, anything
        else as `failed`. A ledger that cannot be written now does not keep a run from running:
        somebody is told that this run is not counted.

        Args:
            strategy: Resolved, as JSON.
            command: The command line, where there was one.
            progress: Who is told of a ledger that cannot be used.
            sweep_id: Of the runs that are begun together with this one.

        Raises:
            LedgerError: The file is damaged, no ledger, or of a newer version; nothing was run.
        """
        entry = LedgerEntry(self.path, strategy, progress or NullProgress())
        entry.begin(command, sweep_id)
        try:
            yield entry
        except Exception as error:
            entry.fail(error)
            raise
        except BaseException:
            entry.interrupt()
            raise
        else:
            entry.close()

    def rows(self, where: str = "", values: Sequence[object] = ()) -> list[LedgerRow]:
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

    def find_related_runs(self, configuration_hash: str, data_scope: DataScope) -> RelatedRuns:
        """What else was tried on the same target and interval, over a span that overlaps.

        Raises:
            LedgerError: As `rows`.
        """
        return find_related_runs(self.path, configuration_hash, data_scope)


class LedgerEntry:
    """The row of one run while it runs.

    Attributes:
        number: Of the row; None where the ledger could not be written when the run began.
    """

    def __init__(self, path: Path, strategy: Mapping[str, Any], progress: Progress) -> None:
        self.number: int | None = None
        self._ledger = Ledger(path)
        self._strategy = strategy
        self._configuration_hash = hash_configuration(strategy)
        self._progress = progress
        self._data_scope: DataScope | None = None
        self._ended = False

    def begin(self, command: str, sweep_id: str | None = None) -> None:
        """Writes that the run has begun.

        Raises:
            LedgerError: The file is damaged, no ledger, or of a newer version.
        """
        row = {
            "started_at": _utc_now(),
            "name": self._strategy["name"],
            "configuration": self._configuration_hash,
            "strategy": canonical_json(self._strategy),
            "command": command,
            "family": sweep_id,
            "engine": version("backtest-engine"),
            "host": host_name(),
            "pid": getpid(),
            "process": process_start_token(getpid()),
        }
        try:
            with ledger_transaction(self._ledger.path) as connection:
                self.number = connection.execute(_insert_statement("runs", row), row).lastrowid
        except LedgerUnreachableError as error:
            self._notify("this run is not counted", error)

    def set_data_scope(self, data_scope: DataScope) -> None:
        """Writes which bars the run is on, as soon as they are known."""
        self._data_scope = data_scope
        self._write("grounds", data_scope.as_row(), "the bars of this run are not noted")

    def collect_trials(self, returns: pd.Series[float], tuning: int = 0) -> TrialSet | None:
        """How many independent trials there were on the bars of this run, itself among them.

        Nothing of it depends on how often this configuration ran before.

        Args:
            returns: Net returns of this run's strategy over its out-of-sample bars.
            tuning: Configurations that this run tried within.

        Returns:
            None where nobody can know, as the ledger cannot be read; somebody is told.
        """
        from engine.trials.effective_number import build_trial_set

        if self._data_scope is None:
            raise RuntimeError("the ledger was not told the bars of this run")
        try:
            found = self._ledger.find_related_runs(self._configuration_hash, self._data_scope)
            held = self._ledger.returns([row.number for row in found.latest_runs])
        except LedgerError as error:
            self._notify("the trials before this run are not counted", error)
            return None
        return build_trial_set(
            returns,
            held,
            runs=found.finished + found.failed + 1,
            failed=found.failed,
            tuning=tuning + sum(row.tuning or 0 for row in found.latest_runs),
            since=found.since,
        )

    def finish(self, outcome: RunOutcome) -> None:
        """Writes what came of the run; the last thing it does."""
        self._end("finished", outcome.as_row())

    def fail(self, error: Exception) -> None:
        """Writes the error that the run ended with, unless it had ended before."""
        problem = error.problem if isinstance(error, BacktestError) else str(error)
        self._end("failed", {"error": type(error).__name__, "problem": problem})

    def interrupt(self) -> None:
        """Writes that the run was interrupted, unless it had ended before."""
        self._end("interrupted", {}, timeout_s=INTERRUPT_TIMEOUT_S)

    def close(self) -> None:
        """Writes that the run ended without telling how, unless it told."""
        self._end("failed", {"error": "None", "problem": "the run ended without a result"})

    def _end(
        self, status: str, columns: Mapping[str, Any], *, timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        if self._ended:
            return
        row = {"ended_at": _utc_now(), "status": status, **columns}
        # An interrupt may fall between the end of the transaction and what is noted of it here.
        with suppress(IntegrityError):
            self._write("outcomes", row, "how this run ended is not noted", timeout_s)
        self._ended = True

    def _write(
        self,
        table: str,
        columns: Mapping[str, Any],
        consequence: str,
        timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        if self.number is None:
            return
        row = {"run": self.number, **columns}
        try:
            with ledger_transaction(self._ledger.path, timeout_s=timeout_s) as connection:
                connection.execute(_insert_statement(table, row), row)
        except LedgerError as error:
            self._notify(consequence, error)

    def _notify(self, consequence: str, error: LedgerError) -> None:
        self._progress.notice(f"{consequence}: {error.problem} ({error.found}; {error.where})")


def _insert_statement(table: str, row: Mapping[str, Any]) -> str:
    names = ", ".join(row)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
