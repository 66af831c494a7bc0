"""`backtest placebo`: a strategy on surrogates of its market."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import (
    DataOption,
    DebugOption,
    JsonOption,
    OfflineOption,
    OverridesOption,
    QuietOption,
    StrategyArgument,
    VintageOption,
    WorkersOption,
    limit_blas_threads,
    whole_number,
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_json, print_text
from engine.cli.text_table import prose_width

if TYPE_CHECKING:
    from engine.placebo import PlaceboResult

INTERRUPTED_MARKETS_KEPT = (
    "finished surrogate markets and fits are kept; the same command goes on from there"
)


def placebo_command(
    strategy: StrategyArgument,
    markets: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=whole_number(min=1),
            help="Number of surrogate markets, 19 or more; the lowest p-value is 1 / (N + 1).",
        ),
    ] = 50,
    surrogates: Annotated[
        Literal["signs", "blocks", "shifts"],
        typer.Option(
            help="What they lose: the direction of every move (signs), the order of blocks of "
            "bars (blocks), or that features are of their time (shifts)."
        ),
    ] = "signs",
    data: DataOption = None,
    set_: OverridesOption = None,
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder of the run on the real bars, and of DIR/placebo/<strategy>/<run id>/.",
        ),
    ] = Path("reports"),
    workers: WorkersOption = None,
    offline: OfflineOption = False,
    vintage: VintageOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Run a strategy on markets without what it claims to know.

    First the run on the real bars, as `backtest run` makes it: one look. Then the whole path, with
    all windows, seeds and tuning, on surrogates of the market, which are no looks. The share of
    them with as high a Sharpe ratio is the p-value of the procedure. It trains as much as N runs.

    An interrupted command goes on where it stopped, and more markets include fewer. Exit codes: as
    of `backtest run`.
    """
    with handle_errors(debug=debug, interrupt_message=INTERRUPTED_MARKETS_KEPT):
        limit_blas_threads()
        from engine.config import parse_overrides
        from engine.placebo import run_placebo
        from engine.strategy import load_strategy

        overrides = parse_overrides(set_ or ())
        with stderr_progress(quiet=quiet) as progress:
            result = run_placebo(
                load_strategy(Path(strategy), overrides, progress.notice),
                surrogates,
                markets,
                data=data,
                offline=offline,
                vintage=vintage,
                out=out,
                workers=workers,
                progress=progress,
                command=shlex.join(["backtest", *sys.argv[1:]]),
            )
        page = _write(result, out)
        if json:
            print_json({"placebo": result.document.as_dict(), "page": str(page)})
        else:
            from engine.cli.placebo_summary import render_placebo_text

            print_text(render_placebo_text(result.document, page, prose_width()))


def _write(result: PlaceboResult, out: Path) -> Path:
    """Writes `placebo.json` and its page."""
    from engine.core.storage import translate_disk_faults, write_file
    from engine.core.writable import OutputPlace
    from engine.placebo.placebo import PLACEBO_FOLDER
    from engine.reporting.placebo_page import PLACEBO_FILE, write_placebo_page

    document = result.document
    parent = out / PLACEBO_FOLDER / document.strategy / document.run_id
    folder = parent / f"{document.kind}-{document.markets}"
    place = OutputPlace("the page", "name another folder with --out")
    place.require_folder(folder, PLACEBO_FILE, "placebo.json")
    with translate_disk_faults("the page cannot be written", folder, place.otherwise):
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder / "placebo.json", document.to_json())
        return write_placebo_page(document, folder)
