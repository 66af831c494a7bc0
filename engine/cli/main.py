"""The `backtest` command.

Nothing heavy is imported here or at the top of any module of this package but the `*_summary`
modules and `ledger_export`: the help must appear at once, so each command imports what it needs
when it runs.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from engine.cli import run
from engine.cli.audit import audit_app
from engine.cli.check import check_command
from engine.cli.compare import compare_command
from engine.cli.data_check import data_check_command
from engine.cli.data_diff import data_diff_command
from engine.cli.data_export import data_export_command
from engine.cli.data_funding import data_funding_command
from engine.cli.data_init import data_init_command
from engine.cli.data_list import data_list_command
from engine.cli.data_pull import data_pull_command
from engine.cli.data_show import data_show_command
from engine.cli.explain import explain_command
from engine.cli.features import features_command
from engine.cli.fits import fits_app
from engine.cli.init import init_command
from engine.cli.leaktest import leaktest_command
from engine.cli.ledger import ledger_app
from engine.cli.ledger_chain import ledger_merge_command, ledger_verify_command
from engine.cli.paper import paper_app
from engine.cli.placebo import placebo_command
from engine.cli.register import register_command
from engine.cli.replicate import replicate_command
from engine.cli.report import report_command
from engine.cli.schema import schema_command
from engine.cli.selftest import selftest_command
from engine.cli.serve import serve_command
from engine.cli.sign import sign_command
from engine.cli.signal import signal_command
from engine.cli.terminal import escape_warnings, print_lines, print_notice
from engine.cli.unseal import unseal_command
from engine.cli.verify import verify_command
from engine.core.lazy_imports import relax_gc

_ClickException: Any = typer.BadParameter.__mro__[2]
"""Base of all errors about arguments; click's, which newer versions of typer hold a copy of."""


class BacktestGroup(TyperGroup):
    """The command, whose errors about arguments and options are printed with escapes too."""

    def main(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as typer has it
        """Runs the command line; ends the process unless `standalone_mode` is off."""
        standalone = options.get("standalone_mode", True)
        options["standalone_mode"] = False
        try:
            code = super().main(*args, **options)
            if not standalone:
                return code
        except typer.Abort:
            if not standalone:
                raise
            print_notice("Aborted!")
            code = 1
        except _ClickException as error:
            if not standalone:
                raise
            text = io.StringIO()
            error.show(text)
            print_notice(text.getvalue(), nl=False)
            code = error.exit_code
        sys.exit(code)


app = typer.Typer(
    name="backtest",
    cls=BacktestGroup,
    help="Would these model-driven signals have made money, after costs and beyond luck?",
    epilog="Start with: backtest init my-strategy",
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init_command)
app.command("run")(run.run_command)
app.command("signal")(signal_command)
app.command("check")(check_command)
app.command("explain")(explain_command)
app.command("features")(features_command)
app.command("report")(report_command)
app.command("register")(register_command)
app.command("unseal")(unseal_command)
app.command("verify")(verify_command)
app.command("sign")(sign_command)
app.command("serve")(serve_command)
app.command("compare")(compare_command)
app.command("placebo")(placebo_command)
app.command("replicate")(replicate_command)
app.command("schema")(schema_command)
app.command("selftest")(selftest_command)
app.command("leaktest")(leaktest_command)

data_app = typer.Typer(
    help="Datasets: write, list, pull, check, show, compare, export.", no_args_is_help=True
)
data_app.command("init")(data_init_command)
data_app.command("list")(data_list_command)
data_app.command("check")(data_check_command)
data_app.command("pull")(data_pull_command)
data_app.command("show")(data_show_command)
data_app.command("diff")(data_diff_command)
data_app.command("export")(data_export_command)
data_app.command("funding")(data_funding_command)
app.add_typer(data_app, name="data")
app.add_typer(fits_app, name="fits")
ledger_app.command("verify")(ledger_verify_command)
ledger_app.command("merge")(ledger_merge_command)
app.add_typer(ledger_app, name="ledger")
app.add_typer(paper_app, name="paper")
app.add_typer(audit_app, name="audit")


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        print_lines([f"backtest-engine {version('backtest-engine')}"])
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line; ends the process with the exit codes of `engine.core.errors`."""
    # Python has no stream where the shell closed it (`>&-`).
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        # A terminal without UTF-8 shows question marks instead of a crash.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper
    escape_warnings()
    relax_gc()
    # At exit Python would search all objects of the libraries for garbage: 0.8 s.
    atexit.register(gc.freeze)
    app(prog_name="backtest")
