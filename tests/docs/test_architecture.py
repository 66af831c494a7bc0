"""docs/architecture.md is the tree as it is."""

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
    return [(name, told.strip()) for name, told in rows]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def says(package: str) -> str:
    """The first line of a package's docstring."""
    place = ROOT / "engine" / package
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return (ast.get_docstring(ast.parse(file.read_text())) or "").splitlines()[0]


def test_the_layers_are_those_that_imports_are_held_to() -> None:
    layers = [[name.strip() for name in layer.split("|")] for layer in CONTRACTS[0]["layers"]]
    assert [names(cell) for cell, _ in table("package")] == layers


def test_every_package_of_the_engine_is_there_with_its_own_words() -> None:
    told = {tuple(names(cell)): text for cell, text in table("package")}
    there = {
        path.stem
        for path in (ROOT / "engine").iterdir()
        if path.name not in {"__init__.py", "py.typed", "__pycache__"}
    }
    assert {name for row in told for name in row} == there
    for row, text in told.items():
        assert text == " ".join(map(says, row))


def test_the_rooms_of_large_libraries_are_the_contracts() -> None:
    told = {frozenset(names(libraries)): names(rooms) for libraries, rooms in table("library")}
    packages = {name for cell, _ in table("package") for name in names(cell)}
    for contract in CONTRACTS:
        libraries = contract.get("forbidden_modules", ["engine"])
        if any(library.startswith("engine") for library in libraries):
            continue
        barred = {module.removeprefix("engine.") for module in contract["source_modules"]}
        assert set(told.pop(frozenset(contract["forbidden_modules"]))) == packages - barred
    assert not told


def test_the_folders_beside_the_package_are_the_ones_there() -> None:
    told = {name for cell, _ in table("folder") for name in names(cell)}
    tracked = {path.name for path in ROOT.iterdir() if path.is_dir() and _is_ours(path)}
    assert told == tracked - {"engine"}


def _is_ours(path: Path) -> bool:
    made = {"build", "node_modules", "shared"}
    return not path.name.startswith((".", "__")) and path.name not in made


def test_every_file_it_points_at_is_there() -> None:
    files = re.findall(r"`(engine/[\w/.]+\.py)`", PAGE)
    assert len(files) > 10
    assert [name for name in files if not (ROOT / name).is_file()] == []
