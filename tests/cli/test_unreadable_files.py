"""Files that cannot be read as what they should be: pipes, and files above a bound."""

from __future__ import annotations

import gzip
import json
import os
import signal
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core import limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

DATASET = """name: d
interval: 1d
calendar: 24/7
symbols: [A]
sources: [{kind: files, path: ., pattern: "{symbol}.csv"}]
"""
STRATEGY = """name: s
data: {dataset: us-indices}
model: {kind: ridge}
rates: {risk_free: {file: rates.csv, column: rate, unit: percent}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    (tmp_path / "d.yaml").write_text(DATASET)
    (tmp_path / "s.yaml").write_text(STRATEGY)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert "fault of the engine" not in result.stderr
    return result


def bars(days: int = 40) -> str:
    stamps = pd.date_range("2020-01-01", periods=days).strftime("%Y-%m-%d")
    rows = "".join(f"{day},1,2,1,1.5,3\n" for day in stamps)
    return f"date,open,high,low,close,volume\n{rows}"


@pytest.fixture
def pipes(folder: Path) -> Iterator[None]:
    """Pipes in the place of files; a command that waits for one is ended."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("Windows has no pipes with a path")
    (folder / "run").mkdir()
    for name in ("pipe.yaml", "pipe.csv", "A.csv", "rates.csv", "run/manifest.json"):
        os.mkfifo(folder / name)

    def end(*_: object) -> None:
        raise TimeoutError("the command waits for a pipe")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("pipes")
@pytest.mark.parametrize(
    "arguments",
    [
        *(["check", "pipe.yaml"], ["run", "pipe.yaml"], ["features", "pipe.yaml"]),
        *(["data", "check", "pipe.yaml"], ["data", "init", "pipe.csv"], ["run", "s.yaml"]),
        *(["data", "check", "d.yaml"], ["report", "run"], ["compare", "run", "run"]),
    ],
    ids=" ".join,
)
def test_no_command_waits_for_a_pipe(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code in {2, 3}
    if arguments[0] != "data" and "run" not in arguments[1:]:
        assert "a pipe cannot be read" in result.stderr


def test_a_strategy_above_the_bound_is_refused(folder: Path) -> None:
    (folder / "s.yaml").write_text("#" * (limits.MAX_YAML_BYTES + 1))
    result = run("check", "s.yaml")
    assert result.exit_code == 2
    assert "expected: at most 1,048,576 bytes" in result.stderr


@pytest.mark.parametrize("name", ["A.csv", "A.csv.gz", "A.csv.zip"])
def test_bars_are_bounded_by_their_size_after_decompression(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = bars(400).encode()
    packed = gzip.compress(text) if name.endswith("gz") else text
    if name.endswith("zip"):
        with zipfile.ZipFile(folder / "A.csv", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("A.csv", text)
    else:
        (folder / "A.csv").write_bytes(packed)
    assert run("data", "check", "d.yaml").exit_code == 0

    monkeypatch.setattr(limits, "MAX_BAR_FILE_BYTES", len(text) - 1)
    result = run("data", "check", "d.yaml")
    assert result.exit_code == 3
    assert "the file is too large" in " ".join(result.output.split())


def test_columns_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "A.csv").write_text(bars())
    monkeypatch.setattr(limits, "MAX_BAR_FILE_COLUMNS", 5)
    result = run("data", "check", "d.yaml")
    assert result.exit_code == 3
    assert "too many columns" in result.output
    assert "6 cells" in result.output


def test_a_header_has_an_end(folder: Path) -> None:
    (folder / "A.csv").write_text("date" * 100_000)
    result = run("data", "check", "d.yaml")
    assert result.exit_code == 3
    assert "no line end" in result.output


@pytest.mark.parametrize(("name", "bound"), [("ROWS", 39), ("COLUMNS", 5)])
def test_a_table_of_parquet_is_bounded_before_it_is_expanded(
    folder: Path, name: str, bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "A.csv").write_text(bars())
    pd.read_csv(folder / "A.csv").to_parquet(folder / "A.parquet")
    (folder / "d.yaml").write_text(DATASET.replace(".csv", ".parquet"))
    assert run("data", "check", "d.yaml").exit_code == 0
    monkeypatch.setattr(limits, f"MAX_BAR_FILE_{name}", bound)
    result = run("data", "check", "d.yaml")
    assert result.exit_code == 3
    assert "too large for a table of bars" in result.output


def test_bars_in_nested_json_are_refused(folder: Path) -> None:
    (folder / "A.csv").write_text("[" * 3_000 + "]" * 3_000)
    result = run("data", "check", "d.yaml")
    assert result.exit_code == 3
    assert "nested too deeply" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("1e999", "not within the range"),
        ("NaN", "not a number of JSON"),
        ("-Infinity", "not a number of JSON"),
        ("9" * 30, "not within the range"),
        ("9" * 5_000, "not within the range"),
        ("[" * 100 + "]" * 100, "levels of nesting"),
        ("[" * 3_000 + "]" * 3_000, "levels of nesting"),
        ('{"a": ' * 100 + "1" + "}" * 100, "levels of nesting"),
    ],
    ids=lambda text: text[:12],
)
@pytest.mark.parametrize("command", [["report"], ["compare", "run"]], ids=" ".join)
def test_a_run_folder_of_a_stranger_is_read_within_bounds(
    folder: Path, value: str, found: str, command: list[str]
) -> None:
    (folder / "run").mkdir()
    document = json.dumps({"run_id": "0123456789ab", "x": 0}).replace("0}", f"{value}}}")
    (folder / "run" / "manifest.json").write_text(document)
    result = run(*command, "run")
    assert result.exit_code == 2
    assert found in result.stderr


LETTER = "\N{CYRILLIC CAPITAL LETTER YA}"  # six bytes in the name of a file: %D0%AF


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("name: d", f"name: {'x' * 221}", "name"),
        ("[A]", f"[{'x' * 221}]", "symbols.0"),
        ("[A]", f"[A, {LETTER * 37}]", "symbols.1"),
        ("[A]", f'["{"/" * 74}"]', "symbols.0"),
    ],
)
def test_a_name_is_not_longer_than_that_of_a_file(
    folder: Path, old: str, new: str, path: str
) -> None:
    (folder / "d.yaml").write_text(DATASET.replace(old, new))
    result = run("data", "check", "d.yaml")
    assert result.exit_code == 2
    assert path in result.stderr
    assert "at most 220 bytes as the name of a file" in result.stderr


def test_the_longest_names_become_files(folder: Path) -> None:
    name, symbol = "x" * 220, LETTER * 36
    (folder / "d.yaml").write_text(
        DATASET.replace("name: d", f"name: {name}").replace("A]", f"{symbol}]")
    )
    (folder / f"{symbol}.csv").write_text(bars())
    assert run("data", "export", "d.yaml", "--out", "out", "--format", "csv").exit_code == 0
    assert len(list((folder / "out").iterdir())) == 2


def test_a_proposed_name_is_not_longer_than_that_of_a_file(folder: Path) -> None:
    (folder / f"{'q' * 240}.csv").write_text(bars())
    (folder / "A.csv").write_text(bars())
    result = run("data", "init", f"{'q' * 240}.csv", "--name", "short")
    assert result.exit_code == 2
    assert "the symbol of the dataset cannot be used" in result.stderr
    result = run("data", "init", "A.csv", "--name", "q" * 240)
    assert result.exit_code == 2
    assert "the name of the dataset cannot be used" in result.stderr


def test_a_line_without_an_end_is_told(folder: Path) -> None:
    (folder / "A.csv").write_text(f"{bars()}2020-03-01,1,2,1,1.5,{'3' * (9 << 20)}\n{bars()}")
    result = run("data", "check", "d.yaml")
    assert result.exit_code == 3
    assert "a line of more than 4,194,304 bytes" in " ".join(result.output.split())
