"""The pages that list everything list everything."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

from engine.cli.main import app
from engine.config.reference import list_entries
from engine.data.calendar import DAYS_PER_YEAR
from engine.data.config import Dataset
from engine.runs import documents
from engine.runs.folder import ANALYSIS_TABLES, DOCUMENTS, PAGES, TABLES
from engine.strategy import Strategy
from tests.docs.blocks import ROOT

REFERENCE = ROOT / "docs" / "reference"


def extension(name: str):
    """A module of docs/extensions, loaded as Sphinx does."""
    folder = str(ROOT / "docs" / "extensions")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


@pytest.mark.parametrize("model", [Strategy, Dataset])
def test_every_key_is_listed_with_its_accepted_values(model) -> None:
    text = extension("document_reference").as_markdown(model)
    headings = set(re.findall(r"^#+ (\S+)$", text, re.MULTILINE))
    for entry in list_entries(model):
        parent, _, last = entry.path.rpartition(".")
        if entry.path not in headings:
            assert f"| `{last}` |" in text, entry.path
            assert not parent or parent in headings, entry.path
        assert not entry.meaning or entry.meaning.replace("|", r"\|") in text or (
            entry.meaning in text
        )  # fmt: skip


def test_every_command_is_listed_with_every_option() -> None:
    reference = extension("command_reference")
    text = reference.as_markdown(app)
    headings = re.findall(r"^#+ backtest (.+)$", text, re.MULTILINE)
    commands = dict(reference.commands(app))
    assert headings == list(commands)
    assert {"run", "data pull", "ledger export"} <= set(commands)
    for name, section in zip(commands, re.split(r"^#+ backtest .+$", text, flags=re.MULTILINE)[1:],
                             strict=True):  # fmt: skip
        params = getattr(commands[name], "params", ())
        for parameter in (each for each in params if not getattr(each, "hidden", False)):
            option = parameter.opts[0]
            shown = option if option.startswith("-") else (parameter.metavar or option).upper()
            assert shown in section, (name, option)


def test_every_exit_code_of_an_error_is_listed() -> None:
    text = extension("command_reference").exit_codes()
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    assert codes == [0, 1, 2, 3, 4, 5, 130, 141]
    assert "look-ahead detected (`LookaheadError`)" in text
    assert r"`\| head`" in text


@pytest.mark.parametrize("key", ["features", "scaling", "model", "signal", "sizing", "benchmarks"])
def test_the_table_of_choices_names_every_kind(key: str) -> None:
    page = (REFERENCE / "strategy.md").read_text(encoding="utf-8")
    schema = Strategy.model_json_schema()["properties"][key]
    kinds = set(schema.get("items", schema)["discriminator"]["mapping"])
    (row,) = re.findall(rf"^\| `{key}` \|(.*)\|$", page, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row))
    if key == "benchmarks":
        named |= {"ridge", "gradient_boosting", "persistence", "drift", "always_up"}
    assert kinds <= named


def test_every_file_of_a_run_is_described() -> None:
    page = (REFERENCE / "run-folder.md").read_text(encoding="utf-8")
    names = ["manifest.json", *(f"{table}.parquet" for table in (*TABLES, *ANALYSIS_TABLES))]
    names += [f"{name}.json" for name in DOCUMENTS] + [f"{name}.html" for name in PAGES]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_key_of_a_run_document_is_listed_with_its_meaning() -> None:
    reference = extension("document_reference")
    text = reference.run_keys()
    assert re.findall(r"^## (\S+)$", text, re.MULTILINE) == [
        f"{name}.json" for name in ("manifest", *DOCUMENTS)
    ]
    for name in ("manifest", *DOCUMENTS):
        for entry in list_entries(getattr(documents, name.capitalize())):
            assert entry.meaning, (name, entry.path)
            assert entry.meaning.replace("|", r"\|") in text, (name, entry.path)


def test_the_documented_length_of_a_year_of_a_market_that_never_closes() -> None:
    assert f"{DAYS_PER_YEAR} for\ncrypto's" in (ROOT / "docs" / "evaluation.md").read_text()
    assert f"instead of {DAYS_PER_YEAR} " in (ROOT / "docs" / "faq.md").read_text()


def test_formulas_become_mathml() -> None:
    as_mathml = extension("mathml").as_mathml
    half = as_mathml(r"\tfrac12 S", block=False)
    assert "<mn>1</mn>" in half
    assert "<mn>2</mn>" in half
    assert "&lt;" in as_mathml(r"\lambda \lt 0", block=True)
    assert 'accent="true"' not in as_mathml(r"\bar r", block=False)
    assert 'accent="true"' in as_mathml(r"\hat q", block=False)


def test_a_formula_that_cannot_be_read_ends_the_build() -> None:
    from sphinx.errors import ExtensionError

    with pytest.raises(ExtensionError, match="nosuchcommand"):
        extension("mathml").as_mathml(r"\nosuchcommand{x}", block=False)


def test_no_notebook_in_git_holds_outputs() -> None:
    import json

    notebooks = sorted(Path(ROOT, "docs").rglob("*.ipynb"))
    assert notebooks
    for notebook in notebooks:
        cells = json.loads(notebook.read_text())["cells"]
        assert [c for c in cells if c.get("outputs") or c.get("execution_count")] == []
