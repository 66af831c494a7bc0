"""The guard before every route: host, method and token; security headers on every response."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from engine.server.access import COOKIE_NAME
from engine.server.policies import SECURITY_HEADERS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from engine.server.access import AccessToken, AllowedHosts

TOKEN_PARAMETER = "token"
COOKIE_MAX_AGE_S = 30 * 86_400

METHODS = ("GET", "HEAD")


class RequestGuard:
    """Answers itself what must not reach the application, which only reads.

    Args:
        application: What answers all other requests.
        hosts: The Host headers that are answered; others get 421.
        token: What a request has to carry, as a Bearer header, as a cookie, or once as the query
            `?token=`, which sets the cookie and redirects to the address without it; else 401.
            None where none is needed.
    """

    def __init__(
        self, application: ASGIApp, hosts: AllowedHosts, token: AccessToken | None = None
    ) -> None:
        self._application = application
        self._hosts = hosts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no WebSocket is accepted

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        response = self._refusal(scope) or self._application
        await response(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """The response to a request that does not reach the application, if it does not."""
        headers = Headers(scope=scope)
        if not self._hosts.accept(headers.get("host", "")):
            return PlainTextResponse("not for this host\n", 421)
        if scope["method"] not in METHODS:
            return PlainTextResponse("only GET\n", 405, {"Allow": ", ".join(METHODS)})
        if self._token is None:
            return None
        return self._check_token(self._token, headers, scope)

    def _check_token(self, token: AccessToken, headers: Headers, scope: Scope) -> Response | None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == TOKEN_PARAMETER]
        if given and token.matches(given[0]):
            rest = urlencode([pair for pair in query if pair[0] != TOKEN_PARAMETER])
            response = RedirectResponse(_own_path(scope) + (f"?{rest}" if rest else ""), 303)
            response.set_cookie(
                COOKIE_NAME,
                token.cookie_value,
                max_age=COOKIE_MAX_AGE_S,
                httponly=True,
                samesite="strict",
                secure=scope["scheme"] == "https",
            )
            return response
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.matches(credentials.strip()):
            return None
        if token.matches_cookie(_read_cookie(headers.get("cookie", ""))):
            return None
        return PlainTextResponse(
            "a token is needed: open this address once with ?token=..., or send "
            "Authorization: Bearer ...\n",
            401,
            {"WWW-Authenticate": "Bearer"},
        )


def _own_path(scope: Scope) -> str:
    """The path of the request; it cannot lead to another server, as `//name` would."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return "/" + raw.partition(b"?")[0].decode("latin-1").lstrip("/\\")


def _read_cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE_NAME)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
