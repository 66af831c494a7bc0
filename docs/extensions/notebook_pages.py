"""Notebooks as pages: executed during the build, each cell followed by its output."""

from __future__ import annotations

import re
import tempfile
from typing import TYPE_CHECKING, Any

import nbformat
from myst_parser.parsers.sphinx_ import MystParser
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils import nodes
    from sphinx.application import Sphinx

CELL_TIMEOUT_S = 120
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def execute_notebook(text: str) -> nbformat.NotebookNode:
    """Executes a notebook and returns it with its outputs.

    Args:
        text: Text of an `.ipynb` file; its outputs are replaced.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell fails.
    """
    notebook = nbformat.reads(text, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_S,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        client.execute()
    return notebook


def as_markdown(notebook: nbformat.NotebookNode) -> str:
    """The cells, each code cell followed by its output."""
    return "\n\n".join(part for cell in notebook.cells for part in _parts(cell))


def _parts(cell: nbformat.NotebookNode) -> Iterator[str]:
    if cell.cell_type != "code":
        yield cell.source
        return
    yield f"```python\n{cell.source}\n```"
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        if text:
            yield f"```text\n{COLOUR.sub('', text).rstrip()}\n```"


class NotebookParser(MystParser):
    """Parses a notebook as the Markdown of its cells and outputs."""

    supported = ("ipynb",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Executes the notebook and adds its nodes to the document."""
        super().parse(as_markdown(execute_notebook(inputstring)), document)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the parser for files that end in `.ipynb`."""
    app.add_source_suffix(".ipynb", "ipynb")
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
