"""The keys that read one file: those of its form, and those that the source gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.core.errors import InvalidBarsError
from engine.data.files_config import FilesSourceSpec
from engine.data.sources.files.formats._recognise import FormatMatch, match_format
from engine.data.sources.files.formats._registry import FILE_FORMATS, recognise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.data.sources.files.formats._head import FileHead

_SHOWN_CHARACTERS = 100


@dataclass(frozen=True)
class ResolvedFormat:
    """How one file of a source that gives `format` is read.

    Attributes:
        spec: The source with the keys of the form filled in, and without `format`.
        newest_first: Whether files of the form begin with the newest bar.
        notices: One clause for each thing that a user must know.
    """

    spec: FilesSourceSpec
    newest_first: bool = False
    notices: tuple[str, ...] = ()


def resolve_format(
    spec: FilesSourceSpec, path: Path, head: FileHead, *, daily: bool
) -> ResolvedFormat:
    """The keys that read a file of a source that names a form, or `auto`.

    Keys that the source gives replace those of the form; of `columns`, one by one.

    Args:
        spec: The source; its `format` is given.
        path: The file, for messages.
        head: The beginning of the file.
        daily: Whether the bars are days or longer, which need no zone.

    Raises:
        InvalidBarsError: The file is not of the form; or with `auto` it is of none that is known,
            or of several; or its times are those of an unknown zone and the source declares none.
    """
    match = _recognise_one(path, head) if spec.format == "auto" else _require(spec, path, head)
    if match.shape.zone_unknown and not daily and spec.timezone is None:
        raise _missing_zone(path, match)
    resolved = merge_keys(spec, match.keys, path)
    notices = [match.shape.note] if match.shape.note else []
    if spec.format == "auto":
        notices.insert(0, _describe(match))
    return ResolvedFormat(resolved, match.file_format.newest_first, tuple(notices))


def merge_keys(spec: FilesSourceSpec, keys: Mapping[str, object], path: Path) -> FilesSourceSpec:
    """The source with the keys of a form beneath its own.

    Raises:
        InvalidBarsError: A value that stands in the file is not valid, such as the name of a zone.
    """
    given = {name: getattr(spec, name) for name in spec.model_fields_set if name != "format"}
    merged = {**keys, **given}
    columns = {**_mapping(keys.get("columns")), **_mapping(given.get("columns"))}
    if merged.get("volume") == "none" and "volume" in _mapping(given.get("columns")):
        merged.pop("volume")
    if given.get("volume") == "none":
        columns.pop("volume", None)
    if columns:
        merged["columns"] = columns
    try:
        return FilesSourceSpec.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidBarsError(
            "the form of this file cannot be used as it stands",
            expected=str(first["msg"]).removeprefix("Value error, "),
            found=f"{'.'.join(map(str, first['loc']))}: {first['input']}",
            where=str(path),
            fix="add the key to the files source with a value that is valid",
        ) from None


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _require(spec: FilesSourceSpec, path: Path, head: FileHead) -> FormatMatch:
    """The shape that the file has of the form that the source names."""
    named = FILE_FORMATS[str(spec.format)]
    match = match_format(named, head)
    if match is not None:
        return match
    others = [other.file_format.name for other in recognise(head)]
    choices = " or ".join(f"`format: {name}`" for name in others if name != "ordinary")
    fix = "leave `format` out and declare the columns; `backtest data init FILE` proposes them"
    if choices:
        fix = f"use {choices}, which this file looks like"
    elif "ordinary" in others:
        fix = "leave `format` out: the file has an ordinary header"
    raise InvalidBarsError(
        f"this file is not of the form {named.name}",
        expected=f"a file of {named.writer}",
        found=_show(head),
        where=str(path),
        fix=fix,
    )


def _recognise_one(path: Path, head: FileHead) -> FormatMatch:
    matches = recognise(head)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise InvalidBarsError(
            "the form of this file is not known",
            expected=f"one of {', '.join(FILE_FORMATS)}, or an ordinary header",
            found=_show(head),
            where=str(path),
            fix="declare its columns in place of `format: auto`; `backtest data init FILE` "
            "proposes them",
        )
    readings = "; ".join(
        f"{match.file_format.name} ({_describe_time(match)})" for match in matches
    )
    names = [match.file_format.name for match in matches]
    choices = [
        "leave `format` out" if name == "ordinary" else f"`format: {name}`" for name in names
    ]
    raise InvalidBarsError(
        "this file may be of several forms, which read it differently",
        expected="one form",
        found=readings,
        where=str(path),
        fix=f"say which: {' or '.join(choices)}",
    )


def _missing_zone(path: Path, match: FormatMatch) -> InvalidBarsError:
    return InvalidBarsError(
        f"the file does not tell the time zone of its {match.file_format.name} timestamps",
        expected="`timezone` in the files source",
        found=f"times of {match.file_format.zone}",
        where=str(path),
        fix="add the zone's IANA name, such as `timezone: Europe/Athens`; `timezone: UTC` keeps "
        "the times as they stand",
    )


def _describe(match: FormatMatch) -> str:
    """What a recognised form implies, in one clause."""
    if match.file_format.name == "ordinary":
        return "the header is an ordinary one, and no form is applied"
    given = ", ".join(
        f"{name}: {_short(value)}" for name, value in match.keys.items() if name != "header"
    )
    header = "no header, " if "header" in match.keys else ""
    order = ", newest bar first" if match.file_format.newest_first else ""
    return (
        f"the form {match.file_format.name} is recognised: {header}{given or 'usual columns'}; "
        f"zone {_describe_zone(match)}, label {match.file_format.label}{order}"
    )


def _describe_time(match: FormatMatch) -> str:
    return f"zone {_describe_zone(match)}, label {match.file_format.label}"


def _describe_zone(match: FormatMatch) -> str:
    return str(match.keys.get("timezone") or match.file_format.zone)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value)


def _show(head: FileHead) -> str:
    """The first line, cut to a width."""
    line = head.lines[0] if head.lines else "nothing"
    if len(line) > _SHOWN_CHARACTERS:
        line = f"{line[:_SHOWN_CHARACTERS]}..."
    return f"the first line `{line}`"
