"""Reads a file as a files source would, and finds the keys that it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from engine.config import parse_yaml
from engine.core.errors import InvalidBarsError, StrategyError
from engine.core.progress import NullProgress
from engine.data.files_config import FilesSourceSpec
from engine.data.proposal._clock import to_microseconds
from engine.data.sources.base import BarRequest
from engine.data.sources.files import FilesBarSource, open_content
from engine.data.sources.files.formats import (
    FILE_FORMATS,
    FormatMatch,
    match_format,
    read_head,
    recognise,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

_KEY_IN_FIX = re.compile(r"`(\w+): ([^`]+)`")
_KNOWN_KEYS = frozenset(
    {"columns", "header", "skip", "where", "volume", "prices", "dates"}
) | frozenset({"decimal", "thousands", "rows_without_bars"})
# A message may show the form of a key, with a name that the user fills in.
_PLACEHOLDER = re.compile(r"\bNAMES?\b|\.\.\.|…")
_CELL_KEYS = frozenset({"decimal", "thousands", "dates"})
_MAX_MENDS = 8
# A zone in which no exchange trades: local times move by it, others do not.
_PROBE_ZONE = "Etc/GMT+11"


@dataclass(frozen=True)
class FileReading:
    """The files of one symbol, read.

    Attributes:
        keys: Keys of a files source that read them.
        bars: The bars in the order of the files; local times are labelled as UTC.
        reasons: Key to the reason of its value, where it was found by trying.
        match: The known form of the files; None where it has none.
        is_local: Whether their times have no offset.
    """

    keys: dict[str, object]
    bars: pd.DataFrame
    reasons: dict[str, str]
    match: FormatMatch | None
    is_local: bool

    @property
    def zone(self) -> str | None:
        """The zone that the form of the files tells; None where it tells none."""
        if self.match is None or self.match.shape.zone_unknown or self.match.shape.zone_may_differ:
            return None
        return str(self.match.keys.get("timezone", "UTC"))


@dataclass(frozen=True)
class SymbolFiles:
    """The files of one symbol.

    Attributes:
        symbol: Of the dataset.
        folder: Folder of the files.
        keys: Those of a files source that name the files: `pattern`, and `symbols` where needed.
        now: The present instant.
    """

    symbol: str
    folder: Path
    keys: Mapping[str, object]
    now: pd.Timestamp

    def source(self, keys: Mapping[str, object]) -> FilesBarSource:
        """A source of these files with further keys."""
        spec = FilesSourceSpec.model_validate({"path": ".", **self.keys, **keys})
        return FilesBarSource(spec, self.folder)

    def first(self) -> Path:
        """The first of the files.

        Raises:
            SourceError: There is none.
        """
        return self.source({}).find_files(self.symbol)[0].path

    def read(self, keys: Mapping[str, object], zone: str = "UTC") -> pd.DataFrame:
        """The bars as they are labelled, local times read in a zone."""
        request = BarRequest(self.symbol, "1m", None, self.now, NullProgress())
        return self.source({**keys, "timezone": zone, "label": "open"}).fetch(request)


def read_files(files: SymbolFiles, form: str | None) -> FileReading:
    """Reads the files of a symbol by their known form, or else by the keys that errors name.

    Args:
        files: The files.
        form: The form that the user names; None to recognise it.

    Raises:
        InvalidBarsError: The files are of several forms, or cannot be read.
    """
    match = find_form(files.first(), files.symbol, form)
    keys: dict[str, object] = {}
    if form is not None or (match is not None and match.file_format.name in FILE_FORMATS):
        keys["format"] = form or (match and match.file_format.name)
    keys, reasons, bars = _read_with_mends(files, keys)
    known = match if "format" in keys else None
    return FileReading(keys, bars, reasons, known, _has_local_times(files, keys, bars))


def find_form(path: Path, symbol: str, form: str | None) -> FormatMatch | None:
    """The form of a file; None where it has none, or not the one that the user names.

    Raises:
        InvalidBarsError: The file cannot be read, or is of several forms.
    """
    head = read_head(open_content(path, symbol))
    if form is not None:
        return match_format(FILE_FORMATS[form], head)
    matches = recognise(head)
    # A form that only the order of the rows tells adds nothing: the zone is inferred.
    distinct = [match for match in matches if not match.shape.newest_first]
    matches = distinct or matches
    if len(matches) < 2:
        return matches[0] if matches else None
    names = [match.file_format.name for match in matches]
    raise InvalidBarsError(
        f"{head.name} may be of several forms, which read it differently",
        expected="one form",
        found="; ".join(
            f"{match.file_format.name}: zone {match.keys.get('timezone', match.file_format.zone)},"
            f" label {match.file_format.label}"
            for match in matches
        ),
        where=str(path),
        fix=f"say which: {' or '.join(f'--format {name}' for name in names)}",
    )


def _read_with_mends(
    files: SymbolFiles, keys: dict[str, object]
) -> tuple[dict[str, object], dict[str, str], pd.DataFrame]:
    """Reads the files, and on an error again with the keys that the error names.

    Raises:
        InvalidBarsError: No key mends the file, or several do.
    """
    reasons: dict[str, str] = {}
    shown: InvalidBarsError | None = None
    for _ in range(_MAX_MENDS):
        try:
            return keys, reasons, files.read(keys)
        except InvalidBarsError as error:
            mends = [mend for mend in _mends_in(error.fix) if not _covers(keys, mend)]
            mend = mends[0] if len(mends) == 1 else _choose(files, keys, mends)
            if mend is None:
                raise shown or error from None
            # A key for cells is a try: where it fails, the error of the file as it stands counts.
            shown = shown or (error if _CELL_KEYS.intersection(mend) else None)
            keys = _merge(keys, mend)
            reasons |= dict.fromkeys(mend, _reason_of(error))
    return keys, reasons, files.read(keys)


def _choose(
    files: SymbolFiles, keys: dict[str, object], mends: list[dict[str, object]]
) -> dict[str, object] | None:
    """Of several mends the one with which the bars follow each other in time, if one does."""
    fitting = []
    for mend in mends:
        try:
            _, _, bars = _read_with_mends(files, _merge(keys, mend))
        except InvalidBarsError:
            continue
        steps = np.diff(to_microseconds(bars["timestamp"]))
        if steps.size and ((steps > 0).all() or (steps < 0).all()):
            fitting.append(mend)
    return fitting[0] if len(fitting) == 1 else None


def _has_local_times(files: SymbolFiles, keys: Mapping[str, object], bars: pd.DataFrame) -> bool:
    """Whether a declared zone moves the bars."""
    if bars.empty:
        return False
    moved = files.read(keys, _PROBE_ZONE)
    return bool(moved["timestamp"].iloc[0] != bars["timestamp"].iloc[0])


def _mends_in(fix: str) -> list[dict[str, object]]:
    """The keys that a message names: one mapping, or one for each of several choices."""
    choices: dict[str, list[object]] = {}
    for name, text in _KEY_IN_FIX.findall(fix):
        if name not in _KNOWN_KEYS:
            continue
        if _PLACEHOLDER.search(text):
            continue
        try:
            value = parse_yaml(f"{name}: {text}", "fix").value[name]
        except (StrategyError, KeyError, TypeError):
            continue
        choices.setdefault(name, []).append(value)
    return [
        dict(zip(choices, values, strict=True)) for values in product(*choices.values()) if values
    ]


def _covers(keys: Mapping[str, object], mend: Mapping[str, object]) -> bool:
    return all(keys.get(name) == value for name, value in mend.items())


def _merge(keys: Mapping[str, object], mend: Mapping[str, object]) -> dict[str, object]:
    """Keys and those of a mend; of `columns`, one by one."""
    merged = {**keys, **mend}
    before, after = keys.get("columns"), mend.get("columns")
    if isinstance(before, dict) and isinstance(after, dict):
        merged["columns"] = {**before, **after}
    return merged


def _reason_of(error: InvalidBarsError) -> str:
    found = f": {error.found}" if error.found else ""
    return f"{error.problem}{found}"[:160]
