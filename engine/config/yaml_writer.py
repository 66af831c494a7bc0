"""Writes YAML with the meaning of every key as a comment."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from engine.config.yaml_tree import dump_flow_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.config.reference import ReferenceEntry

MAX_LINE_WIDTH = 80


def dump_commented_yaml(tree: Mapping[str, Any], entries: Sequence[ReferenceEntry]) -> str:
    """Writes YAML with the meaning of each key and part as comments.

    Args:
        tree: Plain values; parts are mappings with a `kind`, an element of a list takes one line.
        entries: Reference entries, whose texts become comments.
    """
    texts = {entry.path: (entry.meaning or entry.part).partition("\n\n")[0] for entry in entries}
    texts |= {
        f"{entry.path}.{kind}": texts[f"{entry.same_as}.{kind}"]
        for entry in entries
        if entry.same_as
        for kind in entry.kinds
    }
    blocks = ["\n".join(_format_key(name, value, name, "", texts)) for name, value in tree.items()]
    return "\n\n".join(blocks) + "\n"


def _format_key(
    name: str,
    value: object,
    path: str,
    indent: str,
    texts: Mapping[str, str],
) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _format_comment_block(texts.get(path, ""), indent)
        yield f"{indent}{name}:"
        yield from _format_mapping(value, path, f"{indent}  ", texts)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from _format_comment_block(texts.get(path, ""), indent)
        yield f"{indent}{name}:"
        for entry in value:
            part = texts.get(f"{path}.{entry['kind']}", "")
            yield from _format_line(f"{indent}  - {dump_flow_yaml(entry)}", part, f"{indent}  ")
    else:
        yield from _format_line(
            f"{indent}{name}: {dump_flow_yaml(value)}", texts.get(path, ""), indent
        )


def _format_mapping(
    value: Mapping[str, Any], path: str, indent: str, texts: Mapping[str, str]
) -> Iterator[str]:
    """The comment of a `kind` is the text of its part; its keys have the kind in their path."""
    kind = value.get("kind")
    part_path = f"{path}.{kind}" if kind and f"{path}.{kind}" in texts else path
    for name, item in value.items():
        if name == "kind" and part_path != path:
            yield from _format_line(
                f"{indent}kind: {dump_flow_yaml(item)}", texts[part_path], indent
            )
        else:
            yield from _format_key(name, item, f"{part_path}.{name}", indent, texts)


def _format_line(line: str, text: str, indent: str) -> Iterator[str]:
    """The line with the text as a comment at its end if that fits, otherwise above."""
    short = " ".join(text.split())
    if short and len(line) + len(short) + 4 <= MAX_LINE_WIDTH:
        yield f"{line}  # {short}"
        return
    yield from _format_comment_block(text, indent)
    yield line


def _format_comment_block(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    return textwrap.wrap(
        " ".join(text.split()),
        MAX_LINE_WIDTH,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
    )
