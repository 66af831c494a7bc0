"""Reference pages of the keys of strategies, datasets and run documents, from their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx.util.docutils import SphinxDirective

from engine.config.reference import ReferenceEntry, child_entries, list_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docutils import nodes
    from pydantic import BaseModel
    from sphinx.application import Sphinx

MAX_HEADING_DEPTH = 5
SINGLE_KEYS = "Single keys"
RUN_DOCUMENTS = ("manifest", "metrics", "significance", "certificate", "analysis")


def as_markdown(model: type[BaseModel], title: str = SINGLE_KEYS, depth: int = 2) -> str:
    """A section for each key that contains others, a row for each other key.

    Args:
        model: Model of the document, such as `engine.strategy.Strategy`.
        title: Heading of the section with the keys that contain no others; if it is given, the
            other sections are one level below it.
        depth: Level of that section's heading.
    """
    entries = list_entries(model)
    plain = [entry for entry in child_entries(entries) if not _holds_keys(entries, entry)]
    section_depth = depth + (title != SINGLE_KEYS)
    sections = [
        _section(entries, each, section_depth)
        for each in child_entries(entries)
        if each not in plain
    ]
    return "\n\n".join([f"{'#' * depth} {title}", _table(plain), *sections])


def _holds_keys(entries: Sequence[ReferenceEntry], entry: ReferenceEntry) -> bool:
    return bool(entry.kinds or child_entries(entries, entry))


def _section(entries: Sequence[ReferenceEntry], entry: ReferenceEntry, depth: int) -> str:
    children = child_entries(entries, entry)
    rows = [each for each in children if not each.kind and not _holds_keys(entries, each)]
    parts = [
        f"{'#' * min(depth, MAX_HEADING_DEPTH)} {entry.path}",
        *_describe(entry),
        _table(rows),
    ]
    parts += [_section(entries, each, depth + 1) for each in children if each not in rows]
    return "\n\n".join(part for part in parts if part)


def _describe(entry: ReferenceEntry) -> Iterator[str]:
    if entry.meaning:
        yield entry.meaning
    if not entry.kind:
        yield _accepted_values(entry)
    if entry.part:
        yield entry.part.strip()
    if entry.kind:
        yield f"In the file: `{entry.path_in_file}`, with `kind: {entry.kind}`."
    if entry.same_as:
        yield f"The kinds are those of [{entry.same_as}](#{entry.same_as.replace('.', '')})."
    elif entry.kinds:
        yield f"Kinds: {', '.join(f'`{kind}`' for kind in entry.kinds)}."


def _accepted_values(entry: ReferenceEntry) -> str:
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
    """The directive `keys`: all keys of a `strategy`, a `dataset` or the documents of a `run`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Returns the nodes of the sections."""
        return self.parse_text_to_nodes(_PAGES[self.arguments[0]](), allow_section_headings=True)


def strategy_keys() -> str:
    """Every key of a strategy file."""
    from engine.strategy import Strategy

    return as_markdown(Strategy)


def dataset_keys() -> str:
    """Every key of a dataset's manifest."""
    from engine.data.config import Dataset

    return as_markdown(Dataset)


def run_keys() -> str:
    """Every key of the JSON documents of a run folder."""
    from engine.runs import documents

    models = {name: getattr(documents, name.capitalize()) for name in RUN_DOCUMENTS}
    return "\n\n".join(
        as_markdown(model, f"{name}.json", depth=2) for name, model in models.items()
    )


_PAGES = {"strategy": strategy_keys, "dataset": dataset_keys, "run": run_keys}


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the directive `keys`."""
    app.add_directive("keys", DocumentReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
