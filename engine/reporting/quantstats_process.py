"""The quantstats report in a separate process, parallel to the run."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pandas as pd

from engine.core import programs
from engine.core.errors import ReportError
from engine.reporting.book_styles import BUY_AND_HOLD, STRATEGY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

MIN_DAYS = 30

WORKER_MODULE = "engine.reporting.quantstats_worker"


@dataclass(frozen=True)
class QuantstatsReport:
    """The quantstats report on a run.

    Attributes:
        html: Body of the report; empty where `missing_reason` is given.
        missing_reason: Why there is no report; empty where there is one.
        benchmark: Key of the book used as the benchmark, if there is one.
        periods_per_year: Days per year, or bars where these are longer.
        is_daily: Whether its returns are those of days; otherwise of longer bars.
    """

    html: str
    missing_reason: str
    benchmark: str | None
    periods_per_year: int
    is_daily: bool


@contextmanager
def open_quantstats_process() -> Iterator[QuantstatsProcess]:
    """A process that loads quantstats at once, and renders the report when it gets returns.

    It runs a program of its own, as the training processes do: it works from a notebook, keeps
    the output of the libraries off the terminal, is killed when the block is left, and ends by
    itself if this process dies.
    """
    with tempfile.TemporaryDirectory(prefix="backtest-") as folder:
        log = Path(folder) / "log"
        parent_end, worker_end = Pipe()
        with parent_end, _spawn_worker(worker_end, folder, log) as process:
            try:
                yield QuantstatsProcess(parent_end, process, log)
            finally:
                process.kill()


class QuantstatsProcess:
    """The parent's side: call `submit` once, then `wait_for_report`."""

    def __init__(self, pipe: Connection, process: subprocess.Popen[bytes], log: Path) -> None:
        self._pipe = pipe
        self._process = process
        self._log = log

    def submit(
        self, returns: pd.DataFrame, periods_per_year: float, risk_free: float = 0.0
    ) -> None:
        """Sends the returns to the process, without waiting for the report.

        Args:
            returns: Index timestamp, one column per book.
            periods_per_year: Bars per year.
            risk_free: Mean annual risk-free rate, a fraction.

        Raises:
            ReportError: The process died.
        """
        days, self._periods_per_year = _to_daily_returns(returns, periods_per_year)
        self._is_daily = _has_daily_rows(days)
        self._missing_reason = _reason_not_measurable(days, is_daily=self._is_daily)
        self._benchmark = BUY_AND_HOLD if BUY_AND_HOLD in days else None
        if not self._missing_reason:
            columns = [book for book in (STRATEGY, self._benchmark) if book]
            try:
                request = (self._benchmark, self._periods_per_year, self._is_daily, risk_free)
                self._pipe.send((days[columns], *request))
            except OSError:
                self._raise_died()

    def wait_for_report(self) -> QuantstatsReport:
        """Waits for the report.

        Raises:
            ReportError: quantstats failed, or the process died.
        """
        html = "" if self._missing_reason else self._receive_html()
        return QuantstatsReport(
            html, self._missing_reason, self._benchmark, self._periods_per_year, self._is_daily
        )

    def _receive_html(self) -> str:
        try:
            html, failure, traceback_text = self._pipe.recv()
        except (EOFError, OSError):
            self._raise_died()
        if failure:
            error = ReportError(
                "quantstats failed",
                found=failure,
                where="quantstats.html",
                fix="this is a fault of the engine or of quantstats; --debug shows the traceback",
            )
            error.add_note(traceback_text)
            raise error
        return str(html)

    def _raise_died(self) -> NoReturn:
        code = self._process.wait()
        last_lines = self._log.read_text(errors="replace").strip().splitlines()[-3:]
        raise ReportError(
            "the process that renders the quantstats report died",
            found=f"exit status {code}" + "".join(f"\n    {line}" for line in last_lines),
            where="quantstats.html",
            fix="run the same command again; finished fits are stored",
        )


def _spawn_worker(worker_end: Connection, folder: str, log: Path) -> subprocess.Popen[bytes]:
    with worker_end, log.open("wb") as log_file:
        return subprocess.Popen(
            [*programs.command_of(WORKER_MODULE), str(worker_end.fileno()), folder],
            pass_fds=(worker_end.fileno(),),
            # Overrides the user's setting: no window, and no backend that is not installed.
            env={**os.environ, "MPLBACKEND": "Agg"},
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            start_new_session=True,
        )


def _to_daily_returns(returns: pd.DataFrame, periods_per_year: float) -> tuple[pd.DataFrame, int]:
    """Daily returns with an index of naive days, and days per year.

    quantstats supports neither time zones nor intraday bars.
    """
    index = pd.DatetimeIndex(returns.index).tz_localize(None).normalize()
    days = (1.0 + returns.set_axis(index)).groupby(level=0).prod() - 1.0
    return days, max(1, round(periods_per_year * len(days) / len(returns)))


def _has_daily_rows(days: pd.DataFrame) -> bool:
    """Whether most rows are a day apart; bars of a week or longer are not."""
    steps = np.diff(days.index.to_numpy())
    return not steps.size or bool(np.median(steps) <= np.timedelta64(1, "D"))


def _reason_not_measurable(returns: pd.DataFrame, *, is_daily: bool) -> str:
    if len(returns) < MIN_DAYS:
        unit = "days" if is_daily else "bars"
        return f"The span has {len(returns)} {unit}; quantstats needs at least {MIN_DAYS}."
    if returns[STRATEGY].nunique() < 2:
        return "The returns of the strategy do not vary: it never traded, so there is no report."
    return ""
