"""The trial ledger: a row a run, written when it begins, when its bars are known, at its end."""

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
from engine.trials.declarations import Declaration, declare, find_declarations
from engine.trials.holdout_looks import HoldoutLooks, find_holdout_looks
from engine.trials.ledger_chain import FIRST_HASH, ChainCheck, check_chain, insert_chained
from engine.trials.ledger_merge import MergeResult, merge_ledger
from engine.trials.ledger_rows import LedgerRow, RecordedReturns, read_returns, read_rows
from engine.trials.ledger_schema import copy_ledger, ledger_transaction, open_ledger
from engine.trials.ledger_wait import WAIT_S, ignore_wait
from engine.trials.liveness import host_name, process_start_token
from engine.trials.related_runs import (
    DataScope,
    RelatedRuns,
    find_looks_at_idea,
    find_related_runs,
    hash_configuration,
)
from engine.trials.serialization import encode_returns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from engine.evaluation.inference.trial_set import TrialSet
    from engine.trials.declarations import DeclarationKind
    from engine.trials.ledger_chain import ChainedTable
    from engine.trials.looks import ViewedLook

INTERRUPT_TIMEOUT_S = 1.0
"""How long an interrupted run waits for other writers, so that it ends at once."""


@dataclass(frozen=True)
class RunOutcome:
    """Result of a finished run.

    Attributes:
        run_id: Run id.
        returns: Net return of each out-of-sample bar of the strategy; index of UTC timestamps.
        holding: Those of buy and hold on the same target and bars; None where they are not known.
        sharpe: Annualised Sharpe ratio of the strategy; None where it is not defined.
        seeds: Seeds per window.
        tuning: Configurations tried within the run, on train rows only.
        grade: Grade of the verdict.
        certificate: Result of the leakage test, as JSON; None where it was not run.
    """

    run_id: str
    returns: pd.Series[float]
    sharpe: float | None
    seeds: int
    holding: pd.Series[float] | None = None
    tuning: int = 0
    grade: str | None = None
    certificate: Any = None

    def as_row(self) -> dict[str, Any]:
        """The columns of the ledger."""
        row = {name: getattr(self, name) for name in ("run_id", "sharpe", "seeds", "tuning")}
        certificate = None if self.certificate is None else canonical_json(self.certificate)
        holding = None if self.holding is None else encode_returns(self.holding)
        blobs = {"returns": encode_returns(self.returns), "holding": holding}
        return row | {"grade": self.grade, "certificate": certificate} | blobs


class Ledger:
    """An append-only SQLite file of all runs; several processes may write to it.

    Args:
        path: `ledger.sqlite`; created when the first run begins.
        on_wait: Receives a sentence where another process keeps the ledger locked.
    """

    def __init__(self, path: Path, on_wait: Callable[[str], None] = ignore_wait) -> None:
        self.path = path
        self._on_wait = on_wait

    @contextmanager
    def record(
        self,
        strategy: Mapping[str, Any],
        command: str = "",
        progress: Progress | None = None,
        sweep_id: str | None = None,
    ) -> Iterator[LedgerEntry]:
        """Context of a run: records its begin, and its end however it ends.

        Exceptions are recorded and raised again: an interrupt as `interrupted`, others as
        `failed`. If the ledger cannot be written, the run goes on with a notice that it is not
        counted.

        Args:
            strategy: Resolved strategy, as JSON.
            command: Command line, where there was one.
            progress: Receives notices about a ledger that cannot be used.
            sweep_id: Id of the sweep that the run belongs to.

        Raises:
            LedgerError: The file is damaged, not a ledger, or of a newer version; nothing was run.
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
        """The runs that satisfy an SQL condition, oldest first.

        Args:
            where: Condition on the columns of the view `ledger`, with `?` for each of `values`.
            values: Values in the order of the question marks.

        Raises:
            LedgerError: The file is damaged, not a ledger, of a newer version, or cannot be read.
        """
        return read_rows(self.path, where, values, self._on_wait)

    def returns(self, numbers: Sequence[int]) -> dict[int, pd.Series[float]]:
        """Net returns of the strategy by run number, for finished runs.

        Raises:
            LedgerError: As in `rows`; or the returns of a run are damaged.
        """
        return {run: each.returns for run, each in self.recorded_returns(numbers).items()}

    def recorded_returns(self, numbers: Sequence[int]) -> dict[int, RecordedReturns]:
        """Net returns of the strategy and of buy and hold, by run number, for finished runs.

        Raises:
            LedgerError: As in `returns`.
        """
        return read_returns(self.path, numbers, self._on_wait)

    def check_chain(self, noted: str | None = None) -> ChainCheck:
        """Compares every row with the hash chain; an absent ledger is an empty one.

        Args:
            noted: A hash that was noted earlier, at least its first 12 digits, which has to be
                in the chain.

        Raises:
            LedgerError: As in `rows`.
        """
        if not self.path.exists():
            return ChainCheck(0, 0, FIRST_HASH, None, 0, None if noted is None else False)
        with open_ledger(self.path, self._on_wait) as connection:
            return check_chain(connection, noted)

    def copy(self, to: Path) -> int:
        """Copies the ledger with its chain to a new file; returns how many runs it has.

        Raises:
            LedgerError: There is no ledger, or as in `rows`.
        """
        if not self.path.is_file():
            raise LedgerError(
                "there is no ledger to copy",
                expected="a ledger, which the first run writes",
                found="no file",
                where=str(self.path),
            )
        copy_ledger(self.path, to)
        return len(read_rows(to))

    def merge(self, other: Path) -> MergeResult:
        """Adds the runs of another ledger, which is not changed; see `merge_ledger`."""
        return merge_ledger(self.path, other, self._on_wait)

    def declare(
        self, kind: DeclarationKind, strategy: Mapping[str, Any], content: Mapping[str, Any]
    ) -> Declaration:
        """Appends a declaration, see `declarations.declare`.

        Raises:
            LedgerError: As in `rows`, or the ledger cannot be written.
        """
        return declare(self.path, kind, strategy, content, self._on_wait)

    def declarations(
        self, configuration_hash: str, kind: DeclarationKind
    ) -> tuple[Declaration, ...]:
        """What was declared about an idea, the first first.

        Raises:
            LedgerError: As in `rows`.
        """
        return find_declarations(self.path, configuration_hash, kind, self._on_wait)

    def looks_at_idea(self, configuration_hash: str) -> dict[ViewedLook, int]:
        """The looks at an idea that finished, each with the number of the first run of it.

        Raises:
            LedgerError: As in `rows`.
        """
        return find_looks_at_idea(self.path, configuration_hash, self._on_wait)

    def find_related_runs(self, strategy: Mapping[str, Any], data_scope: DataScope) -> RelatedRuns:
        """The other looks over a span that overlaps, and those at the same idea at any time.

        Args:
            strategy: Resolved strategy, as JSON.
            data_scope: Its bars.

        Raises:
            LedgerError: As in `rows`.
        """
        return find_related_runs(self.path, strategy, data_scope, self._on_wait)


class LedgerEntry:
    """The ledger row of a run in progress.

    Attributes:
        number: Run number; None where the ledger could not be written when the run began.
        hash: Newest hash of the ledger's chain as this run wrote to it; None where it did not.
    """

    def __init__(self, path: Path, strategy: Mapping[str, Any], progress: Progress) -> None:
        self.number: int | None = None
        self.hash: str | None = None
        self._ledger = Ledger(path)
        self._strategy = strategy
        self._configuration_hash = hash_configuration(strategy)
        self._progress = progress
        self._data_scope: DataScope | None = None
        self._ended = False

    @property
    def place_in_ledger(self) -> dict[str, Any] | None:
        """Number and hash for the manifest; None where the ledger could not be written."""
        return None if self.hash is None else {"number": self.number, "hash": self.hash}

    def begin(self, command: str, sweep_id: str | None = None) -> None:
        """Records the begin of the run.

        Raises:
            LedgerError: The file is damaged, not a ledger, or of a newer version.
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
            with ledger_transaction(
                self._ledger.path, on_wait=self._progress.notice
            ) as connection:
                written = insert_chained(connection, "runs", row)
            self.number, self.hash = written  # only now it is in the file
        except LedgerUnreachableError as error:
            self._notify("this run is not counted", error)

    def set_data_scope(self, data_scope: DataScope) -> None:
        """Records the bars of the run, as soon as they are known."""
        self._data_scope = data_scope
        self._write("grounds", data_scope.as_row(), "the bars of this run are not recorded")

    def collect_trials(
        self,
        returns: pd.Series[float],
        holding: pd.Series[float] | None = None,
        tuning: int = 0,
    ) -> TrialSet | None:
        """The trials that this run's result is selected from, itself included.

        It does not depend on repetitions of the same look.

        Args:
            returns: Net returns of this run's strategy over its out-of-sample bars.
            holding: Net returns of buy and hold over them.
            tuning: Number of configurations tried within this run.

        Returns:
            None, with a notice, where the ledger cannot be read.
        """
        from engine.trials.trial_collection import OwnRun, collect_trials

        if self.number is None:
            self._progress.notice(
                "the trials before this run are not counted: the ledger could not be used when it "
                "began"
            )
            return None
        if self._data_scope is None:
            raise RuntimeError("set_data_scope must be called before collect_trials")
        own = OwnRun(self._strategy, self._data_scope, returns, holding, tuning)
        try:
            return collect_trials(self._ledger.path, own, self._progress.notice)
        except LedgerError as error:
            self._notify("the trials before this run are not counted", error)
            return None

    def find_declarations(self, kind: DeclarationKind) -> tuple[Declaration, ...]:
        """What was declared about the idea of this run; nothing where the ledger is not read."""
        try:
            return self._ledger.declarations(self._configuration_hash, kind)
        except LedgerError as error:
            self._notify("what was registered about this idea is not known", error)
            return ()

    def declare_unsealing(self, sealed_from: str) -> None:
        """Records that the holdout is looked at, before it is.

        Raises:
            LedgerError: It cannot be written: no look is without its record.
        """
        declared = self._ledger.declare("unsealing", self._strategy, {"sealed_from": sealed_from})
        self.hash = declared.hash

    def find_holdout_looks(self) -> HoldoutLooks | None:
        """The looks at the holdout of the idea of this run; None where there is none."""
        if self._data_scope is None or self.number is None:
            return None
        try:
            return find_holdout_looks(
                self._ledger.path, self._configuration_hash, self._data_scope
            )
        except LedgerError as error:
            self._notify("the looks at the holdout are not known", error)
            return None

    def finish(self, outcome: RunOutcome) -> None:
        """Records the result of the run; the last step of a run."""
        self._end("finished", outcome.as_row())

    def fail(self, error: Exception) -> None:
        """Records the error that ended the run, unless an end is recorded."""
        problem = error.problem if isinstance(error, BacktestError) else str(error)
        self._end("failed", {"error": type(error).__name__, "problem": problem})

    def interrupt(self) -> None:
        """Records that the run was interrupted, unless an end is recorded."""
        self._end("interrupted", {}, limit_s=INTERRUPT_TIMEOUT_S)

    def close(self) -> None:
        """Records a run that ended without a result, unless an end is recorded."""
        self._end("failed", {"error": "None", "problem": "the run ended without a result"})

    def _end(self, status: str, columns: Mapping[str, Any], *, limit_s: float = WAIT_S) -> None:
        if self._ended:
            return
        row = {"ended_at": _utc_now(), "status": status, **columns}
        # An interrupt may come between the end of the transaction and the assignment below.
        with suppress(IntegrityError):
            self._write("outcomes", row, "the end of this run is not recorded", limit_s)
        self._ended = True

    def _write(
        self,
        table: ChainedTable,
        columns: Mapping[str, Any],
        consequence: str,
        limit_s: float = WAIT_S,
    ) -> None:
        if self.number is None:
            return
        row = {"run": self.number, **columns}
        try:
            with ledger_transaction(
                self._ledger.path, on_wait=self._progress.notice, limit_s=limit_s
            ) as connection:
                written = insert_chained(connection, table, row)
            self.hash = written.hash
        except LedgerError as error:
            self._notify(consequence, error)

    def _notify(self, consequence: str, error: LedgerError) -> None:
        self._progress.notice(f"{consequence}: {error.problem} ({error.found}; {error.where})")


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
