"""`backtest selftest`: checks the engine on generated markets with a known answer."""

from __future__ import annotations

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
    whole_number,
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_json, print_notice, print_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.selftest import SelfTestResult

MAX_WIDTH = 120
HEADINGS = ("Check", "Simulated", "Expected", "Result")
COLUMN_SHARES = (15, 18, 18, 17)
"""Shares of the available width, one per heading."""

COLUMN_GAP = "  "
VERDICT_WIDTH = 4
NO_BREAK = "\N{NO-BREAK SPACE}"


def selftest_command(
    context: typer.Context,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", parser=whole_number(min=0), help="Seed of the generated markets."
        ),
    ] = 0,
    workers: WorkersOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Test the engine on generated markets with a known answer.

    Generates markets with an edge, with noise alone and with look-ahead, and checks that the
    engine detects what is there and nothing else. Needs no data and no network; takes about a
    minute on two cores.

    Exit codes: 0 every check passed, 1 one failed, 130 interrupted.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        with stderr_progress(quiet=quiet) as progress:
            result = (context.obj or _default_selftest())(
                seed=seed, workers=workers, progress=progress
            )
        if json:
            print_json(result.as_json())
        else:
            print_text(render_selftest_text(result))
        if not result.passed:
            failed = [row.name for row in result.rows if not row.passed]
            print_notice(f"self-test failed: {'; '.join(failed)}")
            raise typer.Exit(EXIT_UNEXPECTED)


def render_selftest_text(result: SelfTestResult, width: int | None = None) -> str:
    """The table of the checks, and the conclusion in one sentence.

    Not a `rich.table`: it breaks lines at no-break spaces too, between a number and its unit.

    Args:
        result: All checks.
        width: Width of the text; that of the terminal where it is None.
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
    """One row, each cell wrapped over as many lines as it needs."""
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
            f"{failed} of {len(result.rows)} checks failed ({counted}): the engine misses an edge "
            "that exists, or reports one that does not; do not trust its verdicts on this machine."
        )
    return (
        f"All {len(result.rows)} checks passed ({counted}): the engine detects an edge that "
        "exists, reports none in noise, and detects look-ahead."
    )


def _default_selftest() -> Callable[..., SelfTestResult]:
    """The default runner of the checks; `context.obj` replaces it in tests."""
    from engine.selftest import run_selftest

    return run_selftest
