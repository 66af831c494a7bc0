"""docs/glossary.md lists each term once, with its definition in the code."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| [^|]+ \| `(\w+)` in `([\w/.]+)` \|$", PAGE, re.MULTILINE)
TERMS = [term for term, _, _ in ROWS]


def defined_names(source: str) -> set[str]:
    """Functions, classes, methods, constants and fields that a module defines."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.AnnAssign(target=ast.Name()):
                names.add(node.target.id)
    return names


def test_every_row_names_a_definition_in_the_code() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(rows) - 1 > 50


def test_terms_are_unique_and_in_alphabetical_order() -> None:
    assert sorted(set(TERMS), key=str.lower) == TERMS


@pytest.mark.parametrize(("term", "name", "file"), ROWS, ids=TERMS)
def test_the_file_defines_the_name(term: str, name: str, file: str) -> None:
    path = ROOT / file
    assert path.is_file(), term
    assert name in defined_names(path.read_text(encoding="utf-8"))
