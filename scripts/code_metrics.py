"""Measures the shape of the package: sizes, names defined more than once, import cycles.

    .venv/bin/python scripts/code_metrics.py [ROOT] [--json]

ROOT is the checkout to measure, this one by default, so that two versions can be compared.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

HERE = Path(__file__).resolve().parent.parent


def class_names(root: Path) -> dict[str, list[str]]:
    """Every class defined at the top of a module of `engine`, and the modules that define it."""
    places: dict[str, list[str]] = defaultdict(list)
    for file in sorted((root / "engine").rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(file.relative_to(root).as_posix())
    return dict(places)


def duplicate_class_names(root: Path) -> dict[str, list[str]]:
    """The classes that more than one module defines."""
    return {name: files for name, files in class_names(root).items() if len(files) > 1}


def measure(root: Path) -> dict[str, Any]:
    """Sizes in lines, counts of names, cycles between modules, and who computes in `reporting`."""
    files = sorted((root / "engine").rglob("*.py"))
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    lines = [len(file.read_text(encoding="utf-8").splitlines()) for file in files]
    functions = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    public = [
        node.name
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    ]
    return {
        "modules": len(files),
        "modules_under_80_lines": sum(count < 80 for count in lines),
        "lines": sum(lines),
        "file_lines_median": statistics.median(lines),
        "file_lines_p90": _p90(lines),
        "function_lines_median": statistics.median(functions),
        "function_lines_p90": _p90(functions),
        "public_names_per_1000_lines": round(1000 * len(public) / sum(lines), 1),
        "class_names_defined_more_than_once": len(duplicate_class_names(root)),
        "modules_in_import_cycles": import_cycles(root),
        "imports_of_evaluation_in_reporting": _computing_imports(trees, root),
        "untyped_mappings_in_reporting": sum(
            file.read_text(encoding="utf-8").count("[str, Any]")
            for file in files
            if "reporting" in file.relative_to(root).parts
        ),
    }


def import_cycles(root: Path) -> list[list[str]]:
    """Groups of modules that import each other, imports for type checking counted."""
    program = (
        "import json, sys, grimp; g = grimp.build_graph('engine', cache_dir=None);"
        "json.dump({m: sorted(g.find_modules_directly_imported_by(m)) for m in g.modules},"
        " sys.stdout)"
    )
    completed = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    graph: dict[str, list[str]] = json.loads(completed.stdout)
    names = sorted(graph)
    position = {name: index for index, name in enumerate(names)}
    edges = [(position[name], position[other]) for name in names for other in graph[name]]
    matrix = coo_array(
        ([1] * len(edges), tuple(zip(*edges, strict=True))), shape=(len(names),) * 2
    )
    _, labels = connected_components(matrix, connection="strong")
    groups = defaultdict(list)
    for name, label in zip(names, labels, strict=True):
        groups[label].append(name)
    return [group for group in groups.values() if len(group) > 1]


def _computing_imports(trees: dict[Path, ast.Module], root: Path) -> int:
    """Names that modules of `reporting` import from `evaluation`."""
    return sum(
        len(node.names)
        for file, tree in trees.items()
        if file.relative_to(root).parts[1] == "reporting"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("engine.evaluation")
    )


def _p90(values: list[int]) -> int:
    return sorted(values)[int(0.9 * (len(values) - 1))]


def main() -> None:
    """Prints the measures as lines or as one JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("root", nargs="?", type=Path, default=HERE)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    measures = measure(given.root.resolve())
    if given.json:
        sys.stdout.write(json.dumps(measures, indent=2) + "\n")
        return
    for name, value in measures.items():
        shown = f"{len(value)} {value}" if isinstance(value, list) else value
        sys.stdout.write(f"{name:40} {shown}\n")


if __name__ == "__main__":
    main()
