"""`backtest selftest`."""

from __future__ import annotations

import json as json_text
import shutil
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import EXIT_UNEXPECTED, handle_errors
from engine.cli.options import (
    DebugOption,
    JsonOption,
    QuietOption,
    WorkersOption,
    limit_blas_threads,
)
from engine.cli.progress import stderr_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.selftest import SelfTestResult

MAX_WIDTH = 120
HEADINGS = ("Check", "Planted", "Expected", "Found")
COLUMN_SHARES = (15, 18, 18, 17)
"""Of the width that the columns under those headings have to themselves."""

COLUMN_GAP = "  "
VERDICT_WIDTH = 4
NO_BREAK = "\N{NO-BREAK SPACE}"


def selftest_command(
    context: typer.Context,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Draws other markets with the same truths.")
    ] = 0,
    workers: WorkersOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Test the engine on markets whose truth is known.

    Plants edges, noise and leaks in generated markets, and sees whether the engine finds what is
    there and nothing else. Needs no data and no network; takes about a minute on two cores.

    Exit codes: 0 every check passed, 1 one failed, 130 interrupted.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        with stderr_progress(quiet=quiet) as progress:
            done = (context.obj or _default_selftest())(
                seed=seed, workers=workers, progress=progress
            )
        typer.echo(
            json_text.dumps(done.as_json(), indent=2) if json else render_selftest_text(done)
        )
        if not done.passed:
            failed = [row.name for row in done.rows if not row.passed]
            typer.echo(f"self-test failed: {'; '.join(failed)}", err=True)
            raise typer.Exit(EXIT_UNEXPECTED)


def render_selftest_text(result: SelfTestResult, width: int | None = None) -> str:
    """The table, and what it means in one sentence.

    Args:
        result: All checks.
        width: Columns to fit into; the terminal's where it is not given.
    """
    width = min(width or shutil.get_terminal_size().columns, MAX_WIDTH)
    room = width - VERDICT_WIDTH - len(COLUMN_GAP) * len(HEADINGS)
    widths = [VERDICT_WIDTH, *(room * share // sum(COLUMN_SHARES) for share in COLUMN_SHARES)]
    rule = "-" * (sum(widths) + len(COLUMN_GAP) * len(HEADINGS))
    blocks = [
        _format_row(
            ("pass" if row.passed else "FAIL", row.name, row.planted, row.expected, row.found),
            widths,
        )
        for row in result.rows
    ]
    head = _format_row(("", *HEADINGS), widths)
    sentence = textwrap.fill(_conclusion(result), width, break_long_words=False)
    return "\n".join([head, rule, "\n\n".join(blocks), rule, sentence])


def _format_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The cells side by side, each over as many lines as it needs."""
    columns = [
        textwrap.wrap(cell.replace(" %", f"{NO_BREAK}%"), width, break_on_hyphens=False) or [""]
        for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(map(len, columns))
    lines = zip(*(column + [""] * (height - len(column)) for column in columns), strict=True)
    padded = (COLUMN_GAP.join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "\n".join(padded).replace(NO_BREAK, " ")


def _conclusion(result: SelfTestResult) -> str:
    counted = f"{result.markets} generated markets, seed {result.seed}, {result.seconds:.0f} s"
    failed = sum(not row.passed for row in result.rows)
    if failed:
        return (
            f"{failed} of {len(result.rows)} checks failed ({counted}): this engine does not find "
            "what was planted, or finds what was not; do not trust its verdicts on this machine."
        )
    return (
        f"All {len(result.rows)} checks passed ({counted}): the engine finds an edge that is "
        f"there, "
        "takes luck for luck, and cannot profit from the past."
    )


def _default_selftest() -> Callable[..., SelfTestResult]:
    """What runs them, unless the caller of the command line brought another."""
    from engine.selftest import run_selftest as execute

    return execute
