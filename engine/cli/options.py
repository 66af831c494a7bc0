"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from typing import Annotated, TypeAlias

import typer

from engine.cli import completion

StrategiesArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="STRATEGY",
        help="Strategy file, such as strategies/micdl.yaml; several run as one family.",
        autocompletion=completion.complete_strategies,
    ),
]
StrategyArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="STRATEGY",
        help="Strategy file, such as strategies/micdl.yaml.",
        autocompletion=completion.complete_strategies,
    ),
]
DatasetArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="A name as `backtest data list` shows it, or a manifest's path.",
        autocompletion=completion.complete_datasets,
    ),
]
OverridesOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Replace one value of the strategy, such as windows.train=3y or "
        "benchmarks.0.fast=10. Repeatable.",
        autocompletion=completion.complete_overrides,
    ),
]
GridOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--grid",
        metavar="PATH=VALUE,VALUE",
        help="Run once with each value, as one family, such as --grid signal.enter_bps=5,10,20. "
        "Repeatable: every combination runs.",
        autocompletion=completion.complete_overrides,
    ),
]
DataOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|PATH",
        help="Dataset to use instead of the strategy's: a name in datasets/, or a manifest.",
        autocompletion=completion.complete_datasets,
    ),
]
OfflineOption: TypeAlias = Annotated[
    bool, typer.Option("--offline", help="Use the strategy's offline dataset; no network.")
]
DebugOption: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show the traceback when something fails.")
]
WorkersOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Processes to work in; results do not depend on it. Default: one a core.",
    ),
]
FreshOption: TypeAlias = Annotated[
    bool, typer.Option("--fresh", help="Train everything anew, whatever is stored.")
]
VintageOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="ID|DATE",
        help="Use the bars as they were once pulled, from the cache alone: an id as `backtest "
        "data show` lists it and a run's manifest names it, or a date (UTC).",
    ),
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON value on stdout, and nothing else.")
]
QuietOption: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress; notices stay.")
]


def limit_blas_threads() -> None:
    """Keeps NumPy to one thread; it reads this when it is loaded.

    Its matrices are small here: a second thread makes nothing faster, and waits for the first by
    spinning on a core that others need.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
