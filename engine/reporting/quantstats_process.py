"""quantstats beside the run: it loads and draws on another core while the run goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pandas as pd

from engine.core.errors import ReportError
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

MIN_DAYS = 30

WORKER_MODULE = "engine.reporting.quantstats_worker"


@dataclass(frozen=True)
class QuantstatsReport:
    """What quantstats made of a run.

    Attributes:
        html: HTML; empty where there is a reason.
        missing_reason: Why there is nothing to measure.
        benchmark: The book compared with, if there is one.
        periods_per_year: Days a year.
    """

    html: str
    missing_reason: str
    benchmark: str | None
    periods_per_year: int


@contextmanager
def open_quantstats_process() -> Iterator[QuantstatsProcess]:
    """A process that loads quantstats at once, and draws when it is given returns.

    It is a process of its own program, as those that train are: it works from a notebook, keeps
    the libraries' chatter off the terminal, is killed when the block is left, and leaves by
    itself if this process dies.
    """
    with tempfile.TemporaryDirectory(prefix="backtest-") as folder:
        log = Path(folder) / "log"
        ours, theirs = Pipe()
        with ours, _spawn_worker(theirs, folder, log) as process:
            try:
                yield QuantstatsProcess(ours, process, log)
            finally:
                process.kill()


class QuantstatsProcess:
    """Our end of the pipe: `submit` once, then ask for the `wait_for_report`."""

    def __init__(self, pipe: Connection, process: subprocess.Popen[bytes], log: Path) -> None:
        self._pipe = pipe
        self._process = process
        self._log = log

    def submit(self, returns: pd.DataFrame, periods_per_year: float) -> None:
        """Sends what is to be drawn, and does not wait for it.

        Args:
            returns: Index timestamp, a column a book.
            periods_per_year: Of these bars.

        Raises:
            ReportError: The process died.
        """
        days, self._periods_per_year = _to_daily_returns(returns, periods_per_year)
        self._missing_reason = _reason_not_measurable(days)
        self._benchmark = BUY_AND_HOLD if BUY_AND_HOLD in days else None
        if not self._missing_reason:
            columns = [book for book in (STRATEGY, self._benchmark) if book]
            try:
                self._pipe.send((days[columns], self._benchmark, self._periods_per_year))
            except OSError:
                self._raise_died()

    def wait_for_report(self) -> QuantstatsReport:
        """What was drawn, waited for.

        Raises:
            ReportError: quantstats failed, or the process died.
        """
        body = "" if self._missing_reason else self._receive_html()
        return QuantstatsReport(
            body, self._missing_reason, self._benchmark, self._periods_per_year
        )

    def _receive_html(self) -> str:
        try:
            body, failure, trace = self._pipe.recv()
        except (EOFError, OSError):
            self._raise_died()
        if failure:
            error = ReportError(
                "quantstats broke down",
                found=failure,
                where="quantstats.html",
                fix="this is a fault of the engine or of quantstats; --debug shows where it arose",
            )
            error.add_note(trace)
            raise error
        return str(body)

    def _raise_died(self) -> NoReturn:
        code = self._process.wait()
        last = self._log.read_text(errors="replace").strip().splitlines()[-3:]
        raise ReportError(
            "the process that draws quantstats' page died",
            found=f"exit status {code}" + "".join(f"\n    {line}" for line in last),
            where="quantstats.html",
            fix="run again; what was trained is stored",
        )


def _spawn_worker(worker_end: Connection, folder: str, log: Path) -> subprocess.Popen[bytes]:
    with worker_end, log.open("wb") as told:
        return subprocess.Popen(
            [sys.executable, "-m", WORKER_MODULE, str(worker_end.fileno()), folder],
            pass_fds=(worker_end.fileno(),),
            # No window, whatever the user's is: and no backend that this machine lacks.
            env={**os.environ, "MPLBACKEND": "Agg"},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )


def _to_daily_returns(returns: pd.DataFrame, periods_per_year: float) -> tuple[pd.DataFrame, int]:
    """Returns by naive day, and days a year.

    quantstats knows no time zones and no bars within a day.
    """
    index = pd.DatetimeIndex(returns.index).tz_localize(None).normalize()
    days = (1.0 + returns.set_axis(index)).groupby(level=0).prod() - 1.0
    return days, max(1, round(periods_per_year * len(days) / len(returns)))


def _reason_not_measurable(returns: pd.DataFrame) -> str:
    if len(returns) < MIN_DAYS:
        return f"The span has {len(returns)} days; quantstats needs at least {MIN_DAYS}."
    if returns[STRATEGY].nunique() < 2:
        return "The strategy's returns never varied: it held nothing, so there is no report."
    return ""
