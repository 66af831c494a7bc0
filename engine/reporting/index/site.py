"""What is answered to which address: the index, pages of runs, comparisons; nothing else.

No part of an address ever becomes part of a path: it is looked up among the runs that were found.
Nothing is written below the folder of the runs: a page that is missing is drawn, sent, and kept in
memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from engine.artifacts import PAGES, Run
from engine.errors import BacktestError, UsageError
from engine.evaluation.comparison import candidate, compare
from engine.reporting.comparison import comparison_page
from engine.reporting.index.entries import Entry, comparisons, entries, inside
from engine.reporting.index.page import index_page, page_address
from engine.reporting.pages import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

KEPT = 16
"""Drawn pages that are kept in memory; one may have six megabytes."""

FILES = {f"{page}.html": page for page in PAGES}

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Response:
    """An answer: HTTP status, content and its type."""

    status: int
    content: bytes
    kind: str = HTML


class Site:
    """The pages of all runs below a folder; threads may share it.

    Args:
        reports: The folder.
    """

    def __init__(self, reports: Path) -> None:
        self._reports = reports
        self._drawn: OrderedDict[object, bytes] = OrderedDict()
        self._drawing = threading.Lock()

    def answer(self, target: str) -> Response:
        """The page of an address.

        Args:
            target: Path and query as they were asked for, percent signs and all.

        Returns:
            200 with the page; 400 for runs that cannot be compared, 404 for an address that there
            is not, 500 for a run too damaged to be drawn.
        """
        try:
            parts = urlsplit(target)
            return self._page(parts.path, parts.query)
        except UsageError as error:
            return _told(400, str(error))
        except BacktestError as error:
            return _told(500, str(error))
        except Exception as error:  # noqa: BLE001 - a damaged run may raise anything while drawn
            return _told(500, f"this page cannot be drawn: {type(error).__name__}: {error}")

    def _page(self, path: str, query: str) -> Response:
        if path == "/":
            return self._index()
        if path == "/compare":
            return self._comparison([_unquoted(run) for run in parse_qs(query).get("run", [])])
        address, _, name = _unquoted(path.removeprefix("/")).rpartition("/")
        for entry in entries(self._reports):
            if entry.address == address and name in FILES:
                return self._of_run(entry, FILES[name])
        for compared in comparisons(self._reports):
            if compared.address == address and name == compared.page.name:
                return Response(200, compared.page.read_bytes())
        return _told(404, "there is no such page")

    def _index(self) -> Response:
        found = entries(self._reports), comparisons(self._reports)
        return Response(200, index_page(*found, str(self._reports)).encode())

    def _of_run(self, entry: Entry, page: str) -> Response:
        file = entry.folder / f"{page}.html"
        if file.is_file() and inside(file, self._reports):
            return Response(200, file.read_bytes())
        if entry.summary is None:
            return _told(500, f"this run cannot be drawn: {entry.problem}")
        key = (entry.address, page, _stamp(entry.folder))
        return self._kept(key, lambda: draw(Run.open(entry.folder), page))

    def _comparison(self, addresses: list[str]) -> Response:
        known = {entry.address: entry for entry in entries(self._reports) if entry.summary}
        unknown = [address for address in addresses if address not in known]
        if unknown:
            raise UsageError("there is no such run", found=unknown[0], fix="go back to the index")
        chosen = [known[address] for address in addresses]

        key = ("compare", *((entry.address, _stamp(entry.folder)) for entry in chosen))
        return self._kept(key, lambda: _compared(chosen))

    def _kept(self, key: object, drawn: Callable[[], str]) -> Response:
        """A page from memory, or drawn; one at a time, as each needs a core and much memory."""
        with self._drawing:
            if key not in self._drawn:
                self._drawn[key] = drawn().encode()
                while len(self._drawn) > KEPT:
                    self._drawn.popitem(last=False)
            return Response(200, self._drawn[key])


def _compared(chosen: Sequence[Entry]) -> str:
    runs = [Run.open(entry.folder) for entry in chosen]
    places = [page_address(entry.address, PAGES[0]) for entry in chosen]
    links = {run.run_id: place for run, place in zip(runs, places, strict=True)}
    found = compare([candidate(run) for run in runs])
    return comparison_page(runs, found, lambda run: links[run.run_id])


def _unquoted(address: str) -> str:
    """What `page.quoted` was given."""
    return unquote(address, errors="surrogateescape")


def _stamp(folder: Path) -> int:
    return (folder / "manifest.json").stat().st_mtime_ns


def _told(status: int, problem: str) -> Response:
    page = (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Not shown</title>'
        '<meta name="color-scheme" content="light dark">'
        f'<pre>{escape(problem)}</pre><p><a href="/">All runs</a></p></html>\n'
    )
    return Response(status, page.encode(errors="replace"))
