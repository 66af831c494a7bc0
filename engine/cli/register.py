"""`backtest register`: writes what is expected of a strategy into the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DataOption, DebugOption, JsonOption, OverridesOption
from engine.cli.terminal import print_json, print_lines, print_notice


def register_command(
    strategy: Annotated[Path, typer.Argument(metavar="STRATEGY", help="A strategy file.")],
    expect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            help="What is expected: FIGURE OP NUMBER, such as 'sharpe > 0.5' or "
            "'sharpe - buy_and_hold > 0'. May be repeated.",
        ),
    ] = None,
    data: DataOption = None,
    set_: OverridesOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write what is expected of a strategy into the ledger.

    Before it is run, that is: settings, dataset, benchmarks and rules become a row of the ledger's
    chain of hashes. The significance page of every run of this idea then says whether it was
    registered before or after the first run, and what was met. Figures are those of metrics.json;
    those in percent may be written without _pct.
    """
    with handle_errors(debug=debug):
        from dataclasses import asdict

        from engine.backtest.register import register
        from engine.config import parse_overrides

        made = register(
            strategy,
            expect or [],
            overrides=parse_overrides(set_ or ()),
            data=data,
            notify=print_notice,
        )
        if json:
            print_json(asdict(made))
            return
        before = (
            "before the first run of this idea"
            if made.runs_before == 0
            else f"after {made.runs_before:,} of the runs of this idea, whose results may be known"
        )
        print_lines(
            [
                f"registered {before}: {', '.join(made.content['expectations'])}",
                f"hash  {made.hash}",
            ]
        )
