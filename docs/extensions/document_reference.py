"""The pages about the keys of strategies and datasets, made of their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx.util.docutils import SphinxDirective

from engine.config.reference import ReferenceEntry, child_entries, list_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docutils import nodes
    from pydantic import BaseModel
    from sphinx.application import Sphinx

DEEPEST = 5


def as_markdown(model: type[BaseModel]) -> str:
    """A section a key that holds others, a row a key that does not.

    Args:
        model: Of the document, such as `engine.strategy.Strategy`.
    """
    listed = list_entries(model)
    plain = [entry for entry in child_entries(listed) if not _holds_keys(listed, entry)]
    sections = [_section(listed, each) for each in child_entries(listed) if each not in plain]
    return "\n\n".join(["## Single keys", _table(plain), *sections])


def _holds_keys(listed: Sequence[ReferenceEntry], entry: ReferenceEntry) -> bool:
    return bool(entry.kinds or child_entries(listed, entry))


def _section(listed: Sequence[ReferenceEntry], entry: ReferenceEntry) -> str:
    below = child_entries(listed, entry)
    rows = [each for each in below if not each.kind and not _holds_keys(listed, each)]
    parts = [_heading(entry), *_about(entry), _table(rows)]
    parts += [_section(listed, each) for each in below if each not in rows]
    return "\n\n".join(part for part in parts if part)


def _heading(entry: ReferenceEntry) -> str:
    depth = min(1 + len(entry.path.split(".")), DEEPEST)
    return f"{'#' * depth} {entry.path}"


def _about(entry: ReferenceEntry) -> Iterator[str]:
    if entry.meaning:
        yield entry.meaning
    if not entry.kind:
        yield _facts(entry)
    if entry.part:
        yield entry.part.strip()
    if entry.kind:
        yield f"In the file: `{entry.place}`, with `kind: {entry.kind}`."
    if entry.same_as:
        yield f"The kinds are those of [{entry.same_as}](#{entry.same_as.replace('.', '')})."
    elif entry.kinds:
        yield f"Kinds: {', '.join(f'`{kind}`' for kind in entry.kinds)}."


def _facts(entry: ReferenceEntry) -> str:
    default = "Required." if entry.required else f"If left out: `{entry.default}`."
    return f"Takes {entry.accepts}. {default}"


def _table(rows: Sequence[ReferenceEntry]) -> str:
    if not rows:
        return ""
    lines = ["| key | takes | if left out | meaning |", "|---|---|---|---|"]
    for row in rows:
        default = "required" if row.required else f"`{row.default}`"
        cells = (f"`{row.path.rpartition('.')[2]}`", row.accepts, default, row.meaning)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


class DocumentReference(SphinxDirective):
    """The place of all keys of `strategy` or `dataset`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The nodes of the sections."""
        from engine.data.config import Dataset
        from engine.strategy import Strategy

        model = {"strategy": Strategy, "dataset": Dataset}[self.arguments[0]]
        return self.parse_text_to_nodes(as_markdown(model), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the directive `keys`."""
    app.add_directive("keys", DocumentReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
