"""How the `data` commands come by bars."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import typer

    from engine.core.progress import Progress
    from engine.data.context import DataContext


def make_data_context(
    context: typer.Context,
    progress: Progress | None = None,
    *,
    request: Literal["missing", "tail", "all"] | None = None,
) -> DataContext:
    """Bars from BACKTEST_HOME, or `.backtest` here.

    Args:
        context: Its `obj` may bring other network clients than the usual.
        progress: Told what goes on; nobody if not given.
        request: What the sources are asked for; without it the network is left alone.
    """
    import pandas as pd

    from engine.core.progress import NullProgress
    from engine.data.context import DataContext
    from engine.data.sources.client_settings import ClientSettings

    return DataContext(
        home=Path(os.environ.get("BACKTEST_HOME") or ".backtest"),
        network=request is not None,
        now=pd.Timestamp.now("UTC"),
        progress=progress or NullProgress(),
        clients=context.obj or ClientSettings(),
        fetch_mode=request or "missing",
    )
