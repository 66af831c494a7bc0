"""Writes a dataset manifest with the reason of every inferred value as a comment."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.config import dump_flow_yaml
from engine.core.control_characters import escape_line
from engine.core.errors import UsageError
from engine.data.config import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 80


@dataclass
class ManifestDraft:
    """A manifest in the making.

    Attributes:
        title: Comment lines before the first key.
        keys: Top-level key to value, in order.
        source: Key of the files source to value, in order.
        comments: Key to the reason of its value; keys of the source begin with `sources.`.
    """

    title: list[str] = field(default_factory=list)
    keys: dict[str, object] = field(default_factory=dict)
    source: dict[str, object] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, value: object, comment: str = "") -> None:
        """Sets a key; `sources.KEY` is one of the files source."""
        _, is_source, name = key.rpartition("sources.")
        (self.source if is_source else self.keys)[name] = value
        if comment:
            self.comments[key] = comment

    def to_tree(self) -> dict[str, object]:
        """The plain values of the manifest."""
        return {**self.keys, "sources": [self.source]}

    def to_dataset(self) -> Dataset:
        """The dataset of the manifest.

        Raises:
            UsageError: A name that the user or a file gave cannot be used.
        """
        try:
            return Dataset.model_validate(self.to_tree())
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = ".".join(map(str, first["loc"]))
            raise UsageError(
                f"the {'name' if key == 'name' else 'symbol'} of the dataset cannot be used",
                expected=first["msg"].removeprefix("Value error, expected "),
                found=str(first["input"]),
                where=key,
                fix="give another with --name, or rename the file",
            ) from error

    def to_yaml(self) -> str:
        """The manifest with its comments, no line longer than 80 characters where it can be."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        for text in self.title:
            yield from _wrap_comment(text, "")
        late = {"quality", "note"}
        for name, value in self.keys.items():
            if name not in late:
                yield from _format_key(name, value, self.comments.get(name, ""), "")
        yield "sources:"
        for number, (name, value) in enumerate(self.source.items()):
            comment = self.comments.get(f"sources.{name}", "")
            lines = list(_format_key(name, value, comment, "    "))
            if not number:
                lines[-1] = f"  - {lines[-1].lstrip()}"
            yield from lines
        for name in ("quality", "note"):
            if name in self.keys:
                yield from _format_key(name, self.keys[name], self.comments.get(name, ""), "")


def _format_key(name: str, value: object, comment: str, indent: str) -> Iterator[str]:
    """The key with its comment at the end of the line where that fits, otherwise above."""
    line, comment = f"{indent}{name}: {_flow(value)}", escape_line(comment)
    if comment and len(line) + len(comment) + 4 <= _WIDTH:
        yield f"{line}  # {comment}"
        return
    if comment:
        yield from _wrap_comment(comment, indent)
    if len(line) <= _WIDTH or not isinstance(value, list | tuple | dict):
        yield line
        return
    yield f"{indent}{name}:"
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{indent}  {_flow(key)}: {_flow(item)}"
        return
    for item in value:
        yield f"{indent}  - {_flow(item)}"


def _flow(value: object) -> str:
    """A value on one line; names of keys are quoted where YAML would read another type."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_flow(key)}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return dump_flow_yaml(value)


def _wrap_comment(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    return textwrap.wrap(
        escape_line(" ".join(text.split())),
        _WIDTH,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
        break_on_hyphens=False,
    )
