"""Pages of the paper accounts, from the journal as it is now; nothing is written."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import BacktestError, JournalError
from engine.live.journal.file import journal_path
from engine.live.journal.queries import (
    count_rows,
    newest_rows,
    read_growth,
    snapshot,
)
from engine.live.journal.reader import JournalReader
from engine.live.journal.rows import (
    DamagedRowError,
    DecisionRow,
    EquityRow,
    EventRow,
    FillRow,
)
from engine.reporting.accounts import (
    AccountDetail,
    DecisionFigures,
    FillFigures,
    JournalFigures,
    render_account,
    render_accounts,
)
from engine.reporting.index import list_run_folders, page_url
from engine.reporting.site import render_problem
from engine.runs.folder import PAGES
from engine.server.account_figures import event_figures, read_account
from engine.server.run_pages import PageResponse

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live.clock import Clock
    from engine.live.journal.rows import AccountRow
    from engine.reporting.accounts import AccountFigures
    from engine.server.account_cone import ConeCache
    from engine.server.journal_version import JournalVersion

SHOWN_ROWS = 20
"""Newest rows of each table of an account."""


class AccountPages:
    """The pages of all paper accounts of a home; thread-safe.

    Args:
        home: Folder of the journal.
        reports: Folder of the runs.
        clock: Tells how old the bars are.
        version: Tells whether the journal changed.
        cones: Computes the cones of the backtests.
    """

    def __init__(
        self,
        home: Path,
        reports: Path,
        clock: Clock,
        version: JournalVersion,
        cones: ConeCache,
    ) -> None:
        self._home = home
        self._reports = reports
        self._clock = clock
        self._version = version
        self._cones = cones
        self._growth = GrowthCache()

    def read_version(self) -> str:
        """A text that changes with every row of the journal and every cone; never raises."""
        return f"{self._version.read()}-{self._cones.finished}"

    def read_journal(self) -> JournalFigures:
        """The figures of every account, or why they cannot be read."""
        version, place = self.read_version(), str(journal_path(self._home))
        try:
            reader = JournalReader.of_home(self._home)
            if reader is None:
                return JournalFigures(place, exists=False, version=version)
            with reader, snapshot(reader):
                accounts, unreadable = self._read_accounts(reader)
        except Exception as error:  # noqa: BLE001 - a damaged journal may raise any error
            problem = _describe_fault(error)
            return JournalFigures(place, exists=True, problem=problem, version=version)
        return JournalFigures(
            place, exists=True, accounts=accounts, unreadable=unreadable, version=version
        )

    def _read_accounts(
        self, reader: JournalReader
    ) -> tuple[tuple[AccountFigures, ...], dict[str, str]]:
        """The accounts that can be read, and what is wrong with the others."""
        runs, accounts, unreadable = self._run_folders(), [], {}
        for row in sorted(reader.list_accounts(), key=lambda row: row.name):
            try:
                accounts.append(self._read_account(reader, row, runs))
            except DamagedRowError as error:
                unreadable[row.name] = _describe_fault(error)
            except JournalError:
                raise
            except Exception as error:  # noqa: BLE001 - rows may be damaged, or of another version
                unreadable[row.name] = _describe_fault(error)
        return tuple(accounts), unreadable

    def accounts_page(self) -> PageResponse:
        """The page of all accounts; 503 where the journal cannot be read."""
        journal = self.read_journal()
        return PageResponse(503 if journal.problem else 200, render_accounts(journal).encode())

    def account_page(self, name: str) -> PageResponse:
        """The page of one account; 404 where there is none, 503 where it cannot be read."""
        try:
            reader = JournalReader.of_home(self._home)
            if reader is None:
                return _problem(404, "no paper account was started")
            with reader:
                found = [row for row in reader.list_accounts() if row.name == name]
                if not found:
                    return _problem(404, "there is no paper account of that name")
                detail = self._read_detail(reader, found[0])
            page = render_account(detail)
        except Exception as error:  # noqa: BLE001 - as above
            return _problem(503, _describe_fault(error))
        return PageResponse(200, page.encode())

    def _read_detail(self, reader: JournalReader, row: AccountRow) -> AccountDetail:
        version, runs = self.read_version(), self._run_folders()
        with snapshot(reader):
            account = self._read_account(reader, row, runs)
            growth = self._growth.read(reader, row)
            decisions = newest_rows(reader, DecisionRow, row.name, SHOWN_ROWS)
            closes = newest_rows(reader, EquityRow, row.name, SHOWN_ROWS)
            fills = newest_rows(reader, FillRow, row.name, SHOWN_ROWS)
            events = newest_rows(reader, EventRow, row.name, SHOWN_ROWS)
            fill_count = count_rows(reader, FillRow, row.name)
        run = runs.get(row.certified_by)
        table = self._cones.tabulate(row, growth, run[0] if run else None)
        equity = {each.bar: row.capital * each.equity for each in closes}
        return AccountDetail(
            account=account,
            growth=table.growth,
            max_drawdown_pct=_max_drawdown_pct(growth),
            cone=table.cone,
            cone_missing=table.missing,
            decisions=tuple(_decision_figures(each, equity) for each in decisions),
            fills=tuple(_fill_figures(each, row.capital) for each in fills),
            events=tuple(event_figures(event) for event in events),
            decision_count=account.decision_count,
            fill_count=fill_count,
            event_count=sum(account.event_counts.values()),
            version=version,
        )

    def _read_account(
        self,
        reader: JournalReader,
        row: AccountRow,
        runs: dict[str, tuple[Path, str]],
    ) -> AccountFigures:
        found = runs.get(row.certified_by)
        run_url = page_url(found[1], PAGES[0]) if found else ""
        return read_account(reader, row, home=self._home, clock=self._clock, run_url=run_url)

    def _run_folders(self) -> dict[str, tuple[Path, str]]:
        """Run id -> its folder and path below the reports."""
        return {
            folder.name: (folder, relative)
            for relative, folder in list_run_folders(self._reports).items()
        }


class GrowthCache:
    """The equity of each account; only bars that are new are read. Thread-safe."""

    def __init__(self) -> None:
        self._growth: dict[tuple[str, pd.Timestamp], pd.Series[float]] = {}
        self._lock = threading.Lock()

    def read(self, reader: JournalReader, row: AccountRow) -> pd.Series[float]:
        """The equity of an account at each close, as by `read_growth`."""
        key = (row.name, row.created_at)
        with self._lock:
            known = self._growth.get(key)
            newest = reader.newest_equity(row.name)
            # A journal that was restored from a backup may end earlier.
            if known is None or newest is None or known.empty or known.index[-1] > newest.bar:
                self._growth[key] = read_growth(reader, row.name)
            else:
                later = read_growth(reader, row.name, after=known.index[-1])
                self._growth[key] = pd.concat((known, later)) if len(later) else known
            return self._growth[key]


def _max_drawdown_pct(growth: pd.Series[float]) -> float:
    if growth.empty:
        return 0.0
    return float(100.0 * (growth / growth.cummax().clip(lower=1.0) - 1.0).min())


def _decision_figures(row: DecisionRow, equity: dict[pd.Timestamp, float]) -> DecisionFigures:
    return DecisionFigures(
        bar=row.bar,
        decided_at=row.decided_at,
        late=row.late,
        forecasts=row.row["predicted"],
        targets=row.targets,
        equity=equity.get(row.bar),
    )


def _fill_figures(row: FillRow, capital: float) -> FillFigures:
    return FillFigures(
        bar=row.bar,
        symbol=row.symbol,
        side=row.side,
        units=capital * row.size,
        price=row.price,
        value=capital * row.size * row.price,
        costs=capital * (row.fee + row.slippage_cost),
        margin_call=row.margin_call,
    )


def _describe_fault(error: Exception) -> str:
    """The text of an error of the engine; of another one, which may quote settings, its class."""
    if isinstance(error, BacktestError):
        return str(error)
    return f"the journal has a row that cannot be shown: {type(error).__name__}"


def _problem(status: int, problem: str) -> PageResponse:
    return PageResponse(status, render_problem(problem, area="accounts").encode())
