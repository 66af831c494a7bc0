"""Every command, snippet of Python and piece of YAML in the pages is one that works."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from engine.cli.main import app
from engine.config import parse_overrides
from engine.data.config import Dataset
from engine.live.paper.settings import PaperSettings
from engine.runs.run import Run
from engine.strategy import Strategy, load_strategy
from tests.docs.blocks import OWN_PARTS, PAGES, ROOT, WALKED, blocks, named, uses_own_part

COMMAND = typer.main.get_command(app)

FOR_TYPES = {"Tensor"}
"""Names that are there for the type checker alone."""

TOOLS = {
    *("python3 -m venv", ".venv/bin/python -m compileall", ".venv/bin/pip install"),
    *(".venv/bin/pytest", "pip install", "ray start", "python scripts/documentation/"),
    *(". .venv/bin/activate", "mkdir -p", ".venv/bin/python -m tests."),
}
"""What may stand in a block of commands beside the engine's own."""


def lines(page: Path) -> list[list[str]]:
    """The lines of a page's blocks of commands, unless a test runs them as they are."""
    block = [] if page in WALKED else blocks(page, "sh")
    return [shlex.split(line) for line in "\n".join(block).splitlines() if line]


def in_prose(page: Path) -> list[list[str]]:
    """Commands within sentences; of alternatives the first."""
    found = re.findall(r"(?<!`)`((?:scripts/)?backtest [^`]+)`", page.read_text(encoding="utf-8"))
    return [shlex.split(re.sub(r"\\?\|\w+", "", line)) for line in found]


def commands() -> dict[str, list[str]]:
    """Arguments of `backtest`, by page and line; what is piped or redirected is cut off."""
    found = {}
    for page in PAGES:
        for words in [*lines(page), *in_prose(page)]:
            if words[0].endswith("backtest"):
                ends = [index for index, word in enumerate(words) if word in {">", "|"}]
                arguments = words[1 : min(ends, default=len(words))]
                found[f"{named(page)}: {' '.join(arguments)}"] = arguments
    return found


def parse(arguments: list[str]) -> dict[str, Any]:
    """What the command line makes of the arguments; nothing where only a command is named."""
    command, words = COMMAND, list(arguments)
    while words and not words[0].startswith("-") and hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    if words in ([], ["--help"], ["--version"]):
        return {}
    return dict(command.make_context(command.name, words).params)


@pytest.mark.parametrize("arguments", commands().values(), ids=commands())
def test_a_command_is_one_that_the_command_line_understands(arguments: list[str]) -> None:
    if arguments == ["COMMAND", "--help"]:
        return

    options = parse(arguments)

    overrides = parse_overrides(options.get("set_") or ())
    strategy = Path(ROOT, str(options.get("strategy", "")))
    if strategy.is_file() and not any(map(uses_own_part, arguments)):
        load_strategy(strategy, overrides)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_other_line_is_a_script_of_ours_or_a_known_tool(page: Path) -> None:
    others = [words for words in lines(page) if not words[0].endswith("backtest")]
    scripts = [words[0] for words in others if words[0].startswith("scripts/")]
    plain = [" ".join(words) for words in others if not words[0].startswith("scripts/")]

    assert [name for name in scripts if not os.access(ROOT / name, os.X_OK)] == []
    assert [line for line in plain if not line.startswith(tuple(TOOLS))] == []


def snippets() -> list[Any]:
    """The blocks of Python; those that load Keras are slow."""
    return [
        pytest.param(
            code,
            id=f"{named(page)} {number}",
            marks=[pytest.mark.slow] if "from keras" in code else [],
        )
        for page in PAGES
        for number, code in enumerate(blocks(page, "python"))
    ]


@pytest.mark.parametrize("code", snippets())
def test_imported_names_and_attributes_of_a_run_exist(code: str) -> None:
    nodes = list(ast.walk(ast.parse(code)))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module not in {"__future__", *OWN_PARTS}:
            module = importlib.import_module(node.module)
            missing = [n.name for n in node.names if not hasattr(module, n.name)]
            assert set(missing) <= FOR_TYPES
    asked = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "run"
    }
    properties = {name for name, value in vars(Run).items() if isinstance(value, property)}
    assert asked <= {field.name for field in fields(Run)} | properties | {"run"}


def test_the_python_example_of_the_readme_runs_a_strategy() -> None:
    (example,) = blocks(ROOT / "README.md", "python")
    (call,) = [
        node
        for node in ast.walk(ast.parse(example))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "engine.run"
    ]
    named_attributes = set(re.findall(r"`run\.(\w+)`", (ROOT / "README.md").read_text()))

    load_strategy(ROOT / ast.literal_eval(call.args[0]), ast.literal_eval(call.keywords[0].value))
    tables = {"bars", "predictions", "positions", "returns", "trades"}
    assert named_attributes == tables | {"next_orders"}


def pieces() -> dict[str, dict[str, Any]]:
    """YAML of the pages, without that of user-defined parts, which `test_own_code` checks."""
    return {
        f"{named(page)} {number}": YAML(typ="safe").load(text)
        for page in PAGES
        for number, text in enumerate(blocks(page, "yaml"))
        if not uses_own_part(text)
    }


DATASET = {"name": "x", "interval": "1d", "calendar": "24/7", "symbols": ["BTC-USD"]}
SOURCES = {"sources": [{"kind": "bundled", "symbols": {"BTC-USD": "sp500"}}]}


@pytest.mark.parametrize("piece", pieces().values(), ids=pieces())
def test_a_piece_of_yaml_is_of_a_dataset_a_paper_account_or_a_strategy(
    piece: dict[str, Any],
) -> None:
    if set(piece) <= set(Dataset.model_fields):
        Dataset.model_validate(SOURCES | DATASET | piece)
    elif set(piece) <= set(PaperSettings.model_fields):
        PaperSettings.model_validate_json(json.dumps(piece), strict=True)
    else:
        assert set(piece) <= set(Strategy.model_fields)
        load_strategy(ROOT / "strategies" / "ridge.yaml", piece)
