"""A parsed page, and runs with other tables and documents."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from engine.evaluation.analysis import with_analysis
from engine.reporting import formatting
from engine.reporting.charts.time_chart import chart_data
from engine.reporting.charts.xy_plot import plot_data
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from engine.reporting.tearsheet.section import TearsheetSection
    from engine.runs.run import Run


class Page(HTMLParser):
    """Elements, attributes and text of a page, and the data of each chart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.charts: dict[str, Any] = {}
        self.words: list[str] = []
        self.code: list[str] = []
        self._chart = self._inside = ""
        self.feed(html)
        self.text = re.sub(r"[ \n]+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag == "figure":
            self._chart = found.get("id", "")
        if tag in {"script", "style"}:
            self._inside = found.get("type", tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "application/json":
            self.charts[self._chart] = json.loads(data)
        elif self._inside:
            self.code.append(data)
        else:
            self.words.append(data)

    def values(self, chart: str, line: str) -> list[float | None]:
        (found,) = [
            drawn["values"]
            for panel in self.charts[chart]["panels"]
            for drawn in panel["lines"]
            if drawn["key"] == line
        ]
        return found


def section_of(section: TearsheetSection | None, **context: Any) -> str:
    """A section of the tearsheet without the page around it."""
    assert section is not None
    return render_template(
        f"tearsheet/{section.key}.html.j2",
        content=section.content,
        missing=formatting.MISSING,
        chart_data=chart_data,
        plot_data=plot_data,
        **context,
    )


def changed(run: Run, **documents: Any) -> Run:
    """The run with keys of its documents replaced, and its analysis computed again."""
    return altered(
        run, **{name: getattr(run, name) | changes for name, changes in documents.items()}
    )


def altered(run: Run, **fields: Any) -> Run:
    """The run with other tables or documents, and its analysis computed again."""
    return with_analysis(dataclasses.replace(run, **fields, analysis_files=None))
