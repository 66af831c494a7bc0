"""`backtest data list`: lists the datasets that a strategy can name."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption
from engine.cli.terminal import NAME, print_lines, styled
from engine.cli.text_table import prose_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.manifests import DatasetManifest

LABEL_WIDTH = 13


def data_list_command(debug: DebugOption = False) -> None:
    """List the datasets that a strategy can name.

    Those in datasets/ of this folder come before those of the engine.
    """
    with handle_errors(debug=debug):
        from engine.data.manifests import list_dataset_names, read_manifest

        width = prose_width()
        for name in list_dataset_names():
            print_lines(_format_dataset(read_manifest(name), width))


def _format_dataset(manifest: DatasetManifest, width: int) -> Iterator[str]:
    dataset = manifest.dataset
    span = f"{dataset.start or 'the first bar'} to {dataset.end or 'now'}"
    facts = {
        "symbols": ", ".join(dataset.symbols),
        "bars": f"{dataset.interval}, {span}, calendar {dataset.calendar}",
        "sources": ", then ".join(source.kind for source in dataset.sources),
        "note": " ".join(dataset.note.split()),
    }
    yield f"{styled(dataset.name, NAME)} ({manifest.path})"
    for label, fact in facts.items():
        if fact:
            yield from textwrap.wrap(
                f"  {label:<{LABEL_WIDTH}}{fact}",
                width,
                subsequent_indent=" " * (LABEL_WIDTH + 2),
                break_long_words=False,
                break_on_hyphens=False,
            )
