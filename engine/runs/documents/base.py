"""What every document of a run folder has in common: frozen, closed, versioned, read by key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.core.errors import UsageError
from engine.core.json_text import parse_json
from engine.core.limits import MAX_DOCUMENT_BYTES
from engine.core.read_file import read_bytes
from engine.core.schema_descriptions import describe_schema_keys

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.json_text import Json

SCHEMA_VERSION = 1
"""Version of the documents that this engine writes, and the newest that it reads."""


class DocumentPart(BaseModel, Mapping[str, Any]):
    """A part of a document: frozen, closed to keys that it does not know, no NaN in it.

    It is read by attribute, and also by the keys of its JSON: `part["sharpe"]`, `part.get("low")`,
    `"low" in part`; a value that is read by key is plain JSON (lists, dictionaries), as the file
    has it. A key that the file does not have has a default as an attribute, and is missing as a
    key. An attribute whose name differs from its key says so by its alias.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        allow_inf_nan=False,
        json_schema_extra=describe_schema_keys,
    )

    def __getitem__(self, key: str) -> Json:
        """The plain value of a key of the JSON; KeyError where the document does not have it."""
        name = _names_by_key(type(self)).get(key)
        if name is None or name not in self.model_fields_set:
            raise KeyError(key)
        return _to_plain(getattr(self, name))

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # BaseModel yields pairs
        """The keys that the document has, in the order of its model."""
        present = self.model_fields_set
        yield from (key for key, name in _names_by_key(type(self)).items() if name in present)

    def __len__(self) -> int:
        """How many keys the document has."""
        return len(self.model_fields_set)

    def __or__(self, changes: Mapping[str, Any]) -> Self:
        """A copy in which the values of these keys are others; validated."""
        return type(self).model_validate(self.as_dict() | dict(changes))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, only the keys that the document has."""
        present = self.model_fields_set
        return {
            key: _to_plain(getattr(self, name))
            for key, name in _names_by_key(type(self)).items()
            if name in present
        }


class Document(DocumentPart):
    """A JSON file of a run folder.

    Attributes:
        schema_version: Version of the keys; a file without it is of a version before 1, and is
            read as one of version 1.
    """

    schema_version: int = SCHEMA_VERSION

    def model_post_init(self, _context: object, /) -> None:
        """Every document says its version, also one that was read without."""
        self.model_fields_set.add("schema_version")

    def to_json(self) -> str:
        """The text of the file: the same bytes for the same figures."""
        return json.dumps(self.as_dict(), indent=2, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, location: str) -> Self:
        """The document of a file's text.

        Args:
            text: As `to_json` made it, in this version or an earlier one.
            location: Where the text is from, for the message.

        Raises:
            UsageError: A newer engine wrote it.
            ValueError: The text is no JSON, or has not the shape of the document; in one line.
        """
        content = parse_json(text)
        _refuse_newer(content, location)
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join(map(str, first["loc"])) or "the whole"
            raise ValueError(f"{path}: {first['msg']}") from error


def read_document_text(path: Path) -> str:
    """The text of a JSON file of a run folder.

    Raises:
        UsageError: The file is no regular file, or has more than `MAX_DOCUMENT_BYTES`.
        OSError: It cannot be read.
        ValueError: It is not UTF-8.
    """
    raw = read_bytes(path, max_bytes=MAX_DOCUMENT_BYTES, what="a document of a run")
    return raw.decode("utf-8")


@cache
def _names_by_key(document: type[DocumentPart]) -> Mapping[str, str]:
    """Key of the JSON -> name of the attribute, in the order of the model."""
    return {field.alias or name: name for name, field in document.model_fields.items()}


_SCALARS = frozenset({bool, float, int, str, type(None)})


def _to_plain(value: object) -> object:
    """Models and tuples as dictionaries and lists."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, DocumentPart):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {key: _to_plain(value[key]) for key in value}
    if isinstance(value, tuple | list):
        return [_to_plain(each) for each in value]
    return value


def _refuse_newer(content: object, location: str) -> None:
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UsageError(
            "this run folder was written by a newer version of the engine",
            expected=f"schema_version {SCHEMA_VERSION} or less",
            found=f"schema_version {version}",
            where=location,
            fix="upgrade backtest-engine, or run the strategy again with this version",
        )
