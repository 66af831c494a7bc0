"""The routes of the server, behind its guard."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.comparison import compare_opened_runs
from engine.evaluation.analysis import open_run
from engine.live.clock import SystemClock
from engine.live.journal.file import journal_path
from engine.reporting import site
from engine.reporting.site import render_problem
from engine.server.account_cone import CONE_WAIT_S, ConeCache
from engine.server.account_pages import AccountPages
from engine.server.guard import RequestGuard
from engine.server.health import describe_health
from engine.server.journal_version import JournalVersion
from engine.server.journal_watch import EVENT_STREAM, JournalWatch
from engine.server.metrics import CONTENT_TYPE, render_metrics
from engine.server.policies import SITE_POLICY, document_policy
from engine.server.run_pages import PageResponse, RunPages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.requests import Request

    from engine.live.clock import Clock
    from engine.server.access import AccessToken, AllowedHosts


@dataclass(frozen=True)
class ServedFolders:
    """What the server reads.

    Attributes:
        home: Folder of the journal of paper accounts.
        reports: Folder of the runs.
    """

    home: Path
    reports: Path


class Application:
    """The server's answers, without a socket: an ASGI application.

    Args:
        folders: What it reads.
        hosts: The Host headers that are answered.
        token: What a request has to carry; None where none is needed.
        clock: Tells how old the bars are.
        cone_wait_s: How long a page waits for the cone of its backtest.
    """

    def __init__(
        self,
        folders: ServedFolders,
        hosts: AllowedHosts,
        token: AccessToken | None = None,
        *,
        clock: Clock | None = None,
        cone_wait_s: float = CONE_WAIT_S,
    ) -> None:
        self._version = JournalVersion(journal_path(folders.home))
        self._accounts = AccountPages(
            folders.home,
            folders.reports,
            clock or SystemClock(),
            self._version,
            ConeCache(cone_wait_s),
        )
        self._watch = JournalWatch(self._accounts.read_version)
        self._runs = RunPages(folders.reports, open_run, compare_opened_runs)
        routes = Starlette(
            routes=[
                Route(site.ACCOUNTS_URL, self._page(lambda _: self._accounts.accounts_page())),
                Route(
                    "/accounts/{name}",
                    self._page(lambda request: self._accounts.account_page(_name(request))),
                ),
                Route(site.RUNS_URL, self._page(lambda request: self._run_page(request))),
                Route(f"{site.RUNS_URL}/{{rest:path}}", self._page(self._run_page)),
                Route(site.EVENTS_URL, self._stream_events),
                Route("/metrics", self._metrics),
                Route("/healthz", self._health),
                _static(site.STYLESHEET_URL, site.render_stylesheet, "text/css"),
                _static(site.PAGE_SCRIPT_URL, site.render_page_script, "text/javascript"),
                _static(site.LIVE_SCRIPT_URL, site.render_live_script, "text/javascript"),
            ],
            lifespan=self._live,
            exception_handlers={404: _not_found},
        )
        self.asgi = RequestGuard(routes, hosts, token)

    def stop(self) -> None:
        """Ends all event streams; call it in the thread of the loop."""
        self._watch.stop()

    @asynccontextmanager
    async def _live(self, _: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch.poll())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._version.close()

    def _page(self, make: Callable[[Request], PageResponse]) -> Callable[[Request], Response]:
        def respond(request: Request) -> Response:
            page = make(request)
            policy = document_policy(page.content) if page.is_self_contained else SITE_POLICY
            return Response(
                page.content,
                page.status,
                {"Content-Security-Policy": policy},
                media_type="text/html",
            )

        return respond

    def _run_page(self, request: Request) -> PageResponse:
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        path = raw.partition(b"?")[0].decode("latin-1")
        return self._runs.respond(f"{path}?{request.scope['query_string'].decode('latin-1')}")

    async def _stream_events(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type=EVENT_STREAM)
        return StreamingResponse(self._watch.stream(), media_type=EVENT_STREAM)

    async def _metrics(self, _: Request) -> Response:
        journal = await run_in_threadpool(self._accounts.read_journal)
        return Response(render_metrics(journal), headers={"Content-Type": CONTENT_TYPE})

    async def _health(self, _: Request) -> Response:
        health = describe_health(await run_in_threadpool(self._accounts.read_journal))
        return JSONResponse(health, 200 if health["healthy"] else 503)


def _name(request: Request) -> str:
    return str(request.path_params["name"])


def _static(url: str, render: Callable[[], str], media_type: str) -> Route:
    content = render()

    def respond(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(url, respond)


async def _not_found(_: Request, error: Exception) -> Response:
    del error
    return Response(render_problem("no such page", area=""), 404, media_type="text/html")
