"""Pages of the runs below a folder: the index, pages of a run, comparisons; nothing else.

No part of an address ever becomes part of a path: it is looked up among the listed runs. Nothing
is written below the folder of the runs: a missing page is rendered, sent, and cached in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from engine.core.errors import BacktestError, UsageError
from engine.core.limits import MAX_DOCUMENT_BYTES
from engine.core.read_file import read_bytes
from engine.reporting.comparison import render_comparison
from engine.reporting.index import (
    COMPARE_URL,
    RunEntry,
    is_inside,
    list_comparisons,
    list_run_folders,
    list_runs,
    page_url,
    read_run_entry,
    render_index,
)
from engine.reporting.pages import render_page
from engine.reporting.site import RUNS_URL, render_problem
from engine.runs.folder import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.comparison import RunComparison
    from engine.runs.run import Run

MAX_CACHED_PAGES = 16
"""Rendered pages that are kept in memory; one may have six megabytes."""

PAGE_BY_FILE = {f"{page}.html": page for page in PAGES}


@dataclass(frozen=True)
class PageResponse:
    """A page in HTML.

    Attributes:
        status: HTTP status.
        content: The page.
        is_self_contained: Whether its styles and script stand in it, as in the pages of a run,
            instead of being files of the server.
    """

    status: int
    content: bytes
    is_self_contained: bool = False


class RunPages:
    """The pages of all runs below a folder; thread-safe.

    Args:
        reports: Folder of the runs.
        open_run: Opens a run folder with its analysis.
        compare: Compares runs, the first one as the reference.
    """

    def __init__(
        self,
        reports: Path,
        open_run: Callable[[Path], Run],
        compare: Callable[[Sequence[Run]], RunComparison],
    ) -> None:
        self._reports = reports
        self._open_run = open_run
        self._compare = compare
        self._page_cache: OrderedDict[object, bytes] = OrderedDict()
        self._render_lock = threading.Lock()

    def respond(self, target: str) -> PageResponse:
        """The page of an address.

        Args:
            target: Path and query of the request, still percent-encoded, from `RUNS_URL` on.

        Returns:
            200 with the page; 400 for runs that cannot be compared, 404 for an unknown address,
            500 for a run too damaged to be rendered.
        """
        try:
            parts = urlsplit(target)
            return self._route(parts.path, parts.query)
        except BacktestError as error:
            is_bad_request = isinstance(error, UsageError) and target.startswith(COMPARE_URL)
            return _error_response(400 if is_bad_request else 500, str(error))
        except Exception as error:  # noqa: BLE001 - a damaged run may raise any error while it is rendered
            return _error_response(
                500, f"this page cannot be rendered: {type(error).__name__}: {error}"
            )

    def _route(self, path: str, query: str) -> PageResponse:
        if path == RUNS_URL:
            return self._index_page()
        if path == COMPARE_URL:
            return self._comparison_page(
                [_unquote_path(run) for run in parse_qs(query).get("run", [])]
            )
        if not path.startswith(f"{RUNS_URL}/"):
            return _error_response(404, "no such page")
        address, _, name = _unquote_path(path.removeprefix(f"{RUNS_URL}/")).rpartition("/")
        folder = list_run_folders(self._reports).get(address)
        if folder and name in PAGE_BY_FILE:
            return self._run_page(read_run_entry(folder, self._reports), PAGE_BY_FILE[name])
        for comparison in list_comparisons(self._reports):
            if comparison.relative_path == address and name == comparison.page.name:
                return PageResponse(200, _read_page(comparison.page), is_self_contained=True)
        return _error_response(404, "no such page")

    def _index_page(self) -> PageResponse:
        page = render_index(
            list_runs(self._reports), list_comparisons(self._reports), str(self._reports)
        )
        return PageResponse(200, page.encode())

    def _run_page(self, entry: RunEntry, page: str) -> PageResponse:
        file = entry.folder / f"{page}.html"
        if file.is_file() and is_inside(file, self._reports):
            return PageResponse(200, _read_page(file), is_self_contained=True)
        if entry.summary is None:
            return _error_response(500, f"this run cannot be rendered: {entry.problem}")
        key = (entry.relative_path, page, _manifest_mtime(entry.folder))
        return self._cached_page(key, lambda: render_page(self._open_run(entry.folder), page))

    def _comparison_page(self, relative_paths: list[str]) -> PageResponse:
        known = list_run_folders(self._reports)
        unknown = [address for address in relative_paths if address not in known]
        if unknown:
            raise UsageError(
                "no such run",
                expected="runs that the index lists",
                found=unknown[0],
                fix="go back to the index",
            )
        entries = [read_run_entry(known[address], self._reports) for address in relative_paths]
        for entry in entries:
            if not entry.summary:
                raise UsageError(f"{entry.relative_path} cannot be compared", found=entry.problem)

        key = (
            "compare",
            *((entry.relative_path, _manifest_mtime(entry.folder)) for entry in entries),
        )
        return self._cached_page(key, lambda: self._render_comparison(entries))

    def _render_comparison(self, entries: Sequence[RunEntry]) -> str:
        runs = [self._open_run(entry.folder) for entry in entries]
        urls = [page_url(entry.relative_path, PAGES[0]) for entry in entries]
        links = {run.run_id: url for run, url in zip(runs, urls, strict=True)}
        return render_comparison(runs, self._compare(runs), lambda run: links[run.run_id])

    def _cached_page(self, key: object, render: Callable[[], str]) -> PageResponse:
        """A page from the cache, or rendered, one at a time: each needs a core and much memory."""
        with self._render_lock:
            if key not in self._page_cache:
                self._page_cache[key] = render().encode()
                while len(self._page_cache) > MAX_CACHED_PAGES:
                    self._page_cache.popitem(last=False)
            return PageResponse(200, self._page_cache[key], is_self_contained=True)


def _unquote_path(quoted_path: str) -> str:
    """The inverse of `quote_path`."""
    return unquote(quoted_path, errors="surrogateescape")


def _manifest_mtime(folder: Path) -> int:
    return (folder / "manifest.json").stat().st_mtime_ns


def _read_page(file: Path) -> bytes:
    return read_bytes(file, max_bytes=MAX_DOCUMENT_BYTES, what="a page of a run")


def _error_response(status: int, problem: str) -> PageResponse:
    return PageResponse(status, render_problem(problem, area="runs").encode())
