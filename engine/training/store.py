"""The store of fits: finished fits on disk, each under the key of its task."""

from __future__ import annotations

import hashlib
import io
import json
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from engine.models import Forecast, TrainingHistory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

FIT_SUFFIX = ".fit"
FORMAT_LINE = b"backtest fit 3\n"
EARLIER_FORMAT_LINES = (b"backtest fit 1\n", b"backtest fit 2\n")
"""Of entries whose key was computed otherwise: no run asks for them by that key any more."""
FORMAT_MARKER = "format"
"""File of a store; while it holds the format's line, nothing of an earlier format is new."""
FORECAST_PARTS = ("train", "validation", "test")
QUANTILES_KEY = "quantiles"


class DamagedFitError(Exception):
    """An entry is truncated or altered."""


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

    An entry is one file: a line that names the format, a line with the SHA-256 of the rest, a
    line of JSON with the label and the training history, including those of an ensemble's
    members, and a NumPy archive without pickles.
    It is written to a draft that is renamed, so that a reader sees a complete entry or none; two
    writers of one key write the same forecast.

    Args:
        folder: Created when the first entry is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Forecast | None:
        """The forecast of a task; None where there is none, or only one in an older format.

        Raises:
            DamagedFitError: The entry is truncated or altered.
        """
        path = self._path(key)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        if raw.startswith(EARLIER_FORMAT_LINES):
            return None
        forecast = _decode(raw)
        with suppress(OSError):  # a store that cannot be written can still be read
            path.touch()
        return forecast

    def put(self, key: str, label: str, forecast: Forecast) -> None:
        """Stores a forecast; an entry with that key is replaced."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{uuid4().hex}.draft")
        try:
            draft.write_bytes(_encode(label, forecast))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

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
        return sum(path.stat().st_size for path in self._files())

    def find_keys(self, prefix: str) -> list[str]:
        """Keys that begin with `prefix`."""
        return sorted(path.stem for path in self._files() if path.stem.startswith(prefix))

    def remove(self, keys: list[str]) -> None:
        """Removes entries; missing ones are no error."""
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    def remove_stale_drafts(self, older_than_s: float = 86_400.0) -> None:
        """Removes drafts that killed writers left behind."""
        for draft in self.folder.glob("*/.*.draft"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > older_than_s:
                    draft.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}{FIT_SUFFIX}"

    def _files(self) -> Iterator[Path]:
        return self.folder.glob(f"*/*{FIT_SUFFIX}")

    def _entry(self, path: Path) -> StoredFit | None:
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
        is_current = lines[0] not in EARLIER_FORMAT_LINES
        return StoredFit(path.stem, label, status.st_size, status.st_mtime, is_current)


def _encode(label: str, forecast: Forecast) -> bytes:
    header = json.dumps({"label": label, "forecast": _to_metadata(forecast)}).encode()
    arrays = io.BytesIO()
    np.savez(arrays, allow_pickle=False, **dict(_named_arrays(forecast, "")))
    payload = header + b"\n" + arrays.getvalue()
    return FORMAT_LINE + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload


def _to_metadata(forecast: Forecast) -> dict[str, Any]:
    """Everything that is not an array, including that of the members."""
    history = {part.name: getattr(forecast.history, part.name) for part in fields(TrainingHistory)}
    return {
        "history": {**history, "chosen": dict(forecast.history.chosen)},
        "weights": len(forecast.weights),
        "members": [_to_metadata(member) for member in forecast.members],
    }


def _named_arrays(forecast: Forecast, prefix: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Every array by name; arrays of a member have its name as prefix."""
    for part in FORECAST_PARTS:
        yield prefix + part, getattr(forecast, part)
    if forecast.quantiles is not None:
        yield prefix + QUANTILES_KEY, forecast.quantiles
    for place, weight in enumerate(forecast.weights):
        yield f"{prefix}weight_{place}", weight
    for place, member in enumerate(forecast.members):
        yield from _named_arrays(member, f"{prefix}member_{place}_")


def _decode(raw: bytes) -> Forecast:
    head, checksum, payload = (
        raw[: len(FORMAT_LINE)],
        raw[len(FORMAT_LINE) :][:64],
        raw[len(FORMAT_LINE) + 65 :],
    )
    if head != FORMAT_LINE or hashlib.sha256(payload).hexdigest().encode() != checksum:
        raise DamagedFitError
    header, _, arrays = payload.partition(b"\n")
    with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
        return _from_metadata(json.loads(header)["forecast"], archive, "")


def _from_metadata(
    metadata: Mapping[str, Any], archive: Mapping[str, npt.NDArray[Any]], prefix: str
) -> Forecast:
    losses = {name: tuple(metadata["history"][name]) for name in ("train_loss", "validation_loss")}
    return Forecast(
        **{part: archive[prefix + part] for part in FORECAST_PARTS},
        history=TrainingHistory(**{**metadata["history"], **losses}),
        quantiles=archive.get(prefix + QUANTILES_KEY),
        weights=tuple(archive[f"{prefix}weight_{place}"] for place in range(metadata["weights"])),
        members=tuple(
            _from_metadata(member, archive, f"{prefix}member_{place}_")
            for place, member in enumerate(metadata["members"])
        ),
    )
