"""`backtest selftest`."""

from __future__ import annotations

import json as json_text
import shutil
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.failures import EXIT_UNEXPECTED, exit_codes
from engine.cli.options import Debug, Json, Quiet, Workers, one_thread_a_process
from engine.cli.progress import told_on_stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.selftest.run import SelfTest

WIDEST = 120
HEADINGS = ("Check", "Planted", "Expected", "Found")
SHARES = (15, 18, 18, 17)
"""Of the width that the columns under those headings have to themselves."""

GAP = "  "
VERDICT_WIDTH = 4
NO_BREAK = "\N{NO-BREAK SPACE}"


def selftest(
    context: typer.Context,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Draws other markets with the same truths.")
    ] = 0,
    workers: Workers = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Test the engine on markets whose truth is known.

    Plants edges, noise and leaks in generated markets, and sees whether the engine finds what is
    there and nothing else. Needs no data and no network; takes about a minute on two cores.

    Exit codes: 0 every check passed, 1 one failed, 130 interrupted.
    """
    with exit_codes(debug=debug):
        one_thread_a_process()
        with told_on_stderr(quiet=quiet) as progress:
            done = (context.obj or _checks())(seed=seed, workers=workers, progress=progress)
        typer.echo(json_text.dumps(done.document(), indent=2) if json else as_text(done))
        if not done.passed:
            failed = [row.name for row in done.rows if not row.passed]
            typer.echo(f"self-test failed: {'; '.join(failed)}", err=True)
            raise typer.Exit(EXIT_UNEXPECTED)


def as_text(done: SelfTest, width: int | None = None) -> str:
    """The table, and what it means in one sentence.

    Args:
        done: All checks.
        width: Columns to fit into; the terminal's where it is not given.
    """
    width = min(width or shutil.get_terminal_size().columns, WIDEST)
    room = width - VERDICT_WIDTH - len(GAP) * len(HEADINGS)
    widths = [VERDICT_WIDTH, *(room * share // sum(SHARES) for share in SHARES)]
    rule = "-" * (sum(widths) + len(GAP) * len(HEADINGS))
    blocks = [
        _block(
            ("pass" if row.passed else "FAIL", row.name, row.planted, row.expected, row.found),
            widths,
        )
        for row in done.rows
    ]
    head = _block(("", *HEADINGS), widths)
    sentence = textwrap.fill(_sentence(done), width, break_long_words=False)
    return "\n".join([head, rule, "\n\n".join(blocks), rule, sentence])


def _block(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The cells side by side, each over as many lines as it needs."""
    columns = [
        textwrap.wrap(cell.replace(" %", f"{NO_BREAK}%"), width, break_on_hyphens=False) or [""]
        for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(map(len, columns))
    lines = zip(*(column + [""] * (height - len(column)) for column in columns), strict=True)
    padded = (GAP.join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "\n".join(padded).replace(NO_BREAK, " ")


def _sentence(done: SelfTest) -> str:
    counted = f"{done.markets} generated markets, seed {done.seed}, {done.seconds:.0f} s"
    failed = sum(not row.passed for row in done.rows)
    if failed:
        return (
            f"{failed} of {len(done.rows)} checks failed ({counted}): this engine does not find "
            "what was planted, or finds what was not; do not trust its verdicts on this machine."
        )
    return (
        f"All {len(done.rows)} checks passed ({counted}): the engine finds an edge that is there, "
        "takes luck for luck, and cannot profit from the past."
    )


def _checks() -> Callable[..., SelfTest]:
    """What runs them, unless the caller of the command line brought another."""
    from engine.selftest.run import selftest as execute

    return execute
