"""`backtest data pull`: fetch the bars of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.data_context import make_data_context
from engine.cli.errors import handle_errors
from engine.cli.options import DatasetArgument, DebugOption, JsonOption, QuietOption
from engine.cli.progress import stderr_progress
from engine.cli.terminal import pad, padded_width, print_json, print_lines

if TYPE_CHECKING:
    from engine.data import BarInterval
    from engine.data.fetch import SourceFetchReport, SymbolFetchReport

INTERRUPTED_BARS_STORED = (
    "interrupted; the bars received so far are stored, and the same command resumes from there"
)


def data_pull_command(
    context: typer.Context,
    dataset: DatasetArgument,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Request the whole history, and compare it with the cached bars.",
        ),
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Pull a dataset's bars, and report what is new and what was revised.

    The sources are tried in their order until one delivers every symbol. Of cached bars the last
    hundred are requested again, for comparison; of adjusted prices all, once another bar can have
    ended, so that an interrupted pull resumes where it stopped. A difference becomes a new
    vintage; the old one stays.

    Exit codes: 0 every symbol was delivered, 2 the command line or the manifest is wrong, 3 no
    source delivered them all; those that were received are stored.
    """
    with handle_errors(debug=debug, interrupt_message=INTERRUPTED_BARS_STORED):
        from engine.core.errors import DataError
        from engine.data import read_manifest
        from engine.data.fetch import fetch_with_report

        manifest = read_manifest(dataset)
        with stderr_progress(quiet=quiet) as progress:
            progress.stage("data")
            data = make_data_context(context, progress, request="all" if everything else "tail")
            reports = fetch_with_report(manifest, data)
        complete = reports[-1].is_complete
        if json:
            document = {
                "dataset": manifest.dataset.name,
                "delivered": complete,
                "vintage": reports[-1].vintage_id,
                "sources": [_source_document(report) for report in reports],
            }
            print_json(document)
        else:
            print_lines(_render_text(reports, manifest.dataset.interval))
        if not complete:
            raise typer.Exit(DataError.exit_code)


def _render_text(reports: list[SourceFetchReport], interval: BarInterval) -> list[str]:
    lines = []
    for report in reports:
        lines.append(report.source.label)
        width = padded_width(report.symbols)
        for symbol, each in report.symbols.items():
            lines.append(f"  {pad(symbol, width)}  {_describe_symbol(each, interval)}")
            if each.revision:
                lines.append(f"  {'':<{width}}  revised: {each.revision.describe(interval)}")
        if report.vintage_id:
            lines.append(f"  vintage {report.vintage_id}")
    return lines


def _describe_symbol(outcome: SymbolFetchReport, interval: BarInterval) -> str:
    if outcome.error is not None or outcome.bars is None:
        found = (
            f" ({outcome.error.found.splitlines()[0]})"
            if outcome.error and outcome.error.found
            else ""
        )
        return f"failed: {outcome.error.problem if outcome.error else ''}{found}"
    from engine.data import format_bar_count, format_timestamp

    stamps = outcome.bars["timestamp"]
    span = (
        f"{format_timestamp(stamps.iloc[0], interval)} to "
        f"{format_timestamp(stamps.iloc[-1], interval)}"
    )
    parts = [format_bar_count(len(outcome.bars)), span]
    if outcome.vintage is None:
        return ", ".join([*parts, "read in place, not pulled"])
    parts.append(f"{outcome.new_bars:,} new" if outcome.new_bars else "none new")
    return ", ".join(parts)


def _source_document(report: SourceFetchReport) -> dict[str, Any]:
    symbols = {symbol: _symbol_document(each) for symbol, each in report.symbols.items()}
    return {"source": report.source.label, "delivered": report.is_complete, "symbols": symbols}


def _symbol_document(outcome: SymbolFetchReport) -> dict[str, Any]:
    if outcome.error is not None or outcome.bars is None:
        return {"error": str(outcome.error)}
    stamps = outcome.bars["timestamp"]
    return {
        "bars": len(outcome.bars),
        "first": stamps.iloc[0].isoformat(),
        "last": stamps.iloc[-1].isoformat(),
        "new": outcome.new_bars if outcome.vintage else None,
        "vintage": outcome.vintage.id if outcome.vintage else None,
        "revision": outcome.revision.as_json() if outcome.revision else None,
    }
