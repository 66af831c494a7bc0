"""Finished fits on disk, each under the key of its task: what was fitted once is never again."""

from __future__ import annotations

import hashlib
import io
import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from engine.models import Forecast, History

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX = ".fit"
MAGIC = b"backtest fit 1\n"
PARTS = ("train", "validation", "test")


class DamagedError(Exception):
    """An entry is truncated or altered."""


@dataclass(frozen=True)
class Entry:
    """What a listing shows of a stored fit.

    Attributes:
        key: Of its task.
        label: Whose fit it was first: book, symbol, window, seed.
        size: Bytes on disk.
        used: Seconds since 1970 of the last time it was written or read.
    """

    key: str
    label: str
    size: int
    used: float


class Store:
    """A folder of finished fits that several runs may share.

    An entry is one file: a line that names the format, a line with the SHA-256 of the rest, a
    line of JSON that tells whose fit it is and how it went, and a NumPy archive without pickles.
    It is written beside and renamed, so that a reader meets the whole of it or nothing; two
    writers of one key write the same forecast.

    Args:
        folder: Made when the first entry is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Forecast | None:
        """The forecast of a task, None where there is none.

        Raises:
            DamagedError: The entry is truncated or altered.
        """
        path = self._path(key)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        forecast = _read(raw)
        with suppress(OSError):  # a store that cannot be written can still be read
            path.touch()
        return forecast

    def put(self, key: str, label: str, forecast: Forecast) -> None:
        """Keeps a forecast; an entry of that key is replaced."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{uuid4().hex}.draft")
        try:
            draft.write_bytes(_written(label, forecast))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def entries(self) -> list[Entry]:
        """Everything that is stored, least recently used first."""
        found = (self._entry(path) for path in self._files())
        return sorted((entry for entry in found if entry), key=lambda e: (e.used, e.key))

    def size(self) -> int:
        """Bytes of all entries."""
        return sum(path.stat().st_size for path in self._files())

    def find(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix`."""
        return sorted(path.stem for path in self._files() if path.stem.startswith(prefix))

    def remove(self, keys: list[str]) -> None:
        """Forgets entries; those that are gone already are no error."""
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    def sweep(self, older_than_s: float = 86_400.0) -> None:
        """Removes what writers that were killed left half written."""
        for draft in self.folder.glob("*/.*.draft"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > older_than_s:
                    draft.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}{SUFFIX}"

    def _files(self) -> Iterator[Path]:
        return self.folder.glob(f"*/*{SUFFIX}")

    def _entry(self, path: Path) -> Entry | None:
        try:
            with path.open("rb") as file:
                lines = [file.readline() for _ in range(3)]
            status = path.stat()
        except FileNotFoundError:  # another process pruned it
            return None
        try:
            label = str(json.loads(lines[2])["label"])
        except (ValueError, LookupError):
            label = "damaged: will be fitted again"
        return Entry(path.stem, label, status.st_size, status.st_mtime)


def _written(label: str, forecast: Forecast) -> bytes:
    told = json.dumps({"label": label, "history": asdict(forecast.history)}).encode()
    weights = {f"weight_{place:04d}": value for place, value in enumerate(forecast.weights)}
    arrays = io.BytesIO()
    parts = {part: getattr(forecast, part) for part in PARTS}
    if forecast.quantiles is not None:
        parts["quantiles"] = forecast.quantiles
    np.savez(arrays, allow_pickle=False, **parts, **weights)
    payload = told + b"\n" + arrays.getvalue()
    return MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload


def _read(raw: bytes) -> Forecast:
    head, checksum, payload = raw[: len(MAGIC)], raw[len(MAGIC) :][:64], raw[len(MAGIC) + 65 :]
    if head != MAGIC or hashlib.sha256(payload).hexdigest().encode() != checksum:
        raise DamagedError
    told, _, arrays = payload.partition(b"\n")
    history: dict[str, Any] = json.loads(told)["history"]
    with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
        return Forecast(
            **{part: archive[part] for part in PARTS},
            history=History(
                tuple(history["train_loss"]),
                tuple(history["validation_loss"]),
                history["best_epoch"],
                history["attempts"],
                history["trials"],
                history["chosen"],
            ),
            quantiles=archive.get("quantiles"),
            weights=tuple(archive[name] for name in archive.files if name.startswith("weight_")),
        )
