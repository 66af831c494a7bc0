"""Arguments and options shared by several commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from engine.cli import completion
from engine.core.blas_threads import THREADS_VARIABLE
from engine.core.numbers import parse_number, parse_whole_number

if TYPE_CHECKING:
    from collections.abc import Callable


def whole_number(*, min: int, max: int | None = None) -> Callable[[object], int]:
    """The parser of an option that takes a whole number, by the rule of `engine.core.numbers`.

    Args:
        min: The least value.
        max: The greatest value; None for any.
    """
    allowed = f"greater than or equal to {min}" if max is None else f"from {min} to {max}"

    def parse(text: object) -> int:
        try:
            number = parse_whole_number(str(text))
        except ValueError:
            raise typer.BadParameter(
                f"'{text}' is not a whole number in the digits 0 to 9."
            ) from None
        if number < min or (max is not None and number > max):
            raise typer.BadParameter(f"{number} is not {allowed}.")
        return number

    return parse


def number(text: object) -> float:
    """The parser of an option that takes a number, by the rule of `engine.core.numbers`."""
    try:
        return parse_number(str(text))
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a number in the digits 0 to 9.") from None


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
        parser=whole_number(min=1),
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
AccountArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the account (`backtest paper status`).")
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
    os.environ.setdefault(THREADS_VARIABLE, "1")
