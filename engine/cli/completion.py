"""What the shell completes: files, names of datasets, keys of the schema, run folders.

A shell waits for these at every press of the tab key: the keys are read from the schema's file,
names from folders, and nothing of the engine is loaded. What cannot be known completes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

YAML_SUFFIXES = {".yaml", ".yml"}


def complete_strategies(incomplete: str) -> list[str]:
    """YAML files, those in strategies/ by their names alone too."""
    folder, start = os.path.split(incomplete)
    near = [str(path) for path in _yaml_files(Path(folder)) if path.name.startswith(start)]
    shelf = [str(path) for path in _yaml_files(Path("strategies"))] if not folder else []
    return near + [path for path in shelf if Path(path).name.startswith(start)]


def complete_datasets(incomplete: str) -> list[str]:
    """Names of datasets, as `backtest data list` has them; paths are the shell's own business."""
    package = Path(__file__).parents[1]
    shelves = [Path("datasets"), package / "data" / "datasets"]
    if (package.parent / "pyproject.toml").is_file():
        shelves.append(package.parent / "datasets")
    names = {path.stem for shelf in shelves for path in _yaml_files(shelf)}
    return sorted(name for name in names if name.startswith(incomplete))


def complete_keys(incomplete: str) -> list[str]:
    """Paths that `backtest explain` knows, one level at a time."""
    from engine.config.reference import list_schema_entries

    paths = [entry.path for entry in list_schema_entries(_load_schema())]
    level = incomplete.count(".")
    return [p for p in paths if p.startswith(incomplete) and p.count(".") == level]


def complete_models(incomplete: str) -> list[str]:
    """Kinds of models."""
    return [path.removeprefix("model.") for path in complete_keys(f"model.{incomplete}")]


def complete_overrides(incomplete: str) -> list[str]:
    """What `--set` and `--grid` take, up to the value."""
    from engine.config.reference import list_schema_entries, settable_paths

    return [
        f"{place}="
        for place in settable_paths(list_schema_entries(_load_schema()))
        if place.startswith(incomplete)
    ]


def complete_runs(incomplete: str) -> list[str]:
    """Run folders below reports/, the newest first."""
    found = sorted(Path("reports").glob("*/*/manifest.json"), key=_modified_at, reverse=True)
    return [str(path.parent) for path in found if str(path.parent).startswith(incomplete)]


def _load_schema() -> dict[str, object]:
    import json

    from engine.config.json_schema import find_schema_file

    file = find_schema_file()
    return {} if file is None else dict(json.loads(file.read_text(encoding="utf-8")))


def _yaml_files(folder: Path) -> list[Path]:
    """YAML files of a folder that may not be there."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in YAML_SUFFIXES)
    except OSError:
        return []


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
