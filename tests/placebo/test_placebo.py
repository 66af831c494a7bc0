"""`backtest placebo`: the p-value of a procedure, its document and its page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import UsageError
from engine.placebo import run_placebo
from engine.reporting.placebo_page import describe_placebo, render_placebo
from engine.runs.documents.placebo import PlaceboDocument
from engine.strategy import load_strategy
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path


def document(sharpe: float = 1.5, **changes: object) -> PlaceboDocument:
    figures = {
        "strategy": "small",
        "run_id": "0123456789ab",
        "kind": "signs",
        "markets": 19,
        "first": "2019-01-01T00:00:00+00:00",
        "last": "2019-12-01T00:00:00+00:00",
        "bars": 335,
        "sharpe": sharpe,
        "surrogate_sharpes": tuple(0.1 * number for number in range(19)),
        "at_least": 4,
        "p_value": 0.25,
        "median": 0.9,
        "upper": 1.7,
    }
    return PlaceboDocument.model_validate(figures | changes)


def test_the_page_draws_the_real_result_among_the_surrogates() -> None:
    page = render_placebo(document())

    assert "4 of 19 surrogates are at or right of the real result" in page
    assert 'data-layer="real"' in page
    assert page == render_placebo(document())


def test_the_sentence_says_the_p_value_and_of_what() -> None:
    sentence = describe_placebo(document(at_least=1, p_value=0.1)).replace(
        "\N{NO-BREAK SPACE}", " "
    )

    assert "1 surrogate market of 19 has one as high: p = 0.100 for the procedure" in sentence


@pytest.mark.parametrize("count", [0, 18, 10_001])
def test_too_few_or_too_many_markets_are_refused_before_anything_is_read(
    tmp_path: Path, count: int
) -> None:
    strategy = load_strategy(write_strategy(tmp_path, tmp_path / "missing.yaml"))

    with pytest.raises(UsageError, match="out of bounds"):
        run_placebo(strategy, markets=count, home=tmp_path)


@pytest.mark.slow
def test_the_command_runs_once_on_the_real_bars_and_writes_document_and_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    strategy = write_strategy(tmp_path, market(tmp_path / "market", edge=0.4))
    with_holdout = strategy.read_text().replace("{train: 300", "{holdout: 60d, train: 300")
    strategy.write_text(with_holdout)
    out, call = tmp_path / "reports", CliRunner().invoke

    options = ["--markets", "19", "--out", str(out), "--quiet", "--json"]
    done = call(app, ["placebo", str(strategy), *options])
    looks = json.loads(call(app, ["ledger", "list", "--json"]).stdout)

    told = json.loads(done.stdout)
    placebo = told["placebo"]
    ratios = placebo["surrogate_sharpes"]
    assert len(ratios) == 19
    assert placebo["at_least"] == sum(ratio >= placebo["sharpe"] for ratio in ratios)
    assert placebo["p_value"] == (1 + placebo["at_least"]) / 20
    folder = out / "placebo" / "small" / placebo["run_id"] / "signs-19"
    assert {file.name for file in folder.iterdir()} == {"placebo.json", "placebo.html"}
    assert PlaceboDocument.model_validate_json((folder / "placebo.json").read_text())
    assert len(looks) == 1
    assert placebo["last"] < "2019-10-03"  # the last 60 days are sealed
