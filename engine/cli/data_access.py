"""How the `data` commands come by bars."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import typer

    from engine.data.access import Access
    from engine.progress import Progress


def access_of(
    context: typer.Context,
    progress: Progress | None = None,
    *,
    ask: Literal["missing", "tail", "all"] | None = None,
) -> Access:
    """Bars from BACKTEST_HOME, or `.backtest` here.

    Args:
        context: Its `obj` may bring other network clients than the usual.
        progress: Told what goes on; nobody if not given.
        ask: What the sources are asked for; without it the network is left alone.
    """
    import pandas as pd

    from engine.data.access import Access
    from engine.data.sources.clients import Clients
    from engine.progress import Silent

    return Access(
        home=Path(os.environ.get("BACKTEST_HOME") or ".backtest"),
        network=ask is not None,
        now=pd.Timestamp.now("UTC"),
        progress=progress or Silent(),
        clients=context.obj or Clients(),
        ask=ask or "missing",
    )
