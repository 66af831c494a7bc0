"""The shape of the package: unique class names, no import cycle, pages that only format."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import pytest

ROOT = Path(__file__).parents[2]
CODE_METRICS = run_path(str(ROOT / "scripts" / "code_metrics.py"))


def write_package(root: Path, **modules: str) -> Path:
    folder = root / "engine"
    folder.mkdir()
    for name, text in {"__init__": "", **modules}.items():
        (folder / f"{name}.py").write_text(text)
    return root


def test_no_class_name_is_defined_twice() -> None:
    assert CODE_METRICS["duplicate_class_names"](ROOT) == {}


def test_a_class_name_defined_twice_is_found_with_its_modules(tmp_path: Path) -> None:
    root = write_package(tmp_path, one="class Row: ...", two="class Row: ...")
    assert CODE_METRICS["duplicate_class_names"](root) == {
        "Row": ["engine/one.py", "engine/two.py"]
    }


@pytest.mark.slow
def test_no_modules_import_each_other_in_a_cycle_and_pages_compute_nothing() -> None:
    measures = CODE_METRICS["measure"](ROOT)
    assert measures["modules_in_import_cycles"] == []
    assert measures["imports_of_evaluation_in_reporting"] == 0
    assert measures["untyped_mappings_in_reporting"] == 0


def test_a_cycle_of_two_modules_is_found(tmp_path: Path) -> None:
    root = write_package(tmp_path, one="import engine.two", two="from engine import one", three="")
    assert CODE_METRICS["import_cycles"](root) == [["engine.one", "engine.two"]]
