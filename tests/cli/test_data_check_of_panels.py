"""`backtest data check` of symbols that lack bars, and of a dataset with members."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from engine.cli.main import app
from tests.data.exchanges import write_dataset
from tests.pipeline.panels import MEMBERS, write_panel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from click.testing import Result


def check(folder: Path, *options: str) -> Result:
    manifest = folder / "market" / "market.yaml"
    return CliRunner().invoke(app, ["data", "check", str(manifest), "--quiet", *options])


def test_it_tells_the_bars_of_each_symbol_and_its_holes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    write_panel(tmp_path, members=True)
    found = check(tmp_path)
    text = found.stdout
    assert found.exit_code == 0
    assert "the symbols together have 700 timestamps" in text
    assert "GONE 510 bars (2018-01-01 to 2019-06-04, 10 holes)" in text
    assert "not_shared" not in text
    assert json.loads(check(tmp_path, "--json").stdout)["panel"]["symbols"]["LATE"] == {
        "bars": 80,
        "first": "2019-09-13",
        "last": "2019-12-01",
        "holes": 0,
    }


def test_a_wrong_list_of_members_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    write_panel(tmp_path, members=True)
    (tmp_path / "market" / "members.csv").write_text(MEMBERS + "OLD,2019-01-01,\n")
    assert check(tmp_path).exit_code == 3


def test_a_day_on_which_another_exchange_is_open_is_no_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    manifest = write_dataset(tmp_path, {"NY": "XNYS", "COIN": "24/7"}, 300)
    text = CliRunner().invoke(app, ["data", "check", str(manifest), "--quiet"]).stdout
    assert "NY 300 bars (2023-01-03 to 2024-03-13)" in text
    listed = CliRunner().invoke(app, ["data", "show", str(manifest)]).stdout
    assert "calendar XNYS" in listed
    assert "  COIN: calendar 24/7" in listed
