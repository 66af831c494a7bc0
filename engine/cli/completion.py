"""Shell completion: strategy files, names of datasets, keys of the schema, run folders.

A shell waits for these at every press of the tab key: keys are read from the schema file, names
from folders, and the engine is not loaded. Where nothing is known, nothing is completed. A name
with a control character is not offered: a shell prints it as it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.core.control_characters import is_printable

YAML_SUFFIXES = {".yaml", ".yml"}


def complete_strategies(incomplete: str) -> list[str]:
    """YAML files; those in strategies/ also by their file name."""
    folder, start = os.path.split(incomplete)
    matching = [str(path) for path in _yaml_files(Path(folder)) if path.name.startswith(start)]
    shipped = [str(path) for path in _yaml_files(Path("strategies"))] if not folder else []
    return matching + [path for path in shipped if Path(path).name.startswith(start)]


def complete_datasets(incomplete: str) -> list[str]:
    """Names of datasets, as `backtest data list` shows them; the shell completes paths."""
    package = Path(__file__).parents[1]
    folders = [Path("datasets"), package / "data" / "datasets"]
    if (package.parent / "pyproject.toml").is_file():
        folders.append(package.parent / "datasets")
    names = {path.stem for folder in folders for path in _yaml_files(folder)}
    return sorted(name for name in names if name.startswith(incomplete))


def complete_keys(incomplete: str) -> list[str]:
    """Paths of `backtest explain`, one level at a time."""
    from engine.config.reference import list_schema_entries

    paths = [entry.path for entry in list_schema_entries(_load_schema())]
    level = incomplete.count(".")
    return [path for path in paths if path.startswith(incomplete) and path.count(".") == level]


def complete_models(incomplete: str) -> list[str]:
    """Kinds of models."""
    return [path.removeprefix("model.") for path in complete_keys(f"model.{incomplete}")]


def complete_overrides(incomplete: str) -> list[str]:
    """Paths for `--set` and `--grid`, up to the equals sign."""
    from engine.config.reference import list_schema_entries, settable_paths

    return [
        f"{path}="
        for path in settable_paths(list_schema_entries(_load_schema()))
        if path.startswith(incomplete)
    ]


def complete_runs(incomplete: str) -> list[str]:
    """Run folders below reports/, newest first."""
    manifests = sorted(Path("reports").glob("*/*/manifest.json"), key=_modified_at, reverse=True)
    folders = [str(path.parent) for path in manifests if is_printable(str(path.parent))]
    return [folder for folder in folders if folder.startswith(incomplete)]


def _load_schema() -> dict[str, object]:
    import json

    from engine.config.json_schema import find_schema_file

    file = find_schema_file()
    return {} if file is None else dict(json.loads(file.read_text(encoding="utf-8")))


def _yaml_files(folder: Path) -> list[Path]:
    """YAML files of a folder; none where it does not exist."""
    try:
        files = [path for path in folder.iterdir() if path.suffix in YAML_SUFFIXES]
    except OSError:
        return []
    return sorted(path for path in files if is_printable(str(path)))


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
