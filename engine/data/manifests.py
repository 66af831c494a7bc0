"""Dataset manifests: looked up by name or path, and read."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from engine.config import load_config
from engine.core.errors import DatasetNotFoundError
from engine.data.config import Dataset

_SUFFIXES = (".yaml", ".yml")

_MANIFEST_EXAMPLE = """write a manifest and name that, for example bars.yaml:
    name: my-bars
    interval: 1d
    calendar: 24/7
    symbols: [BTC]
    sources:
      - {kind: files, path: FOLDER, pattern: "{symbol}.csv"}"""


@dataclass(frozen=True)
class DatasetManifest:
    """A dataset and the file that describes it.

    Attributes:
        dataset: The content.
        path: The file; paths within it are relative to its folder.
    """

    dataset: Dataset
    path: Path

    @property
    def reference(self) -> str:
        """The name or path by which a user refers to it."""
        return self.path.stem if self.path.parent in _manifest_folders() else str(self.path)


def read_manifest(name: str) -> DatasetManifest:
    """The dataset of that name, or the one whose manifest has that path.

    Names are looked up in `datasets/` of the working directory first, then among those that come
    with the engine.

    Raises:
        DatasetNotFoundError: There is none; the message lists the names there are.
        StrategyError: The manifest is wrong.
    """
    path = find_manifest(name)
    return DatasetManifest(load_config(path, Dataset), path)


def find_manifest(name: str) -> Path:
    """The path of the manifest of a name or path.

    Raises:
        DatasetNotFoundError: There is none; the message lists the names there are.
    """
    if _looks_like_path(name):
        return _require_manifest_file(name)
    for folder in _manifest_folders():
        for ending in _SUFFIXES:
            if (folder / f"{name}{ending}").is_file():
                return folder / f"{name}{ending}"
    if Path(name).exists():
        return _require_manifest_file(name)
    known = list_dataset_names()
    close = difflib.get_close_matches(name, known, n=1)
    raise DatasetNotFoundError(
        f"there is no dataset {name}",
        expected=", ".join(known) or "a manifest in datasets/",
        found=name,
        where=", ".join(str(folder) for folder in _manifest_folders()),
        fix=f"did you mean {close[0]}?"
        if close
        else "name one of those, or the path of a manifest",
    )


def list_dataset_names() -> list[str]:
    """Every dataset that can be named, sorted."""
    return sorted(
        {
            path.stem
            for folder in _manifest_folders()
            for path in folder.glob("*")
            if path.suffix in _SUFFIXES
        }
    )


def _manifest_folders() -> list[Path]:
    """Folders of manifests that exist, in the order in which they are searched.

    The engine's own are inside the package in a wheel, and next to it in a source tree. Next to an
    installed package, `datasets` would be another project's package.
    """
    package = Path(__file__).parents[1]
    own = package / "data" / "datasets"
    folders = [Path("datasets"), own]
    if (package.parent / "pyproject.toml").is_file():
        folders.append(package.parent / "datasets")
    return [folder for folder in folders if folder.is_dir()]


def _looks_like_path(name: str) -> bool:
    return (
        "/" in name or "\\" in name or Path(name).suffix in (*_SUFFIXES, ".csv", ".gz", ".parquet")
    )


def _require_manifest_file(name: str) -> Path:
    path = Path(name).expanduser()
    if path.is_file() and path.suffix in _SUFFIXES:
        return path
    if not path.exists():
        raise DatasetNotFoundError(
            "there is no such manifest",
            expected=f"a YAML file, or one of the names {', '.join(list_dataset_names())}",
            found=name,
            where=str(path.absolute()),
            fix="correct the path",
        )
    folder = path if path.is_dir() else path.parent
    raise DatasetNotFoundError(
        "bars are named by a manifest, which says what they are",
        expected="a YAML file",
        found=f"{name} is a {'folder' if path.is_dir() else 'file of another kind'}",
        fix=_MANIFEST_EXAMPLE.replace("FOLDER", str(folder)),
    )
