"""`backtest serve`: paper accounts and runs in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption, limit_blas_threads, whole_number
from engine.cli.terminal import print_json, print_lines, print_notice

if TYPE_CHECKING:
    from engine.server import AccessToken

DEFAULT_PORT = 8_642


def serve_command(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on. Any other than 127.0.0.1 needs a token.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=whole_number(min=0, max=65_535),
            help="Port; 0 takes a free one, which is printed.",
        ),
    ] = DEFAULT_PORT,
    token_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Environment variable with the token."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of mode 600 with the token."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A further host name by which browsers reach the server, such as that of a "
            "proxy. Repeatable.",
        ),
    ] = None,
    reports: Annotated[
        Path, typer.Option("--out", "--reports", metavar="DIR", help="Folder of the runs.")
    ] = Path("reports"),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Serve paper accounts and runs to browsers, until Ctrl-C.

    Accounts: last signal, equity against the backtest, decisions, age of the bars, alerts; a page
    changes when the journal in BACKTEST_HOME does. Runs: all below the folder of runs, and their
    comparison. /metrics is for Prometheus, /healthz for whoever watches. Only reads; this machine
    alone can connect unless --host says otherwise.

    Exit codes: 2 the command line is wrong or the port is in use, 130 interrupted.
    """
    with handle_errors(debug=debug, interrupt_message="stopped"):
        limit_blas_threads()
        from engine.core.home import backtest_home
        from engine.server import AllowedHosts, Application, Listener, ServedFolders

        token = _read_token(host, token_env, token_file)
        _check_reports(reports)
        folders = ServedFolders(backtest_home(), reports)
        listener = Listener(host, port)
        try:
            hosts = AllowedHosts(host, listener.port, tuple(allow_host or ()))
            application = Application(folders, hosts, token)
            if as_json:
                print_json(
                    {"url": listener.url, "home": str(folders.home), "reports": str(reports)}
                )
            else:
                print_lines([listener.url])
            print_notice(
                f"serving the accounts in {folders.home} and the runs in {reports} "
                f"{_to_whom(token)}; Ctrl-C stops"
            )
            listener.serve(application.asgi, application.stop)
        finally:
            listener.close()


def _to_whom(token: AccessToken | None) -> str:
    if token is None:
        return "to this machine only"
    return "to everybody who has the token (open the address once with ?token=...)"


def _read_token(host: str, variable: str | None, file: Path | None) -> AccessToken | None:
    import os

    from engine.core.errors import UsageError
    from engine.live.sinks.secret import read_secret
    from engine.server import LOCAL_ADDRESS, AccessToken

    if variable is not None and file is not None:
        raise UsageError(
            "two tokens are named",
            expected="--token-env or --token-file",
            found="both",
            fix="leave one of them out",
        )
    if variable is None and file is None:
        if host == LOCAL_ADDRESS:
            return None
        raise UsageError(
            "an address that other machines can reach needs a token",
            expected=f"--host {LOCAL_ADDRESS}, or a token",
            found=f"--host {host} without a token",
            fix="name the token with --token-env NAME, or with --token-file FILE (mode 600)",
        )
    place = None if file is None else str(file)
    secret = read_secret("the token of the server", variable, place, os.environ)
    return AccessToken(secret.get_secret_value())


def _check_reports(reports: Path) -> None:
    from engine.core.errors import UsageError

    if reports.exists() and not reports.is_dir():
        raise UsageError(
            "the folder of runs is no folder",
            expected="a folder with <strategy>/<run id>/ in it, as `backtest run` writes it",
            found=str(reports),
            fix="name the folder with --out",
        )
