"""A ledger that others lock delays a command by ten seconds at most, and it says for whom."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import LedgerUnreachableError
from engine.core.progress import NullProgress
from engine.trials import Ledger, ledger_wait
from engine.trials.ledger_wait import find_holder
from tests.trials.factories import data_scope, finished, outcome, returns, strategy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_S = 0.3


class Listener(NullProgress):
    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    """A ledger with one run; a wait is short, and told at once."""
    monkeypatch.setattr(ledger_wait, "WAIT_S", LIMIT_S)
    monkeypatch.setattr(ledger_wait, "NOTIFY_AFTER_S", 0.1)
    monkeypatch.setattr(ledger_wait, "SLICE_S", 0.02)
    path = tmp_path / "ledger.sqlite"
    finished(path)
    return path


@contextmanager
def locked(path: Path, how: str = "EXCLUSIVE") -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(f"BEGIN {how}")
        if how == "DEFERRED":
            other.execute("SELECT * FROM runs").fetchall()
        yield


def test_a_reader_is_told_whom_it_waits_for_and_gets_four_parts(path) -> None:
    told: list[str] = []
    with locked(path), pytest.raises(LedgerUnreachableError, match="is locked") as caught:
        Ledger(path, told.append).rows()
    error = caught.value
    assert error.exit_code == 1
    assert error.expected
    assert "locked by another process" in error.found
    assert error.where == str(path)
    assert "run again" in error.fix
    assert told == [f"waiting for the trial ledger {path}, locked by another process"]


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE", "DEFERRED"])
def test_a_run_goes_on_uncounted_and_says_so(path, how: str) -> None:
    """Whether another one writes, or reads and never ends."""
    listener = Listener()
    with locked(path, how), Ledger(path).record(strategy(), progress=listener) as entry:
        assert entry.number is None
        entry.set_data_scope(data_scope())
        assert entry.collect_trials(returns()) is None
        entry.finish(outcome())
    assert listener.notices[0].startswith("waiting for the trial ledger")
    assert listener.notices[1].startswith("this run is not counted: the trial ledger is locked")
    assert len(listener.notices) == 3
    assert len(Ledger(path).rows()) == 1


def test_what_was_waited_in_vain_is_not_waited_again(path) -> None:
    """The steps of a run, and the runs of a sweep, wait once together."""
    waits: list[str] = []
    with locked(path):
        for _ in range(5):
            with pytest.raises(LedgerUnreachableError):
                Ledger(path, waits.append).rows()
    assert len(waits) == 1
    Ledger(path).rows()
    with locked(path), pytest.raises(LedgerUnreachableError):
        Ledger(path, waits.append).rows()
    assert len(waits) == 2


def test_a_lock_in_the_middle_of_a_run_is_waited_for_once(path) -> None:
    listener = Listener()
    with Ledger(path).record(strategy(), progress=listener) as entry, locked(path):
        entry.set_data_scope(data_scope())
        assert entry.collect_trials(returns()) is None
        entry.finish(outcome())
    assert [
        notice.partition(":")[0] for notice in listener.notices if "waiting" not in notice
    ] == [
        "the bars of this run are not recorded",
        "the trials before this run are not counted",
        "the end of this run is not recorded",
    ]
    assert sum("waiting" in notice for notice in listener.notices) == 1


def test_a_lock_that_is_released_is_waited_for(path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.15, other.execute, ["COMMIT"]).start()
        assert len(Ledger(path).rows()) == 1


def test_the_holder_is_read_from_the_table_of_locks(tmp_path) -> None:
    path, locks = tmp_path / "ledger.sqlite", tmp_path / "locks"
    path.touch()
    status = path.stat()
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    locks.write_text(
        "1: POSIX  ADVISORY  WRITE 12 fd:00:1 1073741824 1073742335\n"
        f"1: -> POSIX  ADVISORY  WRITE 13 {place} 1073741824 1073742335\n"
        f"2: POSIX  ADVISORY  READ  {os.getpid()} {place} 1073741826 1073742335\n"
        f"3: POSIX  ADVISORY  WRITE 4711 {place} 1073741824 1073742335\n"
    )
    assert find_holder(path, locks) == "process 4711"
    assert find_holder(path, tmp_path / "nowhere") == "another process"
    assert find_holder(tmp_path / "nothing", locks) == "another process"


HOLDER = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(120)
"""


@pytest.mark.slow
def test_a_process_that_never_gives_back_its_lock_delays_a_command_by_ten_seconds(
    tmp_path,
) -> None:
    path = tmp_path / "ledger.sqlite"
    finished(path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        began, waited = time.monotonic(), 0.0
        command = subprocess.run(
            [
                *(sys.executable, "-c", "from engine.cli.main import main; main()"),
                *("ledger", "list"),
            ],
            env={**os.environ, "BACKTEST_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        waited = time.monotonic() - began
        holder.kill()
        holder.wait()
    assert command.returncode == 1
    assert command.stderr.startswith(f"waiting for the trial ledger {path}")
    for part in ("is locked", "expected:", "found:", "where:", "fix:"):
        assert part in command.stderr
    assert "Traceback" not in command.stderr
    assert 10 <= waited < 60
    # A lock ends with its process.
    assert len(Ledger(path).rows()) == 1
