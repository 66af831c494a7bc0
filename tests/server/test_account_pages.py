"""Pages of paper accounts: what they show of the journal, and what they say without one."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from starlette.testclient import TestClient

from engine.data.store.file_lock import exclusive_lock
from engine.live.journal.file import journal_path
from engine.live.paper.account import account_lock
from engine.server import AllowedHosts, Application, ServedFolders
from tests.reporting.page import Page
from tests.reporting.sweep_runs import IDS, make_run, write_run
from tests.server.accounts import bar_at, clock_after, decide_bars, record_event, start_account

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.manual_clock import ManualClock

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    run = write_run(make_run(0), folder)
    (run / "tearsheet.html").write_text("the run's page", encoding="utf-8")
    return folder


def client(
    home: Path, reports: Path, clock: ManualClock | None = None, *, cone_wait_s: float = 60.0
) -> TestClient:
    application = Application(
        ServedFolders(home, reports),
        AllowedHosts("127.0.0.1", 80),
        clock=clock or clock_after(3),
        cone_wait_s=cone_wait_s,
    )
    return TestClient(application.asgi, base_url="http://127.0.0.1")


def text(served: TestClient, path: str, status: int = 200) -> str:
    answer = served.get(path)
    assert answer.status_code == status
    return Page(answer.text).text


def test_without_a_journal_the_page_says_how_to_start_an_account(
    home: Path, reports: Path
) -> None:
    page = text(client(home, reports), "/")

    assert "No paper account yet" in page
    assert "backtest paper start" in page
    assert not home.exists()


def test_a_missing_folder_of_runs_has_no_runs(home: Path, tmp_path: Path) -> None:
    assert "No runs yet" in text(client(home, tmp_path / "nowhere"), "/runs")


def test_every_account_is_a_card_with_its_state(home: Path, reports: Path) -> None:
    start_account(home, "ridge")
    start_account(home, "waiting", capital=2_500.0)
    decide_bars(home, "ridge", 0, 3, weights={"ABC": 0.4, "XYZ": -0.2})
    record_event(home, "ridge", "missed", 1, policy="skip", missed=2, deferred=[])

    page = text(client(home, reports), "/")

    assert f"2{NBSP}paper accounts" in page
    ridge, waiting = page.split("waiting", 1)
    for shown in (
        "ridge on made-up",
        f"ABC 50.0{NBSP}%, XYZ 50.0{NBSP}%",
        f"ABC 40.0{NBSP}%, XYZ \N{MINUS SIGN}20.0{NBSP}%",
        "2026-03-04",
        f"5{NBSP}s ago",
        "Orders missed 2026-03-03",
    ):
        assert shown in ridge
    assert "2,500.00" in waiting
    assert "no decision yet" in waiting


def test_the_page_of_an_account_shows_its_decisions_orders_fills_and_events(
    home: Path, reports: Path
) -> None:
    start_account(home)
    decide_bars(home, "ridge", 0, 3)
    record_event(home, "ridge", "trained", 2, window=4, fits=2)

    served = client(home, reports)
    answer = served.get("/accounts/ridge")
    page = Page(answer.text)

    assert "decided 2026-03-05 00:00:02" in page.text
    assert f"3{NBSP}decisions, newest first" in page.text
    assert f"+12.3{NBSP}bps" in page.text
    assert "at the next bar, 2026-03-05" in page.text
    assert f"1{NBSP}fill, newest first" in page.text
    assert "50,500.00" in page.text  # 0.005 units of 100,000 at 101
    assert "window 4 began, 2 fits trained" in page.text
    links = [element["href"] for tag, element in page.elements if tag == "a"]
    assert f"/runs/ridge/{IDS[0]}/tearsheet.html" in links
    assert served.get(f"/runs/ridge/{IDS[0]}/tearsheet.html").text == "the run's page"


def test_the_equity_is_drawn_in_the_cone_of_the_run(home: Path, reports: Path) -> None:
    start_account(home)
    decide_bars(home, "ridge", 0, 12)

    (panel,) = Page(client(home, reports, clock_after(12)).get("/accounts/ridge").text).charts[
        "equity"
    ]["panels"]

    lines = {line["key"]: line["values"] for line in panel["lines"]}
    assert lines["account"][0] == 1.0
    assert lines["account"][11] is not None
    assert lines["account"][12] is None
    assert lines["low"][0] == lines["high"][0] == 1.0
    for bar in range(1, len(lines["low"])):
        assert lines["low"][bar] < lines["median"][bar] < lines["high"][bar]
    assert len(lines["low"]) == 22


def test_a_page_does_not_wait_for_the_cone_and_has_another_version_with_it(
    home: Path, reports: Path
) -> None:
    start_account(home)
    decide_bars(home, "ridge", 0, 3)
    served = client(home, reports, cone_wait_s=0.0)

    def version(page: str) -> str:
        return re.search('data-version="(.*?)"', page)[1]

    first = page = served.get("/accounts/ridge").text
    while version(page) == version(first):
        page = served.get("/accounts/ridge").text

    assert "is being computed" in first
    assert "is being computed" not in page
    assert "data-area" in page


@pytest.mark.parametrize(
    ("account", "message"),
    [
        ({"certified_by": "feedfeedfeed"}, "the run feedfeedfeed, whose returns it is made of"),
        ({"interval": "1h"}, "is one of bars of 1d, the account of 1h"),
    ],
)
def test_without_a_fitting_run_the_page_says_why_there_is_no_cone(
    home: Path, reports: Path, account: dict[str, str], message: str
) -> None:
    start_account(home, **account)
    decide_bars(home, "ridge", 0, 3)

    page = Page(client(home, reports).get("/accounts/ridge").text)

    assert message in page.text
    lines = page.charts["equity"]["panels"][0]["lines"]
    assert [line["key"] for line in lines] == ["account"]


def test_an_account_without_a_decision_has_an_honest_page(home: Path, reports: Path) -> None:
    start_account(home)

    page = text(client(home, reports), "/accounts/ridge")

    assert "No decision yet" in page
    assert "100,000.00" in page
    assert "nan" not in page.lower().replace("finance", "")


def test_an_unknown_account_gives_404(home: Path, reports: Path) -> None:
    assert "no paper account was started" in text(client(home, reports), "/accounts/x", 404)
    start_account(home)
    assert "no paper account of that name" in text(client(home, reports), "/accounts/x", 404)


def test_a_new_bar_is_on_the_next_page_and_changes_the_version(home: Path, reports: Path) -> None:
    start_account(home)
    decide_bars(home, "ridge", 0, 2)
    served = client(home, reports)

    def version() -> str:
        (found,) = [e for _, e in Page(served.get("/").text).elements if "data-version" in e]
        return found["data-version"]

    before = version()
    assert version() == before
    decide_bars(home, "ridge", 2, 3)

    assert version() != before
    assert f"3{NBSP}decisions" in text(served, "/accounts/ridge")


@pytest.mark.parametrize("damage", [b"no database" * 1_000, b""])
def test_a_damaged_journal_is_told_on_every_page(home: Path, reports: Path, damage: bytes) -> None:
    start_account(home)
    served = client(home, reports)
    for part in journal_path(home).parent.glob("journal.sqlite*"):
        part.unlink()
    journal_path(home).write_bytes(damage)

    assert "cannot be read" in text(served, "/", 503)
    assert "journal" in text(served, "/accounts/ridge", 503)
    health = served.get("/healthz")
    assert health.status_code == 503
    assert health.json()["journal"]["readable"] is False
    assert "backtest_journal_readable 0.0" in served.get("/metrics").text
    assert served.get("/runs").status_code == 200


def test_an_account_whose_rows_cannot_be_read_is_told_beside_the_others(
    home: Path, reports: Path
) -> None:
    start_account(home)
    start_account(home, "other")
    decide_bars(home, "ridge", 0, 2)
    columns = "account, bar, decided_at, late, row, targets, state"
    with closing(sqlite3.connect(journal_path(home))) as connection, connection:
        connection.execute(
            "INSERT INTO bars SELECT account, '2026-03-04T00:00:00.000000+00:00', symbol, open, "
            "high, low, close, volume, received_at FROM bars LIMIT 1"
        )
        connection.execute(
            f"INSERT INTO decisions ({columns}) SELECT account, '2026-03-04T00:00:00.000000' || "
            "'+00:00', decided_at, late, '{', targets, state FROM decisions LIMIT 1"
        )
    served = client(home, reports)

    page = text(served, "/")
    assert "a row of the journal of paper accounts is damaged" in page
    assert "no decision yet" in page
    assert f"2{NBSP}paper accounts" in page
    assert "is damaged" in text(served, "/accounts/ridge", 503)
    assert "100,000.00" in text(served, "/accounts/other")
    health = served.get("/healthz")
    assert health.status_code == 503
    assert "is damaged" in health.json()["accounts"]["ridge"]["problem"]
    metrics = served.get("/metrics").text
    assert 'backtest_account_readable{account="ridge"} 0.0' in metrics
    assert 'backtest_account_readable{account="other"} 1.0' in metrics


def test_an_account_that_a_process_holds_is_running(home: Path, reports: Path) -> None:
    start_account(home)
    decide_bars(home, "ridge", 0, 3)
    served = client(home, reports)

    assert "No process runs it" in text(served, "/")
    with exclusive_lock(account_lock(home, "ridge"), lambda _: None):
        assert "Running" in text(served, "/")
        health = served.get("/healthz").json()["accounts"]["ridge"]
        assert health["process"] == f"process {os.getpid()}"
    assert "No process runs it" in text(served, "/")


def test_settings_that_cannot_be_read_are_not_quoted(home: Path, reports: Path) -> None:
    start_account(home, settings='{"grace_s": 30.0, "sinks": [{"kind": "hush", "url": "quiet"}]}')
    record_event(home, "ridge", "started", 0, settings={"sinks": [{"url": "quiet"}]})
    served = client(home, reports)

    for path in ("/", "/accounts/ridge", "/healthz", "/metrics"):
        assert "quiet" not in served.get(path).text
    assert "another text (ValidationError)" in text(served, "/")


def test_texts_of_the_journal_are_escaped(home: Path, reports: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    start_account(home, strategy=hostile, dataset=hostile, certified_by=hostile)
    decide_bars(home, "ridge", 0, 3, weights={hostile: 0.5})
    record_event(home, "ridge", "error", 2, error=hostile, problem=hostile, text=hostile)

    for path in ("/", "/accounts/ridge"):
        answer = client(home, reports).get(path)
        assert answer.status_code == 200
        assert "<img" not in answer.text
        assert "&lt;img src=x" in answer.text


def test_a_run_whose_id_is_no_run_of_the_folder_is_not_linked(home: Path, reports: Path) -> None:
    start_account(home, certified_by="../../secret")

    page = Page(client(home, reports).get("/accounts/ridge").text)

    assert "which is not in the folder of runs" in page.text
    assert not [e for tag, e in page.elements if tag == "a" and "secret" in e["href"]]


def test_health_follows_the_calendar_and_the_grace_time(home: Path, reports: Path) -> None:
    start_account(home)
    decide_bars(home, "ridge", 0, 3)
    bar_due = bar_at(3) + pd.Timedelta(days=1)

    for seconds, healthy in ((86_400 + 29, True), (86_400 + 31, False)):
        answer = client(home, reports, clock_after(3, seconds=seconds)).get("/healthz")
        account = answer.json()["accounts"]["ridge"]
        assert answer.status_code == (200 if healthy else 503)
        assert account["healthy"] is healthy
        assert pd.Timestamp(account["due_at"]) == bar_due + pd.Timedelta(seconds=30)
    # Without a new bar over the weekend a market of the week is healthy.
    start_account(
        home / "week", calendar="XNYS", history_last=pd.Timestamp("2026-02-27", tz="UTC")
    )
    assert client(home / "week", reports, clock_after(0)).get("/healthz").status_code == 200


def test_an_account_that_was_stopped_is_healthy(home: Path, reports: Path) -> None:
    start_account(home)
    decide_bars(home, "ridge", 0, 3)
    record_event(home, "ridge", "stopped", 2)

    answer = client(home, reports, clock_after(90)).get("/healthz")

    assert answer.status_code == 200
    assert answer.json()["accounts"]["ridge"]["stopped"] is True
    assert json.loads(answer.text)["healthy"] is True


SINK = '[{"kind": "file", "name": "signals", "path": "/signals.jsonl"}]'


def test_the_page_says_where_messages_go_and_how_the_backtest_compared(
    home: Path, reports: Path
) -> None:
    start_account(home, settings=f'{{"grace_s": 30.0, "sinks": {SINK}}}')
    decide_bars(home, "ridge", 0, 3)
    equal = {"bars": 3, "targets_differ": 0, "equity_differs": 0}
    record_event(home, "ridge", "comparison", 2, received=equal, present=equal, problem="")

    page = text(client(home, reports), "/accounts/ridge")

    assert "signals" in page.split("Given up")[1]
    assert "signals.jsonl" in page
    assert "compared with the backtest on 3 bars that came: equal" in page


def test_metrics_have_every_figure_of_an_account(home: Path, reports: Path) -> None:
    start_account(home, settings=f'{{"grace_s": 30.0, "sinks": {SINK}}}')
    decide_bars(home, "ridge", 0, 1, weights={"ABC": 0.4}, late=True, status="missed")
    decide_bars(home, "ridge", 1, 4, weights={"ABC": 0.4})
    record_event(home, "ridge", "absent", 2, bars=3, incomplete={}, after="2026-03-02")
    record_event(home, "ridge", "revision", 2)
    record_event(home, "ridge", "trained", 3, window=1, fits=1)

    answer = client(home, reports, clock_after(4)).get("/metrics")

    lines = answer.text.splitlines()
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for line in (
        'backtest_account_held_weight{account="ridge",symbol="ABC"} 0.4',
        'backtest_account_decisions_total{account="ridge"} 4.0',
        'backtest_account_late_bars_total{account="ridge"} 1.0',
        'backtest_account_missed_orders_total{account="ridge"} 1.0',
        'backtest_account_absent_bars_total{account="ridge"} 3.0',
        'backtest_account_revisions_total{account="ridge"} 1.0',
        'backtest_account_data_age_seconds{account="ridge"} 5.0',
        'backtest_account_failed_deliveries{account="ridge",sink="signals"} 0.0',
        "backtest_journal_readable 1.0",
    ):
        assert line in lines
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    newest = float(values['backtest_account_newest_bar_timestamp_seconds{account="ridge"}'])
    assert newest == bar_at(3).timestamp()
    assert 'backtest_account_last_fit_timestamp_seconds{account="ridge"}' in values
    assert 80_000 < float(values['backtest_account_equity{account="ridge"}']) < 120_000
