"""The errors of the engine, as one tree.

    BacktestError                    1
    ├── UsageError                   2   the command line is wrong
    │   ├── ContractError            2   a part breaks a rule of its base class
    │   ├── StrategyError            2   the strategy or dataset file is wrong
    │   └── StorageError             2   a file or folder cannot be used: no space, not allowed
    ├── DataError                    3   data missing or invalid
    │   ├── DatasetNotFoundError     3   no dataset of that name or path
    │   ├── SourceError              3   one source could not deliver
    │   │   ├── UnreachableError     3   the network or its server did not answer
    │   │   └── PartlyUnreachableError  3   it did not answer for some symbols
    │   ├── StaleBarsError           3   the newest bar is missing
    │   └── InvalidBarsError         3   bars arrived and break a quality rule
    │       └── BarsParseError       3   a cell is unreadable or ambiguous
    ├── LookaheadError               4   look-ahead detected
    ├── UncertifiedError             4   a signal of a strategy that was not tested for look-ahead
    ├── TrainingError                5   a fit failed (NaN loss, dead network)
    ├── LedgerError                  1   the trial ledger is damaged, or of a newer engine
    │   └── LedgerUnreachableError   1   it cannot be read or written now
    ├── JournalError                 1   the journal of paper accounts cannot be used
    ├── VerificationError            1   a run folder is not as the engine wrote it
    └── ReportError                  1   a page could not be drawn

An interrupt (Ctrl-C) ends with 130 and is not a BacktestError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

EXIT_INTERRUPTED = 130

MAX_SHOWN_MISTAKES = 50
MAX_SHOWN_CHARACTERS = 4_000
"""Bounds on what of an error is shown: a cell, a key or a path can be as long as its file."""


class BacktestError(Exception):
    """An error in four parts: the problem, expected and found, where, and the fix.

    Args:
        problem: One sentence: what went wrong.
        expected: The correct form or value.
        found: The actual one.
        where: File, path in the YAML, line, symbol or bar.
        fix: What the user can do now.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, problem: str, *, expected: str = "", found: str = "", where: str = "", fix: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.expected = expected
        self.found = found
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """The problem, then each part that is known on a line of its own."""
        parts = ("expected", "found", "where", "fix")
        lines = [f"  {part}: {_shorten(text)}" for part in parts if (text := getattr(self, part))]
        return "\n".join([_shorten(self.problem), *lines])

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles all parts, so that the error of a worker is complete."""
        return _unpickle_error, (type(self), self.__dict__)


def _shorten(text: str) -> str:
    text = str(text)
    left_out = len(text) - MAX_SHOWN_CHARACTERS
    if left_out <= 0:
        return text
    return f"{text[:MAX_SHOWN_CHARACTERS]}... and {left_out:,} more characters"


def _unpickle_error(cls: type[BacktestError], state: dict[str, object]) -> BacktestError:
    error = cls.__new__(cls)
    Exception.__init__(error, state["problem"])
    error.__dict__.update(state)
    return error


class UsageError(BacktestError):
    """The command line is wrong."""

    exit_code = 2


class ContractError(UsageError, AssertionError):
    """A part breaks the contract of its base class: a model, a feature, a sizing, a cost model.

    Args:
        part: Its kind, or the name of its class.
        rule: The rule, in a sentence.
        found: The observed behaviour.
        where: Symbol, window or bar.
    """

    def __init__(self, part: str, rule: str, found: str, where: str = "") -> None:
        super().__init__(
            f"{part} breaks a rule of its base class",
            expected=rule,
            found=found,
            where=where,
            fix="correct the class; `engine.testing` has checks of every rule",
        )
        self.part = part
        self.rule = rule


@dataclass(frozen=True)
class Mistake:
    """One mistake in a YAML file.

    Attributes:
        path: Dotted path in the tree: `model.units`.
        line: Line in the file, from 1; None where the value came from the command line.
        expected: The accepted values.
        found: The value in the file, as written.
        hint: A "did you mean"; may be empty.
    """

    path: str
    line: int | None
    expected: str
    found: str
    hint: str = ""


class StrategyError(UsageError):
    """A strategy or dataset file is wrong; all mistakes are reported at once.

    Args:
        file: The file, or another source of the text.
        mistakes: All of them, in the order of the file.
    """

    def __init__(self, file: str, mistakes: tuple[Mistake, ...]) -> None:
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "1 mistake"
        super().__init__(f"{file} has {count}", where=file)
        self.file = file
        self.mistakes = mistakes

    def __str__(self) -> str:
        """One block per mistake: path, expected, found, hint; only the first of very many."""
        blocks = [self.problem]
        for mistake in self.mistakes[:MAX_SHOWN_MISTAKES]:
            line = f", line {mistake.line}" if mistake.line else ""
            block = f"  {_shorten(mistake.path) or '(top)'}{line}"
            block += f"\n    expected: {_shorten(mistake.expected)}"
            block += f"\n    found: {_shorten(mistake.found)}"
            blocks.append(block + (f"\n    {mistake.hint}" if mistake.hint else ""))
        left_out = len(self.mistakes) - MAX_SHOWN_MISTAKES
        return "\n".join([*blocks, *([f"  and {left_out} more"] if left_out > 0 else [])])


class StorageError(UsageError):
    """A file or folder that a command uses cannot be written or read.

    The disk is full or read-only, its owner does not allow it, a file is where a folder has to be.
    """


class DataError(BacktestError):
    """Data is missing or unfit."""

    exit_code = 3


class DatasetNotFoundError(DataError):
    """No dataset of that name or path."""


class SourceError(DataError):
    """One source could not deliver what was requested."""


class UnreachableError(SourceError):
    """A source did not answer: no network, time-out, throttled to the end, server error."""


class PartlyUnreachableError(SourceError):
    """A source delivered some symbols and did not answer for the others."""


class StaleBarsError(DataError):
    """The newest bar that is complete by the calendar is missing."""


class InvalidBarsError(DataError):
    """Bars arrived and break a quality rule.

    Attributes:
        findings: Findings of the quality rules; empty where no bar could be read.
    """

    findings: tuple[Any, ...] = ()


class BarsParseError(InvalidBarsError):
    """A cell of a file cannot be read, or can be read in two ways.

    Args:
        problem: One sentence.
        rule: `damaged_numbers`, `ambiguous_dates` or `unreadable`.
        count: Cells of that column that cannot be read either.
        next_error: Error of another column of the file.
        parts: `expected`, `found`, `where` and `fix`.
    """

    def __init__(
        self,
        problem: str,
        *,
        rule: str,
        count: int,
        next_error: BarsParseError | None = None,
        **parts: str,
    ) -> None:
        super().__init__(problem, **parts)
        self.rule = rule
        self.count = count
        self.next_error = next_error

    def __str__(self) -> str:
        """As for all errors, followed by the next error."""
        lines = super().__str__()
        return lines if self.next_error is None else f"{lines}\n{self.next_error}"

    def all_errors(self) -> tuple[BarsParseError, ...]:
        """This error and the next ones."""
        return (self, *(self.next_error.all_errors() if self.next_error else ()))


class LookaheadError(BacktestError):
    """Look-ahead detected: a value at or before a cutoff depends on bars after it."""

    exit_code = 4


class UncertifiedError(BacktestError):
    """No run of this strategy has been tested for look-ahead, so that it gives no signal."""

    exit_code = 4


class TrainingError(BacktestError):
    """A fit failed: NaN loss, a dead network, a lost worker.

    Attributes:
        is_reproducible: Whether the same fit fails again: that of a NaN loss or a dead network,
            not that of a lost worker or of a disk that is full.
    """

    exit_code = 5
    is_reproducible: bool = False


class ReportError(BacktestError):
    """A page could not be drawn."""


class VerificationError(BacktestError):
    """A run folder is not as the engine wrote it."""


class LedgerError(BacktestError):
    """The trial ledger is damaged, is not a ledger, or was written by a newer engine."""


class LedgerUnreachableError(LedgerError):
    """The trial ledger cannot be read or written now: a read-only folder, a full disk, a lock."""


class JournalError(BacktestError):
    """The journal of paper accounts is damaged, of a newer version, or contradicts itself."""
