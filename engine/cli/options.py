"""Arguments and options shared by several commands."""

from __future__ import annotations

import os
from typing import Annotated, TypeAlias

import typer

from engine.cli import completion

StrategiesArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="STRATEGY",
        help="Strategy file, such as strategies/micdl.yaml; several run as one sweep.",
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
        help="Name of a dataset (`backtest data list`), or path of a manifest.",
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
        help="Run a sweep: one run per value, such as --grid signal.enter_bps=5,10,20. "
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
    bool, typer.Option("--offline", help="Use the offline dataset of the strategy; no network.")
]
DebugOption: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show the traceback when something fails.")
]
WorkersOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Number of processes; results do not depend on it. Default: one per core.",
    ),
]
FreshOption: TypeAlias = Annotated[
    bool, typer.Option("--fresh", help="Train everything again, and ignore stored fits.")
]
VintageOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="ID|DATE",
        help="Use the bars as of an earlier pull, from the cache: an id (listed by `backtest "
        "data show` and in the manifest of a run), or a date (UTC).",
    ),
]
TriesElsewhereOption: TypeAlias = Annotated[
    str | None,  # so that a value that is no number has an error in four parts
    typer.Option(
        metavar="N",
        help="Tries that the trial ledger cannot know, made with another tool or in another "
        "BACKTEST_HOME; instead of trials.elsewhere of the strategy.",
    ),
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON value on stdout, and nothing else.")
]
QuietOption: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print no progress; notices stay.")
]


def limit_blas_threads() -> None:
    """Limits NumPy to one BLAS thread; call it before NumPy is imported.

    The matrices are small here: a second thread makes nothing faster, and spins on a core that
    other processes need.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
