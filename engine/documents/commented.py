"""A document written out with the meaning of every key beside it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from engine.documents.tree import flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.documents.reference import Entry

WIDEST = 80


def commented(tree: Mapping[str, Any], listed: Sequence[Entry]) -> str:
    """YAML with comments: each key's meaning, and what each part does, as the entries tell it.

    Args:
        tree: Plain values; parts are mappings with a `kind`, an entry of a list takes one line.
        listed: The entries of the document, whose texts become comments.
    """
    texts = {entry.path: (entry.meaning or entry.part).partition("\n\n")[0] for entry in listed}
    texts |= {
        f"{entry.path}.{kind}": texts[f"{entry.same_as}.{kind}"]
        for entry in listed
        if entry.same_as
        for kind in entry.kinds
    }
    blocks = ["\n".join(_key(name, value, name, "", texts)) for name, value in tree.items()]
    return "\n\n".join(blocks) + "\n"


def _key(name: str, value: Any, path: str, indent: str, texts: Mapping[str, str]) -> Iterator[str]:  # noqa: ANN401 - any plain value
    if isinstance(value, dict):
        yield from _above(texts.get(path, ""), indent)
        yield f"{indent}{name}:"
        yield from _mapping(value, path, f"{indent}  ", texts)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from _above(texts.get(path, ""), indent)
        yield f"{indent}{name}:"
        for entry in value:
            part = texts.get(f"{path}.{entry['kind']}", "")
            yield from _line(f"{indent}  - {flow(entry)}", part, f"{indent}  ")
    else:
        yield from _line(f"{indent}{name}: {flow(value)}", texts.get(path, ""), indent)


def _mapping(
    value: Mapping[str, Any], path: str, indent: str, texts: Mapping[str, str]
) -> Iterator[str]:
    """A kind is told by what it does, and is part of the path to its keys."""
    kind = value.get("kind")
    within = f"{path}.{kind}" if kind and f"{path}.{kind}" in texts else path
    for name, held in value.items():
        if name == "kind" and within != path:
            yield from _line(f"{indent}kind: {flow(held)}", texts[within], indent)
        else:
            yield from _key(name, held, f"{within}.{name}", indent, texts)


def _line(line: str, text: str, indent: str) -> Iterator[str]:
    """The text behind the line where it fits, else above."""
    short = " ".join(text.split())
    if short and len(line) + len(short) + 4 <= WIDEST:
        yield f"{line}  # {short}"
        return
    yield from _above(text, indent)
    yield line


def _above(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    return textwrap.wrap(
        " ".join(text.split()),
        WIDEST,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
    )
