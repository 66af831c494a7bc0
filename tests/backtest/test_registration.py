"""A strategy that is registered, then run: what the document, the page and the ledger say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import engine
from engine.cli.main import app
from engine.cli.run_summary import render_run_text
from engine.reporting import render_page
from tests.verification.small_run import write_small_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture
def strategy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    return write_small_strategy(tmp_path)


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})


def run(strategy: Path, **options: object) -> engine.Run:
    folder = strategy.parent
    return engine.run(strategy, out=folder / "reports", workers=1, pages=False, **options)


@pytest.mark.slow
def test_the_page_says_whether_it_was_registered_before_the_first_run_and_met(
    strategy: Path,
) -> None:
    told = command(
        *("register", strategy, "--expect", "sharpe - buy_and_hold > -100"),
        *("--expect", "max_drawdown > -0.001"),
    )
    assert told.exit_code == 0
    assert "before the first run" in told.stdout
    first = run(strategy)
    (registered,) = first.significance.registrations
    assert registered.is_before
    assert registered.same_data
    assert [each.met for each in registered.expectations] == [True, False]
    sharpes = [first.metrics.books[name].sharpe for name in ("strategy", "buy_and_hold")]
    assert registered.expectations[0].value == sharpes[0] - sharpes[1]
    page = render_page(first, "significance")
    assert "before the first run of this idea" in page
    assert "met in 1 of 2 rules" in page
    assert "met in 1 of 2 rules" in render_run_text(first)
    assert engine.verify(first.run_dir, again=True).is_intact

    assert "after 1 of the runs" in command("register", strategy, "--expect", "sharpe > 9").stdout
    second = run(strategy, overrides={"benchmarks": [{"kind": "ma_crossover"}]})
    before, after = second.significance.registrations
    assert (before.runs_before, after.runs_before) == (0, 1)
    assert not before.same_data
    assert "for other data or benchmarks" in render_page(second, "significance")
    shown = json.loads(command("ledger", "show", "1", "--json").stdout)
    assert [each["content"]["expectations"] for each in shown["registrations"]] == [
        ["sharpe - buy_and_hold > -100", "max_drawdown_pct > -0.001"],
        ["sharpe > 9"],
    ]
    text = command("ledger", "show", "1").stdout
    assert "before its first run: sharpe - buy_and_hold > -100" in text
    assert "after 1 of its runs: sharpe > 9" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "at least one rule"),
        (["--expect", "sharpe"], "FIGURE OP NUMBER"),
        (["--expect", "sharpe - ridge > 0"], "a benchmark of the strategy: buy_and_hold"),
        (["--expect", "sharpe > 0", "--data", "no-such-dataset"], "no-such-dataset"),
    ],
)
def test_a_wrong_registration_writes_nothing(
    strategy: Path, arguments: list[str], words: str
) -> None:
    told = command("register", strategy, *arguments)
    assert told.exit_code in {2, 3}
    assert words in " ".join(told.stderr.split())
    assert "no runs yet" in command("ledger", "verify").stdout
