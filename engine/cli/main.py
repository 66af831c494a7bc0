"""The `backtest` command.

Nothing heavy is imported here or at the top of any module of this package but `summary` and
`tables`: the help has to answer at once, so each command imports what it needs when it runs.
"""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Annotated

import typer

from engine.cli import inspection, running
from engine.cli.compare import compare
from engine.cli.data_check import check
from engine.cli.data_diff import diff
from engine.cli.data_export import export
from engine.cli.data_funding import funding
from engine.cli.data_pull import pull
from engine.cli.data_show import show
from engine.cli.explain import explain
from engine.cli.features import features
from engine.cli.fits import fits
from engine.cli.init import init
from engine.cli.ledger import ledger
from engine.cli.replicate import replicate
from engine.cli.reports import report
from engine.cli.selftest import selftest
from engine.imports import collect_rarely

app = typer.Typer(
    name="backtest",
    help="Would these model-driven signals have made money, after costs and beyond luck?",
    epilog="Start with: backtest init my-strategy",
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init)
app.command("run")(running.run)
app.command("check")(inspection.check)
app.command("explain")(explain)
app.command("features")(features)
app.command("report")(report)
app.command("compare")(compare)
app.command("replicate")(replicate)
app.command("schema")(inspection.schema)
app.command("selftest")(selftest)

data = typer.Typer(help="The datasets a strategy can name.", no_args_is_help=True)
data.command("list")(inspection.list_datasets)
data.command("check")(check)
data.command("pull")(pull)
data.command("show")(show)
data.command("diff")(diff)
data.command("export")(export)
data.command("funding")(funding)
app.add_typer(data, name="data")
app.add_typer(fits, name="fits")
app.add_typer(ledger, name="ledger")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"backtest-engine {version('backtest-engine')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and leave.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line; ends the process with the exit codes of `engine.errors`."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without UTF-8 gets question marks, not a crash.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    collect_rarely()
    # Python would look through every object of the libraries for garbage, only to end: 0.8 s.
    atexit.register(gc.freeze)
    app(prog_name="backtest")
