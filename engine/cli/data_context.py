"""How the `data` commands fetch bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.core.home import backtest_home, prepare_home

if TYPE_CHECKING:
    import typer

    from engine.core.progress import Progress
    from engine.data import DataContext


def make_data_context(
    context: typer.Context,
    progress: Progress | None = None,
    *,
    request: Literal["missing", "tail", "all"] | None = None,
) -> DataContext:
    """A context with the cache of `backtest_home`.

    Args:
        context: Its `obj` can hold other client settings than the default.
        progress: Gets progress and notices.
        request: What is requested from the sources; without it the network is not used.

    Raises:
        StorageError: Bars are requested, and the home cannot be written.
    """
    import pandas as pd

    from engine.core.progress import NullProgress
    from engine.data import DataContext
    from engine.data.sources.client_settings import ClientSettings

    home = backtest_home()
    if request is not None:
        prepare_home(home)
    return DataContext(
        home=home,
        network=request is not None,
        now=pd.Timestamp.now("UTC"),
        progress=progress or NullProgress(),
        clients=context.obj or ClientSettings(),
        fetch_mode=request or "missing",
    )
