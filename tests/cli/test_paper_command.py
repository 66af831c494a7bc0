"""`backtest paper`: its texts, its JSON and its errors."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.cli.terminal import display_width
from engine.core.errors import UsageError
from engine.live.paper.settings import PaperSettings, require_grace
from tests.live.paper.accounts import NAME, PaperMarket, certify, start_paper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(scope="module")
def decided(module_folder: Path) -> PaperMarket:
    """An account that decided some bars in time, and some late."""
    market = start_paper(module_folder)
    market.play(6)
    market.look(market.bars.end(market.coming[9]) + pd.Timedelta(minutes=10))
    return market


@pytest.fixture
def paper(
    decided: PaperMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """`backtest paper` in a copy of its home."""
    shutil.copytree(decided.home, tmp_path / "home")
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    return lambda *arguments: CliRunner().invoke(app, ["paper", *arguments])


def test_status_lists_every_account(paper, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    result = paper("status")
    assert result.exit_code == 0
    heading, line = result.stdout.splitlines()
    assert heading.split()[:3] == ["Account", "State", "Strategy"]
    assert line.split()[:2] == [NAME, "idle"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_status_and_history_fit_the_terminal(paper, monkeypatch, width) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for arguments in (["status"], ["status", NAME], ["history", NAME]):
        result = paper(*arguments)
        assert result.exit_code == 0
        assert max(map(display_width, result.stdout.splitlines())) <= width


def test_status_of_one_says_what_it_holds_and_what_happened(paper) -> None:
    text = " ".join(paper("status", NAME).stdout.split())
    assert "10 decisions, 4 late" in text
    assert "journal: its newest bars follow from each other" in text
    assert "started with a capital of 100,000.00" in text
    assert "overdue by" in text
    assert "compared with the backtest on 5 bars that came: equal" in text


def test_status_as_json_has_money_of_the_account(paper) -> None:
    document = json.loads(paper("status", NAME, "--json").stdout)
    assert document["account"] == NAME
    assert document["capital"] == 100_000
    assert document["equity"] == pytest.approx(100_000 * (1 + document["total_return"]))
    assert document["problems"] == []
    (listed,) = json.loads(paper("status", "--json").stdout)
    assert listed["equity"] == document["equity"]


def test_history_has_the_rows_of_the_journal(paper, tmp_path) -> None:
    document = json.loads(paper("history", NAME, "--limit", "0", "--json").stdout)
    assert len(document["decisions"]) == len(document["equity"]) == 10
    assert len(document["bars"]) == 20
    assert document["equity"][0]["equity"] == 100_000
    file = tmp_path / "history.csv"
    assert paper("history", NAME, "--limit", "4", "--csv", str(file)).exit_code == 0
    table = pd.read_csv(file)
    assert len(table) == 4
    assert table["equity"].iloc[-1] == document["equity"][-1]["equity"]


def test_stop_and_resume(paper) -> None:
    assert "stopped" in paper("stop", NAME).stdout
    assert "before" in paper("stop", NAME).stdout
    refused = paper("run", NAME, "--once")
    assert refused.exit_code == 2
    assert "backtest paper resume" in refused.stderr
    assert "can be run again" in paper("resume", NAME).stdout


@pytest.mark.parametrize("content", [None, "", "timestamp,open,high,low,close,volume\n"])
def test_once_has_exit_code_3_where_no_bar_that_is_due_has_come(paper, decided, content) -> None:
    """The files end before the bars that were decided, or have none."""
    files = sorted((decided.home.parent / "market").glob("*.csv"))
    kept = [file.read_text() for file in files]
    for file, text in zip(files, kept, strict=True):
        file.write_text(text if content is None else content)
    result = paper("run", NAME, "--once", "--quiet")
    for file, text in zip(files, kept, strict=True):
        file.write_text(text)
    assert result.exit_code == 3, result.stderr
    bar = decided.coming[10]
    assert (
        f"{NAME}: the bar {bar:%Y-%m-%d %H:%M} of made-up has been complete for" in result.stderr
    )
    assert "fix:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["status", "other"], "there is no paper account of that name"),
        (["history", "other"], "there is no paper account of that name"),
        (["stop", "other"], "there is no paper account of that name"),
        (["run", "other", "--once"], "there is no paper account of that name"),
        (["run", NAME, "--until", "tomorrow"], "this is not a time"),
        (["history", NAME, "--csv", "no/such/folder/file.csv"], "the history cannot be written"),
    ],
)
def test_wrong_arguments_are_told_in_parts(paper, arguments, expected) -> None:
    result = paper(*arguments)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert "fix:" in result.stderr
    assert result.stdout == ""


def test_without_an_account_status_says_how_to_start_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "none"))
    result = CliRunner().invoke(app, ["paper", "status"])
    assert result.exit_code == 0
    assert "backtest paper start" in result.stdout
    assert CliRunner().invoke(app, ["paper", "status", "--json"]).stdout.strip() == "[]"
    assert CliRunner().invoke(app, ["paper", "run"]).exit_code == 2
    assert not (tmp_path / "none").exists()


@pytest.fixture
def start(
    decided: PaperMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """`backtest paper start` of the strategy in a home where it was certified."""
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    strategy = decided.home.parent / "small.yaml"
    certify(decided.spec, tmp_path / "home")
    return lambda *options: CliRunner().invoke(
        app, ["paper", "start", str(strategy), "--account", "new", "--capital", "10", *options]
    )


def test_start_writes_the_settings_of_file_and_options(start, tmp_path) -> None:
    file = tmp_path / "paper.yaml"
    file.write_text("missed: fill_at_next_open\ngrace_s: 5\nsinks: [{kind: stdout}]\n")
    result = start("--settings", str(file), "--grace", "7")
    assert result.exit_code == 0, result.stderr
    assert "account new started: small on made-up, capital 10.00" in result.stdout
    events = json.loads(CliRunner().invoke(app, ["paper", "history", "new", "--json"]).stdout)[
        "events"
    ]
    settings = events[0]["detail"]["settings"]
    assert (settings["missed"], settings["grace_s"]) == ("fill_at_next_open", 7.0)
    assert settings["sinks"] == ["standard output"]
    assert start().exit_code == 2


def test_a_grace_time_that_lets_prices_be_known_is_refused(start) -> None:
    result = start("--grace", "1801")
    assert result.exit_code == 2
    assert "at most 1800 s: half an interval of 1h" in result.stderr
    assert "found: 1801 s" in result.stderr
    assert "fix:" in result.stderr
    assert start("--grace", "1800").exit_code == 0


@pytest.mark.parametrize(
    ("interval", "seconds"), [("1m", 30), ("15m", 450), ("1h", 1800), ("4h", 3600), ("1mo", 3600)]
)
def test_the_largest_grace_time_is_half_an_interval_and_an_hour_at_most(interval, seconds) -> None:
    require_grace(PaperSettings(grace_s=seconds), interval)
    with pytest.raises(UsageError, match="grace time"):
        require_grace(PaperSettings(grace_s=seconds + 0.1), interval)


def test_every_mistake_in_the_settings_is_told(start, tmp_path) -> None:
    file = tmp_path / "paper.yaml"
    file.write_text("missed: never\ngrace: 5\nfeed: {kind: pole}\n")
    result = start("--settings", str(file))
    assert result.exit_code == 2
    assert "3 mistakes" in result.stderr
    assert start("--grace", "-1").exit_code == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--account", "..", "this is no name of an account"),
        ("--account", "a" * 65, "this is no name of an account"),
        ("--capital", "nan", "an account needs a capital"),
        ("--capital", "", "an account needs a capital"),
        ("--capital", "1e999", "an account needs a capital"),
        ("--capital", "-5", "an account needs a capital"),
        ("--capital", "0", "an account needs a capital"),
    ],
)
def test_a_wrong_name_or_capital_is_told_with_a_fix(start, option, value, expected) -> None:
    result = start(option, value)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert f"where: {option}" in result.stderr
    assert f"fix: give such a {'name' if option == '--account' else 'number'}" in result.stderr


def test_an_account_that_decided_no_bar_has_no_age(start) -> None:
    assert start().exit_code == 0
    heading, line = CliRunner().invoke(app, ["paper", "status"]).stdout.splitlines()
    assert ("Age" in heading, " days" in line) == (True, False)
