"""The functions that `scripts/bench rivals` gives to several tools, and its table."""

from __future__ import annotations

import io
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from engine.auditing import probe_function

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("rival_functions")


def test_there_are_ten_of_each_kind_and_bars_that_never_change(functions: ModuleType) -> None:
    assert (len(functions.LEAKY), len(functions.HONEST)) == (10, 10)
    assert functions.make_bars().equals(functions.make_bars())


def test_rare_look_ahead_is_found_on_its_bars(functions: ModuleType) -> None:
    probe = probe_function(functions.leak_at(0.01, 0), functions.make_bars())

    assert len(probe.findings) == 1


def test_the_table_counts_what_each_tool_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    rows = {"a": {"found": True, "seconds": 1.0}, "b": {"found": False, "seconds": 2.0}}
    tool = {"honest": rows, "leaky": rows, "shares": {"0.01": 7}}
    text = io.StringIO()

    import_module("rivals").show({"tools": {"mine": tool, "theirs": tool}}, Console(file=text))

    assert text.getvalue().count("1 of 2") == 4
    assert text.getvalue().count("7 of 20") == 2
