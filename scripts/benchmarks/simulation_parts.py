"""The parts of a long simulation in worker processes: time left, and going on after an end."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.progress import EtaEstimator
from engine.core.errors import UsageError
from engine.selftest.pool import map_unordered

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence

SECONDS_BETWEEN_LINES = 30.0
ROOT = Path(__file__).parents[2]

_WITHOUT_EFFECT = ("resume", "workers", "json", "tables")
"""Options that change no result of a part."""


class SimulationParts:
    """Runs the parts of a simulation, and keeps what is finished in a file if there is one.

    The file has a line for what determines the results, then one for each part. A line that the
    end of a process cut off is dropped.
    """

    def __init__(self, options: Namespace, log: Callable[[str], None]) -> None:
        """Reads the file.

        Args:
            options: `resume`, the path of the file or None; `workers`; all others determine the
                results.
            log: Receives lines of progress.

        Raises:
            UsageError: The file is of another simulation, of another version of the code, or no
                file of parts.
        """
        self._workers, self._log = options.workers, log
        self._file: Path | None = options.resume
        self._finished: dict[str, Any] = {}
        if self._file:
            self._read(self._file, _describe(options))

    def run(
        self,
        name: str,
        function: Callable[..., Any],
        argument_tuples: Sequence[tuple[Any, ...]],
        rows: Sequence[str],
    ) -> Iterator[tuple[int, Any]]:
        """The index of each part and its result, the finished ones first.

        Args:
            name: Of the table that the parts belong to.
            function: As in `map_unordered`; its result can be written as JSON.
            argument_tuples: Of each part.
            rows: Row of the table that each part belongs to; progress names finished rows.
        """
        keys = [f"{name} {index}" for index in range(len(argument_tuples))]
        known = [index for index, key in enumerate(keys) if key in self._finished]
        if known:
            self._log(f"{name}: {len(known)} of {len(keys)} parts are in {self._file}")
        for index in known:
            yield index, self._finished[keys[index]]
        missing = [index for index in range(len(keys)) if keys[index] not in self._finished]
        progress = _Progress(name, rows, known, self._log)
        calls = [argument_tuples[index] for index in missing]
        # No process is started where nothing is missing.
        for place, result in map_unordered(function, calls, self._workers) if calls else ():
            index = missing[place]
            self._write({"part": keys[index], "result": result})
            progress.finish(index)
            yield index, result

    def _read(self, file: Path, work: str) -> None:
        complete, _, _ = (file.read_text("utf-8") if file.exists() else "").rpartition("\n")
        if not complete:
            file.write_text(json.dumps({"work": work}) + "\n", "utf-8")
            return
        try:
            first, *lines = map(json.loads, complete.splitlines())
            found = first["work"]
            self._finished = {line["part"]: line["result"] for line in lines}
        except (ValueError, KeyError, TypeError) as error:
            raise _wrong_file(file, "lines that it did not write") from error
        if found != work:
            raise _wrong_file(file, "other options, or another version of the code")
        file.write_text(complete + "\n", "utf-8")

    def _write(self, line: dict[str, Any]) -> None:
        if self._file:
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")


class _Progress:
    def __init__(
        self, name: str, rows: Sequence[str], known: Sequence[int], log: Callable[[str], None]
    ) -> None:
        self._name, self._rows, self._log = name, rows, log
        self._left = Counter(rows)
        self._total, self._done, self._logged_at = len(rows), 0, 0.0
        self._eta = EtaEstimator()
        for index in known:
            self._left[rows[index]] -= 1
            self._done += 1
        self._eta.seconds_left(self._done, self._total, time.monotonic())

    def finish(self, index: int) -> None:
        """Logs a line where a row is done, and after some time without one."""
        now, row = time.monotonic(), self._rows[index]
        self._left[row] -= 1
        self._done += 1
        left = self._eta.seconds_left(self._done, self._total, now)
        if self._left[row] and now - self._logged_at < SECONDS_BETWEEN_LINES:
            return
        self._logged_at = now
        rows = sum(parts == 0 for parts in self._left.values())
        ends = "" if left is None else f", about {left / 60:.0f} min left"
        finished = "" if self._left[row] else f": {row}"
        self._log(
            f"{self._name}: {rows} of {len(self._left)} rows, "
            f"{100 * self._done / self._total:.0f} %{ends}{finished}"
        )


def _describe(options: Namespace) -> str:
    """Everything that determines the results: options and the code of engine and benchmarks."""
    described = {
        name: value for name, value in vars(options).items() if name not in _WITHOUT_EFFECT
    }
    code = hashlib.sha256()
    for folder in ("engine", "scripts/benchmarks"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            code.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return json.dumps(described | {"code": code.hexdigest()}, sort_keys=True)


def _wrong_file(file: Path, found: str) -> UsageError:
    return UsageError(
        "The file of finished parts cannot be used",
        expected="parts of the same simulation by the same code",
        found=found,
        where=str(file),
        fix="delete it, or give another file with --resume",
    )
