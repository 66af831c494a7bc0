"""What is answered before any page: hosts, methods, tokens; and the headers of every response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from engine.reporting.index import COMPARE_URL
from engine.server import AccessToken, AllowedHosts, Application, ServedFolders
from tests.reporting.sweep_runs import IDS, make_run, write_run

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    run = write_run(make_run(0), folder)
    page = '<html><script>known()</script><script type="application/json">{}</script></html>'
    (run / "tearsheet.html").write_text(page, encoding="utf-8")
    return folder


def client(reports: Path, token: str | None = None) -> TestClient:
    application = Application(
        ServedFolders(reports / "home", reports),
        AllowedHosts("127.0.0.1", 80),
        AccessToken(token) if token else None,
    )
    return TestClient(application.asgi, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.mark.parametrize("path", ["/", "/runs", "/metrics", "/events", "/static/pages.css"])
def test_a_request_for_another_host_is_refused_everywhere(reports: Path, path: str) -> None:
    answer = client(reports).get(path, headers={"Host": "evil.example"})

    assert answer.status_code == 421
    assert IDS[0] not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_methods_that_change_something_are_refused(reports: Path, method: str) -> None:
    answer = client(reports).request(method, "/runs")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_head_is_answered_without_the_page(reports: Path) -> None:
    answer = client(reports).head("/runs")

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 1_000


def test_head_of_the_event_stream_ends(reports: Path) -> None:
    assert client(reports).head("/events").headers["Content-Type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/runs", 200), (COMPARE_URL, 400), ("/nothing", 404), ("/healthz", 200)],
)
def test_every_response_has_security_headers_and_none_is_kept(
    reports: Path, path: str, status: int
) -> None:
    answer = client(reports).get(path)

    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_pages_of_the_server_allow_nothing_inline_and_load_from_the_server_alone(
    reports: Path,
) -> None:
    for path in ("/", "/runs"):
        answer = client(reports).get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy
        assert " style=" not in answer.text
        assert "<script>" not in answer.text


def test_a_page_of_a_run_runs_its_own_script_by_its_hash(reports: Path) -> None:
    answer = client(reports).get(f"/runs/ridge/{IDS[0]}/tearsheet.html")
    policy = answer.headers["Content-Security-Policy"]

    # printf 'known()' | openssl dgst -sha256 -binary | base64
    assert "script-src 'sha256-Q/AXd3qmS6Qn7Mz/w8j0s+b3PXaM6t3gNKjFiV7qTXU=';" in policy
    assert "connect-src" not in policy
    assert "default-src 'none'" in policy


def test_without_the_token_nothing_is_told(reports: Path) -> None:
    served = client(reports, TOKEN)

    for path in ("/", "/runs", "/events", "/metrics", "/healthz", "/static/pages.css", "/nothing"):
        answer = served.get(path)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert IDS[0] not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong-wrong-wrong-wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer"},
        {"Cookie": f"backtest-access={TOKEN}"},
        {"Cookie": "backtest-access=\x7f"},
        {"Cookie": ";;;="},
    ],
)
def test_a_wrong_token_is_refused(reports: Path, headers: dict[str, str]) -> None:
    assert client(reports, TOKEN).get("/runs", headers=headers).status_code == 401


def test_the_token_is_accepted_as_a_bearer(reports: Path) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}

    assert client(reports, TOKEN).get("/metrics", headers=headers).status_code == 200


def test_a_token_in_the_address_becomes_a_cookie_and_leaves_the_address(reports: Path) -> None:
    served = client(reports, TOKEN)

    answer = served.get(f"/runs/compare?run=a%2Fb&token={TOKEN}&run=c")

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/runs/compare?run=a%2Fb&run=c"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert served.get("/runs").status_code == 200


def test_a_redirect_stays_on_the_server(reports: Path) -> None:
    answer = client(reports, TOKEN).get(f"http://127.0.0.1//evil.example/?token={TOKEN}")

    assert answer.headers["Location"].startswith("/evil.example")


def test_a_wrong_token_in_the_address_sets_no_cookie(reports: Path) -> None:
    answer = client(reports, TOKEN).get("/?token=wrong-wrong-wrong-wrong")

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/../../../etc/passwd",
             "/static/%2e%2e/pages.css", "/accounts/..%2f..%2fetc%2fpasswd", "/runs/..%2f..%2fx"]
)  # fmt: skip
def test_no_path_leads_out(reports: Path, path: str) -> None:
    answer = client(reports).get(path)

    assert answer.status_code == 404
    assert "root:" not in answer.text
