"""docs/architecture.md and the map in `engine` describe the packages as they are."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import TYPE_CHECKING

from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def table(first: str) -> list[tuple[str, str]]:
    """The rows of the table whose heading begins with a cell."""
    (found,) = re.findall(rf"^\| {first} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    rows = [row.strip("|\n ").split(" | ", 1) for row in found.splitlines()]
    return [(name, text.strip()) for name, text in rows]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def packages() -> set[str]:
    """Packages and modules of the engine."""
    return {
        path.stem
        for path in (ROOT / "engine").iterdir()
        if path.name not in {"__init__.py", "py.typed", "__pycache__"}
    }


def describe(package: str) -> str:
    """The first line of a package's docstring."""
    path = ROOT / "engine" / package
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return (ast.get_docstring(ast.parse(file.read_text())) or "").splitlines()[0]


def test_the_layers_are_those_of_the_import_contract() -> None:
    layers = [[name.strip() for name in layer.split("|")] for layer in CONTRACTS[0]["layers"]]
    assert [names(cell) for cell, _ in table("package")] == layers


def test_every_package_is_listed_with_its_docstring() -> None:
    described = {tuple(names(cell)): text for cell, text in table("package")}
    assert {name for row in described for name in row} == packages()
    for row, text in described.items():
        assert text == " ".join(map(describe, row))


def test_the_map_of_the_engine_has_every_package() -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / "engine" / "__init__.py").read_text())) or ""
    assert set(re.findall(r"^    (\w+) ", docstring, re.MULTILINE)) == packages()


def test_large_libraries_are_imported_where_the_contracts_allow() -> None:
    importing = {frozenset(names(libraries)): names(cell) for libraries, cell in table("library")}
    for contract in CONTRACTS:
        libraries = contract.get("forbidden_modules", ["engine"])
        if any(library.startswith("engine") for library in libraries):
            continue
        forbidden = {module.removeprefix("engine.") for module in contract["source_modules"]}
        assert (
            set(importing.pop(frozenset(contract["forbidden_modules"]))) == packages() - forbidden
        )
    assert not importing


def test_the_listed_folders_are_those_of_the_repository() -> None:
    listed = {name for cell, _ in table("folder") for name in names(cell)}
    tracked = {path.name for path in ROOT.iterdir() if path.is_dir() and _is_tracked(path)}
    assert listed == tracked - {"engine"}


def _is_tracked(path: Path) -> bool:
    untracked = {"build", "node_modules", "shared"}
    return not path.name.startswith((".", "__")) and path.name not in untracked


def test_every_named_file_exists() -> None:
    files = re.findall(r"`(engine/[\w/.]+\.py)`", PAGE)
    assert len(files) > 10
    assert [name for name in files if not (ROOT / name).is_file()] == []
