"""The server on a free port of this machine, in a thread."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.server import LOCAL_ADDRESS, AllowedHosts, Application, Listener, ServedFolders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.live.clock import Clock
    from engine.server import AccessToken


@contextmanager
def serve(
    home: Path,
    reports: Path,
    *,
    token: AccessToken | None = None,
    clock: Clock | None = None,
    port: int = 0,
    cone_wait_s: float = 60.0,
) -> Iterator[str]:
    """Serves two folders; gives the address of the first page."""
    listener = Listener(LOCAL_ADDRESS, port)
    application = Application(
        ServedFolders(home, reports),
        AllowedHosts(LOCAL_ADDRESS, listener.port),
        token,
        clock=clock,
        cone_wait_s=cone_wait_s,
    )
    thread = threading.Thread(target=listener.serve, args=(application.asgi, application.stop))
    thread.start()
    try:
        yield listener.url
    finally:
        listener.stop()
        thread.join(timeout=20)
        listener.close()
    assert not thread.is_alive()
