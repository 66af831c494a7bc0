"""Proposes the manifest of a dataset from files, with the reason of every value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import DataError, UsageError
from engine.core.progress import NullProgress
from engine.data.calendar import is_daily_or_longer, require_known_calendar
from engine.data.check import DatasetCheck, check_manifest
from engine.data.manifests import DatasetManifest
from engine.data.proposal._calendar_guess import BarTimes, CalendarGuess
from engine.data.proposal._calendars import guess_calendar
from engine.data.proposal._clock import (
    BarClock,
    begins_with_newest,
    find_interval,
    is_labelled_by_close,
)
from engine.data.proposal._manifest import ManifestDraft
from engine.data.proposal._names import NamedFiles, has_data_ending, name_files
from engine.data.proposal._reading import FileReading, SymbolFiles, find_form, read_files
from engine.data.proposal._tickers import TickerColumn, find_tickers
from engine.data.sources.files.formats import merge_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from engine.core.progress import Progress

_SAFE_REPAIRS = ("order", "duplicates")
"""Repairs that lose nothing: rows in order, and each of two equal rows once."""

_MAX_SHOWN_FINDINGS = 10


@dataclass(frozen=True)
class ProposalOptions:
    """What a user says about the files.

    Attributes:
        manifest: Where the manifest will lie; `path` is written relative to its folder.
        name: Name of the dataset; None to make one from the symbols.
        calendar: Calendar; None to infer it.
        form: Known form of the files; None to recognise it.
        now: The present instant.
    """

    manifest: Path
    now: pd.Timestamp
    name: str | None = None
    calendar: str | None = None
    form: str | None = None


@dataclass(frozen=True)
class DatasetProposal:
    """A manifest, and what the quality rules find in the bars that it reads.

    Attributes:
        draft: The manifest with its comments.
        check: The check of its bars.
    """

    draft: ManifestDraft
    check: DatasetCheck

    @property
    def text(self) -> str:
        """The manifest as YAML."""
        return self.draft.to_yaml()

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return str(self.draft.keys["name"])

    @property
    def summary(self) -> str:
        """Form, interval, calendar and number of symbols, in one line."""
        keys, form = (
            self.draft.keys,
            self.draft.source.get("format", "an ordinary or declared form"),
        )
        count = len(self.check.bar_counts)
        symbols = "1 symbol" if count == 1 else f"{count} symbols"
        return f"{form}, {keys['interval']}, {keys['calendar']}, {symbols}"


def propose_dataset(
    files: Sequence[Path],
    options: ProposalOptions,
    *,
    home: Path,
) -> DatasetProposal:
    """Reads files, and proposes a manifest that reads them; the quality rules have checked it.

    Args:
        files: Files, or folders of files, of one form and interval.
        options: What the user says.
        home: Folder that keeps state between runs.

    Raises:
        DataError: A file does not exist, cannot be read, or does not tell what is needed.
        UsageError: The files are of several forms, or the calendar does not exist.
    """
    if options.calendar is not None:
        require_known_calendar(options.calendar)
    named = name_files(_list_files(files))
    tickers = _find_tickers(named, options)
    named = named if tickers is None else tickers.apply(named)
    keys = _name_keys(named)
    if tickers is not None:
        keys["where"] = {tickers.column: "{symbol}"}
    first = _read_symbol(named, keys, named.symbols[0], options)
    for symbol in named.symbols[1:] if tickers is None else ():
        _require_same_form(named, first, _read_symbol(named, keys, symbol, options), symbol)
    clock = find_interval(first.bars["timestamp"], str(named.folder))
    draft = _draft(named, keys, first, clock, options, tickers)
    return _check_draft(draft, options, home=home)


def _list_files(given: Sequence[Path]) -> list[Path]:
    """The files, and those in the folders, in the order of their names."""
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(entry for entry in path.iterdir() if entry.is_file())
            files += [entry for entry in inside if has_data_ending(entry.name)]
        elif path.is_file():
            files.append(path)
        else:
            raise DataError(
                "there is no such file",
                expected="a file of bars, or a folder of them",
                found=str(path),
                where=str(path.absolute().parent),
                fix="correct the path",
            )
    if not files:
        raise DataError(
            "this folder has no files of bars",
            expected="names that end with .csv, .txt, .json, .parquet, .feather, .zip, .gz",
            found=", ".join(map(str, given)),
            fix="name the files",
        )
    folders = {file.absolute().parent for file in files}
    parents = {folder.parent for folder in folders}
    if len(folders) > 1 and (len(parents) > 1 or len({file.name for file in files}) == len(files)):
        raise UsageError(
            "the files lie in several folders",
            expected="files of one folder: a source has one path",
            found=", ".join(sorted(map(str, folders))[:4]),
            fix="put them into one folder, or write a dataset for each",
        )
    return files


def _name_keys(named: NamedFiles) -> dict[str, object]:
    return {"pattern": named.pattern, **({"symbols": named.names} if named.names else {})}


def _find_tickers(named: NamedFiles, options: ProposalOptions) -> TickerColumn | None:
    """The column of symbols, where all files together are of one name."""
    if len(named.symbols) > 1:
        return None
    symbol = named.symbols[0]
    files = SymbolFiles(symbol, named.folder, _name_keys(named), options.now)
    path = files.first()
    match = find_form(path, symbol, options.form)
    keys = {} if match is None else match.keys
    where = keys.get("where")
    spec = merge_keys(files.source({}).spec, keys, path)
    return find_tickers(path, spec, where if isinstance(where, dict) else None)


def _read_symbol(
    named: NamedFiles,
    keys: dict[str, object],
    symbol: str,
    options: ProposalOptions,
) -> FileReading:
    files = SymbolFiles(symbol, named.folder, keys, options.now)
    return read_files(files, options.form)


def _require_same_form(
    named: NamedFiles, first: FileReading, other: FileReading, symbol: str
) -> None:
    if first.keys == other.keys:
        return
    raise UsageError(
        "the files are not of one form",
        expected=f"keys as for {named.symbols[0]}: {first.keys or 'none'}",
        found=f"for {symbol}: {other.keys or 'none'}",
        where=str(named.folder),
        fix="write a dataset for each form",
    )


def _draft(
    named: NamedFiles,
    keys: dict[str, object],
    reading: FileReading,
    clock: BarClock,
    options: ProposalOptions,
    tickers: TickerColumn | None,
) -> ManifestDraft:
    stamps = reading.bars["timestamp"].drop_duplicates().sort_values(ignore_index=True)
    known = "" if reading.match is None else reading.match.file_format.calendar
    times = BarTimes(stamps, clock.interval, reading.is_local, reading.zone, known)
    guess = guess_calendar(times, options.calendar)
    draft = ManifestDraft()
    draft.title.append("Written by `backtest data init`. Comments say why: confirm each value.")
    draft.put("name", options.name or _make_name(named, clock))
    draft.put(
        "interval",
        clock.interval,
        f"the usual step, {clock.share:.0%} of those between bars",
    )
    draft.put("calendar", guess.calendar, _comment_calendar(guess))
    if guess.day_begins:
        draft.put("day_begins", guess.day_begins, "as the weeks do")
    draft.put("symbols", list(named.symbols), f"from {named.origin}")
    draft.put("sources.kind", "files")
    draft.put("sources.path", *_describe_folder(named.folder, options.manifest))
    for name, value in keys.items():
        comment = tickers.comment if tickers is not None and name == "where" else ""
        draft.put(f"sources.{name}", value, comment)
    for name, value in reading.keys.items():
        draft.put(f"sources.{name}", value, _comment_key(name, reading))
    _put_zone(draft, reading, guess, daily=is_daily_or_longer(clock.interval))
    if is_labelled_by_close(stamps, clock.interval):
        draft.put("sources.label", "close", "the timestamps are the last days of the bars")
    if begins_with_newest(reading.bars["timestamp"]):
        draft.put("quality", {"order": "repair"}, "the newest bar comes first")
    return draft


def _describe_folder(folder: Path, manifest: Path) -> tuple[str, str]:
    """The folder of the files relative to the manifest; far from it, its absolute path."""
    absolute = folder.absolute()
    relative = Path(os.path.relpath(absolute, manifest.absolute().parent)).as_posix()
    if relative.startswith("../../.."):
        return absolute.as_posix(), ""
    return relative, "relative to this file"


def _make_name(named: NamedFiles, clock: BarClock) -> str:
    what = named.symbols[0] if len(named.symbols) == 1 else named.folder.absolute().name
    plain = "".join(letter if letter.isalnum() else "-" for letter in what.lower()).strip("-")
    return f"{plain or 'bars'}-{clock.interval}"


def _comment_calendar(guess: CalendarGuess) -> str:
    ties = f"; {', '.join(guess.others)} fit as well" if guess.others else ""
    doubt = "" if guess.is_certain else "; please check: the fit is poor"
    return f"{guess.reason}{ties}{doubt}"


def _comment_key(name: str, reading: FileReading) -> str:
    if name != "format" or reading.match is None:
        return reading.reasons.get(name, "")
    form, shape = reading.match.file_format, reading.match.shape
    return (
        f"{form.writer}. Zone: {form.zone}. Label: {form.label}. Note: {shape.note or form.units}"
    )


def _put_zone(
    draft: ManifestDraft, reading: FileReading, guess: CalendarGuess, *, daily: bool
) -> None:
    """The zone of local times, or of days; a zone of the form stays where none is inferred."""
    if guess.timezone is not None:
        draft.put("sources.timezone", guess.timezone, guess.zone_reason)
    elif reading.is_local and reading.zone is None and not daily:
        draft.put("sources.timezone", "UTC", "assumed: the times have no offset")


def _check_draft(draft: ManifestDraft, options: ProposalOptions, *, home: Path) -> DatasetProposal:
    """Checks the bars, and adds the repairs that lose nothing."""
    log = NoticeLog()
    check = _check(draft, options, home=home, progress=log)
    repairs = {
        finding.rule: "repair"
        for finding in check.findings
        if finding.severity == "error" and finding.rule in _SAFE_REPAIRS
    }
    if repairs:
        quality = draft.keys.get("quality")
        known = dict(quality) if isinstance(quality, dict) else {}
        reason = draft.comments.get(
            "quality", "the check finds this, and the repair loses nothing"
        )
        draft.put("quality", known | repairs, reason)
        log = NoticeLog()
        check = _check(draft, options, home=home, progress=log)
    draft.title += [f"note: {text}" for text in log.notices]
    for finding in check.findings[:_MAX_SHOWN_FINDINGS]:
        draft.title.append(
            f"{finding.severity} {finding.rule} {finding.symbol}: {finding.sentence}"
            + (f"; {finding.advice}" if finding.advice else "")
        )
    if not check.is_usable:
        draft.title.insert(1, "NOT FIT FOR A RUN YET: the check finds the errors below.")
    return DatasetProposal(draft, check)


class NoticeLog(NullProgress):
    """Collects notices, which become comments of the manifest."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        """Keeps a notice; each once."""
        if text not in self.notices:
            self.notices.append(text)


def _check(
    draft: ManifestDraft, options: ProposalOptions, *, home: Path, progress: Progress
) -> DatasetCheck:
    manifest = DatasetManifest(draft.to_dataset(), options.manifest.absolute())
    return check_manifest(manifest, home=home, offline=True, progress=progress, now=options.now)
