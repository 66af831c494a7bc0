"""`backtest paper replay`: its text in a terminal, its JSON, and its exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.cli.replay_summary import render_replay_text
from engine.live import Replay
from engine.runs.documents.live_path import FirstDifference, ValueCounts
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

DIFFERENCE = FirstDifference(
    bar="2024-05-10T00:00:00+00:00",
    kind="weights",
    symbol="BTC",
    name="target weight",
    live=0.1,
    backtest=0.30000000000000004,
    compared_with="backtest",
)


def make_replay(**changes: object) -> Replay:
    values = {
        "strategy": "small",
        "dataset": "made-up",
        "offline": False,
        "first": "2020-01-01T00:00:00+00:00",
        "last": "2024-05-11T00:00:00+00:00",
        "bars": 1_592,
        "out_of_sample_bars": 1_592,
        "windows": 9,
        "run_id": "0b2d2b406efb",
        "compared": ValueCounts(forecasts=1_592, weights=1_592, fills=77, equity=7_960),
        "differing": ValueCounts(),
        "first_difference": None,
    }
    return Replay.model_validate(values | changes)


@pytest.mark.parametrize("width", [80, 60, 40])
def test_the_text_fits_the_terminal(width: int) -> None:
    for replay in (make_replay(), make_replay(first_difference=DIFFERENCE)):
        assert max(map(len, render_replay_text(replay, width).splitlines())) <= width


def test_equal_paths_are_said_with_the_bars_and_the_stored_run() -> None:
    text = " ".join(render_replay_text(make_replay(), 80).split())
    assert "1,592 bars of 1,592, 2020-01-01 to 2024-05-11, by the account of the run" in text
    assert "equals the backtest, and the stored run 0b2d2b406efb, to the last bit." in text
    newest = make_replay(bars=20, run_id=None)
    text = " ".join(render_replay_text(newest, 80).split())
    assert "20 bars of 1,592" in text
    assert "by an account that begins there" in text
    assert "no stored run of this strategy on these bars was found" in text


def test_a_difference_is_said_with_its_bar_and_both_values_in_full() -> None:
    replay = make_replay(differing=ValueCounts(weights=2), first_difference=DIFFERENCE)
    text = " ".join(render_replay_text(replay, 80).split())
    assert "DIFFERS in 2 values" in text
    assert "of the kind weights at 2024-05-10: target weight of BTC is 0.1" in text
    assert "on the live path, 0.30000000000000004 in backtest" in text


def test_the_document_is_read_back_as_it_was_written() -> None:
    replay = make_replay(first_difference=DIFFERENCE)
    assert Replay.from_json(replay.to_json(), "here") == replay
    assert not replay.is_equal
    assert make_replay().is_equal


def test_bars_are_replayed_and_the_json_says_that_none_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    file = write_strategy(tmp_path, market(tmp_path / "market"))
    result = CliRunner().invoke(
        app, ["paper", "replay", str(file), "--bars", "5", "--json", "-q", "--out", str(tmp_path)]
    )
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["bars"] == 5
    assert set(document["differing"].values()) == {0}
    assert document["first_difference"] is None


def test_a_difference_ends_with_exit_code_1(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    file = write_strategy(tmp_path, market(tmp_path / "market"))
    wrong = make_replay(differing=ValueCounts(weights=2), first_difference=DIFFERENCE)
    monkeypatch.setattr("engine.live.parity.strategy_replay.replay", lambda *_, **__: wrong)
    result = CliRunner().invoke(app, ["paper", "replay", str(file), "-q"])
    assert result.exit_code == 1
    assert "A fault of the engine" in result.stderr
