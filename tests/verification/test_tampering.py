"""A change of any file, row or figure of a run folder is found."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

import engine
from engine.cli.main import app
from engine.core.errors import UsageError
from engine.runs.folder import ANALYSIS_TABLES, DOCUMENTS, PAGES, TABLES
from engine.runs.sums import SUMS_FILE, find_file_differences, write_sums
from engine.verification.keys import create_private_key, load_private_key
from engine.verification.signature import sign_folder
from tests.verification.small_run import change_figure, change_table, copy_folder, make_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.verification.result import Verification

pytestmark = pytest.mark.slow

FILES = [
    *(f"{name}.parquet" for name in (*TABLES, *ANALYSIS_TABLES)),
    *(f"{name}.json" for name in ("manifest", *DOCUMENTS)),
    *(f"{name}.html" for name in PAGES),
]


@pytest.fixture(scope="module")
def run(module_folder: Path) -> engine.Run:
    return make_run(module_folder)


@pytest.fixture
def folder(run: engine.Run, tmp_path: Path) -> Path:
    return copy_folder(run, tmp_path / "run")


def statuses(found: Verification) -> dict[str, str]:
    return {step.name: step.status for step in found.steps}


def test_an_untouched_folder_is_intact_wherever_it_was_moved(folder: Path) -> None:
    found = engine.verify(folder)
    assert found.is_intact
    assert statuses(found) == dict.fromkeys(
        ("files", "inputs", "books", "figures", "significance", "certificate"), "ok"
    )
    checked = subprocess.run(
        ["sha256sum", "-c", "--quiet", SUMS_FILE], cwd=folder, check=False, capture_output=True
    )
    assert checked.returncode == 0, checked.stderr


def test_every_file_of_the_folder_is_tampered_with_below(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {*FILES, SUMS_FILE}


@pytest.mark.parametrize("name", FILES)
def test_one_bit_of_any_file_is_found(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    found = engine.verify(folder)
    assert found.first_difference is not None
    assert found.first_difference.file == name
    assert not found.is_intact


def double(value: float) -> float:
    return 2 * value + 0.001


def flip(side: str) -> str:
    return "sell" if side == "buy" else "buy"


CHANGES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a price": (change_table("bars", "close", double, 200), "inputs", "manifest.json"),
    "a weight": (change_table("positions", "weight", lambda w: 1 - w), "books", ""),
    "the last weight of a rule": (
        change_table("positions", "weight", lambda w: 1 - w, -1), "books", "positions.parquet"),
    "a return": (change_table("returns", "strategy", double), "books", "returns.parquet"),
    "a return of a benchmark": (
        change_table("returns", "buy_and_hold", double, 9), "books", "returns.parquet"),
    "the size of a fill": (change_table("trades", "size", double), "books", "trades.parquet"),
    "the fee of a fill": (change_table("trades", "fee", lambda _: 0.0), "books", "trades.parquet"),
    "the side of a fill": (change_table("trades", "side", flip), "books", "trades.parquet"),
    "an outcome": (
        change_table("predictions", "actual", double), "figures", "predictions.parquet"),
    "a forecast": (change_table("predictions", "predicted", lambda p: -p), "figures", ""),
    "a round trip": (
        change_table("round_trips", "pnl_pct", double, 2), "figures", "round_trips.parquet"),
    "a drawdown": (
        change_table("series", "drawdown_pct", lambda d: d - 1, 40), "figures", "series.parquet"),
    "a Sharpe ratio": (
        change_figure("metrics", "books", "strategy", "sharpe", to=2.5),
        "figures", "metrics.json"),
    "a drawdown in the metrics": (
        change_figure("metrics", "books", "strategy", "max_drawdown_pct", to=-1.0),
        "figures", "metrics.json"),
    "a score": (
        change_figure("metrics", "forecasts", "strategy", "directional_accuracy_pct", to=60.0),
        "figures", "metrics.json"),
    "beta": (
        change_figure("analysis", "benchmark_regression", "beta", to=0.0),
        "figures", "analysis.json"),
    "an interval": (
        change_figure("significance", "sharpe", "strategy", "low", to=0.4),
        "significance", "significance.json"),
    "a p-value": (
        change_figure("significance", "selection", "sharpe", "p_value", to=1e-4),
        "significance", "significance.json"),
    "the timing test": (
        change_figure("significance", "timing", "p_value", to=1e-4),
        "significance", "significance.json"),
    "the grade": (
        change_figure("significance", "verdict", "grade", to="strong"),
        "significance", "significance.json"),
    "the sentence": (
        change_figure("significance", "verdict", "sentence", to="Strong evidence."),
        "significance", "significance.json"),
    "the costs": (
        change_figure("manifest", "strategy", "costs", "fee_bps", to=0.0),
        "inputs", "manifest.json"),
    "the run id": (change_figure("manifest", "run_id", to="0" * 12), "inputs", "manifest.json"),
    "a window": (
        change_figure("manifest", "windows", "0", "test", to=lambda ends: ends[::-1]),
        "inputs", "manifest.json"),
    "the cuts of the certificate": (
        change_figure("certificate", "cuts", to=lambda cuts: cuts[:3]),
        "certificate", "certificate.json"),
    "what was compared": (
        change_figure("certificate", "compared", "features", "values", to=0),
        "certificate", "certificate.json"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_though_the_hashes_were_made_anew(folder: Path, change: str) -> None:
    tamper, step, file = CHANGES[change]
    tamper(folder)
    write_sums(folder)
    found = engine.verify(folder)
    assert statuses(found)["files"] == "ok"
    difference = found.first_difference
    assert difference is not None
    assert statuses(found)[step] == "differs"
    assert not file or difference.file == file


def test_a_removed_an_added_and_a_swapped_file_are_found(run: engine.Run, tmp_path: Path) -> None:
    removed, added, swapped = (copy_folder(run, tmp_path / n) for n in ("r", "a", "s"))
    (removed / "tearsheet.html").unlink()
    (added / "notes.txt").write_text("bought more")
    pages = [swapped / f"{page}.html" for page in ("tearsheet", "quantstats")]
    texts = [page.read_text() for page in pages]
    for page, text in zip(pages, reversed(texts), strict=True):
        page.write_text(text)
    for folder, name, word in (
        (removed, "tearsheet.html", "removed"),
        (added, "notes.txt", "did not write"),
        (swapped, "quantstats.html", "another file"),
    ):
        difference = engine.verify(folder).first_difference
        assert difference is not None
        assert difference.file == name
        assert word in difference.problem


def test_a_book_that_was_exchanged_whole_is_found(folder: Path) -> None:
    """Weights, returns and fills of holding in the place of the strategy's."""
    for name in ("positions", "trades"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        holding = table[table["book"] == "buy_and_hold"]
        pd.concat([holding.assign(book="strategy"), holding]).reset_index(drop=True).to_parquet(
            folder / f"{name}.parquet"
        )
    returns = pd.read_parquet(folder / "returns.parquet")
    returns.assign(strategy=returns["buy_and_hold"]).to_parquet(folder / "returns.parquet")
    write_sums(folder)
    found = engine.verify(folder)
    assert statuses(found)["books"] == "ok"  # they agree with each other
    assert statuses(found)["figures"] == "differs"


def test_a_removed_sums_file_is_found_and_one_of_an_earlier_version_is_told(folder: Path) -> None:
    (folder / SUMS_FILE).unlink()
    assert statuses(engine.verify(folder))["files"] == "differs"
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["market"]
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    found = engine.verify(folder)
    assert found.is_intact
    assert statuses(found)["files"] == "not checked"
    assert statuses(found)["books"] == "ok"


@pytest.mark.parametrize(
    "line", ["nothing", "00  ../secret", "{0}  bars.parquet\n{0}  bars.parquet"]
)
def test_a_damaged_sums_file_is_a_difference(folder: Path, line: str) -> None:
    (folder / SUMS_FILE).write_text(line.format("0" * 64) + "\n")
    found = engine.verify(folder)
    assert found.first_difference is not None
    assert found.first_difference.file == SUMS_FILE


def test_a_damaged_document_ends_with_the_difference(folder: Path) -> None:
    (folder / "metrics.json").write_text("{")
    found = engine.verify(folder)
    assert found.first_difference is not None
    assert found.first_difference.file == "metrics.json"
    assert found.run_id == ""


def test_the_command_says_what_differs_and_ends_with_1(folder: Path) -> None:
    told = CliRunner().invoke(app, ["verify", str(folder), "--quiet"])
    assert told.exit_code == 0
    assert [line.split()[:2] for line in told.stdout.splitlines()[1:]] == [
        [name, "ok"]
        for name in ("files", "inputs", "books", "figures", "significance", "certificate")
    ]
    change_table("returns", "strategy", double)(folder)
    write_sums(folder)
    told = CliRunner().invoke(app, ["verify", str(folder), "--json", "--quiet"])
    assert told.exit_code == 1
    assert json.loads(told.stdout)["intact"] is False
    returns = pd.read_parquet(folder / "returns.parquet")
    assert "strategy at " + returns.index[5].isoformat() in told.stderr
    assert f"found: {returns['strategy'].iloc[5]:.17g}" in told.stderr


def test_the_run_made_again_has_the_same_bytes(
    run: engine.Run, folder: Path, module_folder: Path
) -> None:
    found = engine.verify(folder, again=True, home=module_folder / "home")
    assert statuses(found)["again"] == "ok"
    assert "not compared" not in found.steps[-1].compared
    # What no table tells: a setting of the surface of other costs and delays.
    change_figure("significance", "fragility", "break_even_cost_bps", to=90.0)(folder)
    change_figure("significance", "fragility", "searched_to_bps", to=90.0)(folder)
    write_sums(folder)
    found = engine.verify(folder, again=True, home=module_folder / "home")
    assert found.steps[-1].difference is not None
    assert found.steps[-1].difference.file == "significance.json"
    assert run.manifest.ledger is not None


def test_a_run_of_other_versions_is_not_made_again(folder: Path) -> None:
    change_figure("manifest", "versions", "numpy", to="1.0")(folder)
    with pytest.raises(UsageError, match="cannot be made again") as error:
        engine.verify(folder, again=True)
    assert error.value.expected == "numpy 1.0"


def test_pages_that_are_drawn_again_have_new_hashes_and_nothing_else_has(
    run: engine.Run, folder: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    create_private_key(key)
    sign_folder(folder, load_private_key(key, str))
    change_table("forecasts", "predicted", double)(folder)
    told = CliRunner().invoke(app, ["report", str(folder)])
    assert told.exit_code == 0
    assert "sign the folder again" in " ".join(told.stderr.split())
    assert run.run_id in (folder / "tearsheet.html").read_text()
    assert [each.name for each in find_file_differences(folder)] == ["forecasts.parquet"]
    found = engine.verify(folder)
    assert statuses(found)["signature"] == "differs"
    assert found.first_difference is not None
    assert found.first_difference.file == "forecasts.parquet"
