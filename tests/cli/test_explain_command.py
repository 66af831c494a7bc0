"""`backtest explain`: what a key means, on a terminal and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app

if TYPE_CHECKING:
    from typer.testing import Result


def explain(*arguments: str, width: int = 80) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments], env={"COLUMNS": str(width)})


def test_a_key_shows_meaning_bounds_default_and_path() -> None:
    assert explain("model.lstm.units").stdout.splitlines() == [
        "model.lstm.units",
        "",
        "Size of each layer.",
        "",
        "takes      a list of 1 to 3, each a whole number, at least 1, at most 1024",
        "default    [50]",
        "in a file  model.units",
    ]


def test_without_a_path_the_top_level_is_listed() -> None:
    shown = explain().stdout
    assert "\n  model        Who forecasts.\n" in shown
    assert shown.splitlines()[-1] == "More: backtest explain features"


def test_a_union_lists_its_kinds_and_a_kind_its_keys() -> None:
    kinds = explain("signal").stdout
    assert "default    {kind: threshold}" in kinds
    assert "\n  cost_multiple  Thresholds as multiples of the round-trip cost" in kinds
    keys = " ".join(explain("signal.threshold").stdout.split())
    assert "{kind: threshold}" in keys
    assert "enter_bps Predicted return, in basis points, above which" in keys
    assert "Default: 5.0." in keys


def test_a_required_key_is_marked_and_nested_kinds_not_repeated() -> None:
    shown = explain("model.ensemble.members").stdout
    assert "default    none; the key is required" in shown
    assert "kinds      those of model" in shown


def test_keys_of_dataset_manifests_are_explained_too() -> None:
    shown = explain("--dataset", "sources.ccxt").stdout
    assert "Any exchange that ccxt knows" in shown
    assert "More: backtest explain --dataset sources.ccxt.exchange" in shown


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("path", [(), ("features",), ("model.lstm",), ("training.warm_start",)])
def test_no_line_is_wider_than_the_terminal(path: tuple[str, ...], width: int) -> None:
    lines = explain(*path, width=width).stdout.splitlines()
    assert [line for line in lines if len(line) > width and not line.startswith("More: ")] == []


def test_json_has_the_entry_and_the_keys_below_it() -> None:
    document = json.loads(explain("signal", "--json").stdout)
    assert document["entry"]["kinds"] == ["cost_multiple", "quantile", "threshold"]
    assert [key["path"] for key in document["keys"]] == [
        *("signal.cost_multiple", "signal.quantile", "signal.threshold")
    ]
    assert json.loads(explain("--json").stdout)["entry"] is None


@pytest.mark.parametrize(
    ("path", "meant"), [("modle", "model"), ("model.lstm.unit", "model.lstm.units")]
)
def test_an_unknown_path_ends_with_2_and_a_suggestion(path: str, meant: str) -> None:
    result = explain(path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"did you mean {meant}?" in result.stderr
