from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from engine.cli.main import app
from engine.strategy import Strategy

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_check_shows_a_strategy_with_its_defaults(working_folder: Path) -> None:
    (working_folder / "s.yaml").write_text(
        "name: mine\ndata: {dataset: us-indices}\nmodel: {kind: ridge}\n"
        "benchmarks: [{kind: buy_and_hold}, {kind: ma_crossover, fast: 5}]\n"
    )

    result = invoke("check", "s.yaml", "--set", "costs.fee_bps=7")

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0] == "s.yaml is a valid strategy"
    assert "  data         dataset us-indices, offline none, target none" in lines
    assert "  costs        fee_bps 7.0, slippage_bps 5.0, borrow_bps_per_year 0.0" in lines
    position = lines.index("  benchmarks   buy_and_hold")
    assert lines[position + 1] == "               ma_crossover, fast 5, slow 100, side long_only"


def test_check_reports_all_mistakes_and_ends_with_2(working_folder: Path) -> None:
    (working_folder / "s.yaml").write_text("name: mine\ndata: {datset: x}\nmodel: {kind: rigde}\n")

    result = invoke("check", "s.yaml")

    assert result.exit_code == 2
    assert "s.yaml has 3 mistakes" in result.stderr
    assert "did you mean `dataset`?" in result.stderr
    assert "did you mean `ridge`?" in result.stderr
    assert result.stdout == ""


def test_check_warns_where_warm_start_has_no_effect(working_folder: Path) -> None:
    (working_folder / "s.yaml").write_text(
        "name: mine\ndata: {dataset: us-indices}\nmodel: {kind: ridge}\n"
        "training: {warm_start: previous_window}\n"
    )

    result = invoke("check", "s.yaml")

    assert result.exit_code == 2
    assert "s.yaml has 1 mistake" in result.stderr
    assert "training" in result.stderr
    assert "nothing would start warm" in result.stderr
    assert invoke("check", "s.yaml", "--set", "model={kind: mlp}").exit_code == 0


def test_schema_prints_the_schema_of_strategies() -> None:
    result = invoke("schema")

    assert json.loads(result.stdout) == Strategy.model_json_schema()


def test_data_list_describes_every_manifest(working_folder: Path) -> None:
    (working_folder / "datasets").mkdir()
    (working_folder / "datasets" / "mine.yaml").write_text(
        "name: mine\ninterval: 1d\ncalendar: 24/7\nsymbols: [BTC-USD, ETH-USD]\n"
        "start: 2015-01-01\nsources: [{kind: yahoo}, {kind: files, path: bars}]\n"
        "note: for tests\n"
    )

    result = invoke("data", "list")

    assert (
        "mine (datasets/mine.yaml)\n"
        "  symbols      BTC-USD, ETH-USD\n"
        "  bars         1d, 2015-01-01 to now, calendar 24/7\n"
        "  sources      yahoo, then files\n"
        "  note         for tests\n"
    ) in result.stdout
