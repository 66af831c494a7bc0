"""What the shell completes: files, names of datasets, keys of the schema, run folders.

A shell waits for these at every press of the tab key: the keys are read from the schema's file,
names from folders, and nothing of the engine is loaded. What cannot be known completes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

YAML = {".yaml", ".yml"}


def strategies(incomplete: str) -> list[str]:
    """YAML files, those in strategies/ by their names alone too."""
    folder, start = os.path.split(incomplete)
    near = [str(path) for path in _files(Path(folder)) if path.name.startswith(start)]
    shelf = [str(path) for path in _files(Path("strategies"))] if not folder else []
    return near + [path for path in shelf if Path(path).name.startswith(start)]


def datasets(incomplete: str) -> list[str]:
    """Names of datasets, as `backtest data list` has them; paths are the shell's own business."""
    package = Path(__file__).parents[1]
    shelves = [Path("datasets"), package / "data" / "datasets"]
    if (package.parent / "pyproject.toml").is_file():
        shelves.append(package.parent / "datasets")
    names = {path.stem for shelf in shelves for path in _files(shelf)}
    return sorted(name for name in names if name.startswith(incomplete))


def keys(incomplete: str) -> list[str]:
    """Paths that `backtest explain` knows, one level at a time."""
    from engine.documents.reference import entries_of

    paths = [entry.path for entry in entries_of(_schema())]
    level = incomplete.count(".")
    return [p for p in paths if p.startswith(incomplete) and p.count(".") == level]


def models(incomplete: str) -> list[str]:
    """Kinds of models."""
    return [path.removeprefix("model.") for path in keys(f"model.{incomplete}")]


def places(incomplete: str) -> list[str]:
    """What `--set` and `--grid` take, up to the value."""
    from engine.documents.reference import entries_of, settable

    return [
        f"{place}=" for place in settable(entries_of(_schema())) if place.startswith(incomplete)
    ]


def runs(incomplete: str) -> list[str]:
    """Run folders below reports/, the newest first."""
    found = sorted(Path("reports").glob("*/*/manifest.json"), key=_changed, reverse=True)
    return [str(path.parent) for path in found if str(path.parent).startswith(incomplete)]


def _schema() -> dict[str, object]:
    import json

    from engine.documents.published import schema_file

    file = schema_file()
    return {} if file is None else dict(json.loads(file.read_text(encoding="utf-8")))


def _files(folder: Path) -> list[Path]:
    """YAML files of a folder that may not be there."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in YAML)
    except OSError:
        return []


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
