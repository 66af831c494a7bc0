"""The store of fits: fitted models on disk, each under the key of its task."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import StorageError, TrainingError
from engine.core.home import CHOOSE_HOME
from engine.core.storage import (
    create_private_folder,
    replace_atomically,
    translate_disk_faults,
)
from engine.models.model_file import (
    EARLIER_FORMAT_LINES,
    FORMAT_LINE,
    DamagedFitError,
    decode_model,
    encode_model,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.models import Forecaster
    from engine.models.fitted_model import FittedModel

FIT_SUFFIX = ".fit"
FAILURE_SUFFIX = ".failed"
FORMAT_MARKER = "format"
"""File of a store; while it holds the format's line, nothing of an earlier format is new."""

_CANNOT_STORE = "a fit cannot be stored"
_FAILURE_PARTS = ("problem", "expected", "found", "where", "fix")


@dataclass(frozen=True)
class StoredFit:
    """A stored fit in a listing.

    Attributes:
        key: Key of its task.
        label: Book, symbol, window and seed of the fit that was stored first.
        size: Bytes on disk.
        last_used: Seconds since 1970 of the last time it was written or read.
        is_current: Whether it is in today's format; one of an earlier format is never used.
    """

    key: str
    label: str
    size: int
    last_used: float
    is_current: bool = True


class FitStore:
    """A folder of finished fits that several runs may share.

    An entry is one file as `engine.models.model_file` describes it. It is written to a draft that
    is renamed, so that a reader sees a complete entry or none; two writers of one key write the
    same model.

    Args:
        folder: Created, for its owner alone, when the first entry is written.

    Attributes:
        refused: Error of the first entry that could not be written by `try_store`; None for none.
        refused_count: How many could not be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused: StorageError | None = None
        self.refused_count = 0

    def get(self, key: str, known: Forecaster | None = None) -> FittedModel | None:
        """The model of a task; None where there is none, or only one in an older format.

        Args:
            key: Key of the task.
            known: Its forecaster, which may be of a class that no package offers.

        Raises:
            DamagedFitError: The entry is truncated or altered, or cannot be read.
        """
        path = self._path(key)
        try:
            raw = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise DamagedFitError(f"{path} cannot be read") from error
        if raw.startswith(EARLIER_FORMAT_LINES):
            return None
        fitted = decode_model(raw, known)
        with suppress(OSError):  # a store that cannot be written can still be read
            path.touch()
        return fitted

    def put(self, key: str, label: str, fitted: FittedModel) -> None:
        """Stores a model; an entry with that key is replaced.

        Raises:
            StorageError: The folder cannot be written, or the disk is full.
        """
        path = self._path(key)
        self._write(path, encode_model(label, fitted))
        with translate_disk_faults(_CANNOT_STORE, path, CHOOSE_HOME):
            self._failure_path(key).unlink(missing_ok=True)

    def try_store(self, key: str, label: str, outcome: FittedModel | TrainingError) -> None:
        """Stores a model, or a failure that would come again; counts what cannot be written.

        A run goes on without a stored fit: it only has to be trained again by the next.
        """
        try:
            if not isinstance(outcome, TrainingError):
                self.put(key, label, outcome)
            elif outcome.is_reproducible:
                self.put_failure(key, outcome)
        except StorageError as error:
            self.refused = self.refused or error
            self.refused_count += 1

    def get_failure(self, key: str) -> TrainingError | None:
        """The error of a fit that was left out; None where there is none that can be read."""
        try:
            parts = json.loads(self._failure_path(key).read_bytes())
            return TrainingError(**{name: str(parts[name]) for name in _FAILURE_PARTS})
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def put_failure(self, key: str, error: TrainingError) -> None:
        """Stores the error of a fit that was left out and would fail again.

        Raises:
            StorageError: The folder cannot be written, or the disk is full.
        """
        parts = {name: getattr(error, name) for name in _FAILURE_PARTS}
        self._write(self._failure_path(key), json.dumps(parts).encode())

    def remove_failures(self) -> int:
        """Forgets every stored failure, so that these fits are tried again; returns how many."""
        files = list(self._failure_files())
        for path in files:
            path.unlink(missing_ok=True)
        return len(files)

    def count_failures(self) -> int:
        """How many fits are left out without another attempt."""
        return sum(1 for _ in self._failure_files())

    def entries(self) -> list[StoredFit]:
        """All stored fits, least recently used first."""
        found = (self._entry(path) for path in self._files())
        return sorted((entry for entry in found if entry), key=lambda e: (e.last_used, e.key))

    def count_newly_retired(self) -> int:
        """How many entries are of an earlier format, the first time; 0 from then on.

        The answer is given once a store: a marker file in its folder says that it was given.
        """
        marker = self.folder / FORMAT_MARKER
        with suppress(OSError):
            if marker.read_bytes() == FORMAT_LINE:
                return 0
        if not self.folder.is_dir():
            return 0
        count = sum(not entry.is_current for entry in self.entries())
        with suppress(OSError):  # a store that cannot be written is counted again
            marker.write_bytes(FORMAT_LINE)
        return count

    def total_bytes(self) -> int:
        """Total size of all entries in bytes."""
        total = 0
        for path in self._files():
            with suppress(FileNotFoundError):  # another process pruned it
                total += path.stat().st_size
        return total

    def find_keys(self, prefix: str) -> list[str]:
        """Keys that begin with `prefix`."""
        return sorted(path.stem for path in self._files() if path.stem.startswith(prefix))

    def remove(self, keys: list[str]) -> None:
        """Removes entries; missing ones are no error.

        Raises:
            StorageError: An entry cannot be removed.
        """
        for key in keys:
            with translate_disk_faults("a stored fit cannot be removed", self._path(key)):
                self._path(key).unlink(missing_ok=True)

    def remove_stale_drafts(self, older_than_s: float = 86_400.0) -> None:
        """Removes drafts that killed writers left behind."""
        for draft in self.folder.glob("*/.*.draft"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > older_than_s:
                    draft.unlink()

    def _write(self, path: Path, content: bytes) -> None:
        with translate_disk_faults(_CANNOT_STORE, path, CHOOSE_HOME):
            create_private_folder(path.parent)
            with replace_atomically(path) as draft:
                draft.write_bytes(content)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}{FIT_SUFFIX}"

    def _failure_path(self, key: str) -> Path:
        return self._path(key).with_suffix(FAILURE_SUFFIX)

    def _failure_files(self) -> Iterator[Path]:
        return self.folder.glob(f"*/*{FAILURE_SUFFIX}")

    def _files(self) -> Iterator[Path]:
        return self.folder.glob(f"*/*{FIT_SUFFIX}")

    def _entry(self, path: Path) -> StoredFit | None:
        lines: list[bytes] = []
        try:
            status = path.stat()
            with path.open("rb") as file:
                lines = [file.readline() for _ in range(3)]
            label = str(json.loads(lines[2])["label"])
        except FileNotFoundError:  # another process pruned it
            return None
        except (OSError, ValueError, LookupError):
            label = "damaged: will be fitted again"
        is_current = not lines or lines[0] not in EARLIER_FORMAT_LINES
        return StoredFit(path.stem, label, status.st_size, status.st_mtime, is_current)
