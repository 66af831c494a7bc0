"""What the README shows is what the engine does."""

from __future__ import annotations

import ast
import os
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from engine.artifacts import Run
from engine.cli.main import app
from engine.data.spec import Dataset
from engine.documents import load_document
from engine.strategy import Strategy, load_strategy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENVIRONMENT = {
    "python3 -m venv",
    ".venv/bin/python -m compileall",
    ".venv/bin/pip install",
    ".venv/bin/pytest",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def shell_lines() -> list[list[str]]:
    inline = re.findall(r"`((?:scripts/)?backtest [^`]+)`", README)
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line) for line in [*lines, *inline]]


def arguments_of_backtest() -> list[list[str]]:
    return [words[1:] for words in shell_lines() if words[0].endswith("backtest")]


def load_only(what: str = "", *, overrides: dict[str, object] | None = None, **_: object) -> Run:
    """A pipeline that goes no further than reading the strategy, a replication not even there."""
    if overrides is not None:
        load_strategy(Path(what), overrides)
    raise typer.Exit


@pytest.mark.parametrize("arguments", arguments_of_backtest(), ids=" ".join)
def test_a_backtest_line_is_understood(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    result = CliRunner().invoke(app, arguments, obj=load_only)

    is_a_run_that_is_not_there = arguments[0] == "report"
    assert "Usage:" not in result.stderr
    assert result.exit_code == (2 if is_a_run_that_is_not_there else 0)


def test_every_other_line_is_a_script_or_makes_an_environment() -> None:
    others = [words for words in shell_lines() if not words[0].endswith("backtest")]
    scripts = [words[0] for words in others if words[0].startswith("scripts/")]
    plain = [" ".join(words) for words in others if not words[0].startswith("scripts/")]

    assert scripts
    assert [name for name in scripts if not os.access(ROOT / name, os.X_OK)] == []
    assert [line for line in plain if not line.startswith(tuple(ENVIRONMENT))] == []


def test_the_python_example_uses_what_there_is() -> None:
    import engine

    (example,) = blocks("python")
    nodes = list(ast.walk(ast.parse(example)))
    (call,) = [
        node
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "engine.run"
    ]
    used = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "run"
    }
    named = set(re.findall(r"`run\.(\w+)`", README))

    assert callable(engine.run)
    assert used | named <= {field.name for field in fields(Run)}
    overrides = ast.literal_eval(call.keywords[0].value)
    load_strategy(ROOT / ast.literal_eval(call.args[0]), overrides)


def test_the_manifest_example_is_a_dataset(tmp_path: Path) -> None:
    (example,) = blocks("yaml")
    (tmp_path / "my-bars.yaml").write_text(example)

    assert load_document(tmp_path / "my-bars.yaml", Dataset).symbols == ("BTC", "ETH", "XRP")


def test_every_file_of_a_run_is_described() -> None:
    from engine.artifacts import DOCUMENTS, PAGES, TABLES

    names = ["manifest.json", *(f"{table}.parquet" for table in TABLES)]
    names += [f"{name}.json" for name in DOCUMENTS] + [f"{page}.html" for page in PAGES]

    assert [name for name in names if f"`{name}`" not in README] == []


@pytest.mark.parametrize("key", ["features", "scaling", "model", "signal", "sizing", "opponents"])
def test_the_table_of_choices_names_every_kind(key: str) -> None:
    schema = Strategy.model_json_schema()
    told = schema["properties"][key]
    told = told.get("items", told)
    kinds = set(told["discriminator"]["mapping"])
    (row,) = re.findall(rf"^\| `{key}` \|(.*)\|$", README, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row))
    if key == "opponents":
        named |= {"ridge", "gradient_boosting", "persistence", "drift", "always_up"}
    assert kinds <= named
