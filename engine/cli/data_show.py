"""`backtest data show`: coverage, gaps and vintages of a dataset."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from engine.cli.data_context import make_data_context
from engine.cli.errors import handle_errors
from engine.cli.options import DatasetArgument, DebugOption, JsonOption
from engine.cli.progress import QuietProgress
from engine.cli.terminal import pad, padded_width, print_json, print_lines
from engine.cli.text_table import prose_width

if TYPE_CHECKING:
    import pandas as pd

    from engine.data import BarInterval, DatasetManifest
    from engine.data.store import DatasetVintage, SourceInventory, SymbolInventory, Vintage

MIN_FULL_WIDTH = 64
"""Columns of a terminal below which dates and vintages are shown by --json alone."""
_MAX_GAPS, _MAX_VINTAGES = 3, 10
# Share of the expected bars: all, nine of ten, half, any.
_COVERAGE_GLYPHS = ((1.0, "█#"), (0.9, "▓+"), (0.5, "▒="), (0.0, "░-"))
_MISSING_GLYPHS = "·."


def data_show_command(
    context: typer.Context,
    dataset: DatasetArgument,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Draw the available bars of a dataset.

    Where they begin, end and have gaps, and the dataset's vintages.

    Uses no network: the bars are those that were pulled, or are in files.

    A line a symbol: a block is full where all bars are available that the dataset's calendar
    expects in its time, lighter the more are missing, and a dot where there are none.
    """
    with handle_errors(debug=debug):
        from engine.data import read_manifest
        from engine.data.store import list_inventory

        manifest = read_manifest(dataset)
        inventory = list_inventory(manifest, make_data_context(context, QuietProgress(sys.stderr)))
        if json:
            print_json(_inventory_document(manifest, inventory))
        else:
            print_lines(_render_text(manifest, inventory))


def _render_text(manifest: DatasetManifest, inventory: list[SourceInventory]) -> list[str]:
    dataset = manifest.dataset
    span = f"{dataset.start or 'the first bar'} to {dataset.end or 'now'}"
    lines = [f"{dataset.name}: {dataset.interval} bars, calendar {dataset.calendar}, {span}"]
    lines += [f"  {symbol}: calendar {own}" for symbol, own in dataset.calendars.items()]
    for source in inventory:
        lines += ["", *_format_source(source, manifest)]
    return lines


def _format_source(source: SourceInventory, manifest: DatasetManifest) -> list[str]:
    dataset = manifest.dataset
    if source.problem:
        return [f"{source.label}: {source.problem}"]
    if not source.symbols:
        command = f"backtest data pull {manifest.reference}"
        return [f"{source.label}: nothing pulled yet; `{command}` does it"]
    pulled = f", pulled {source.fetched_at:%Y-%m-%d %H:%M} UTC" if source.fetched_at else ""
    lines = [f"{source.label}{pulled}", *_format_coverage(source)]
    missing = [symbol for symbol in dataset.symbols if symbol not in source.symbols]
    if missing:
        lines.append(f"  no bars: {', '.join(missing)}")
    for symbol, inventory in source.symbols.items():
        lines += _format_gaps(symbol, inventory, dataset.interval)
    return lines + _format_vintages(source.vintages)


def _format_coverage(source: SourceInventory) -> list[str]:
    from engine.data.store import divide_time_span

    name_width = padded_width(source.symbols)
    width = prose_width()
    # After the strip: first, last, bars and vintages; in a narrow terminal the bars alone.
    is_wide = width >= MIN_FULL_WIDTH
    header = f" {'first':<10} {'last':<10} {'bars':>9} {'vint':>4}" if is_wide else f" {'bars':>9}"
    strip_width = max(12, width - 2 - name_width - 1 - len(header))
    edges = divide_time_span(source, strip_width)
    lines = [f"{' ' * (name_width + 3)}{_time_axis(edges):<{strip_width}}{header}"]
    for symbol, inventory in source.symbols.items():
        stamps = inventory.bars["timestamp"]
        bars = f"{len(inventory.bars):>9,}"
        span = f"{stamps.iloc[0]:%Y-%m-%d} {stamps.iloc[-1]:%Y-%m-%d}"
        figures = f"{span} {bars} {inventory.vintage_count or '-':>4}" if is_wide else bars
        strip = _coverage_strip(inventory, edges)
        lines.append(f"  {pad(symbol, name_width)} {strip:<{strip_width}} {figures}")
    return lines


def _coverage_strip(inventory: SymbolInventory, edges: pd.DatetimeIndex) -> str:
    from engine.data.store import compute_symbol_coverage

    ascii_only = int("utf" not in (sys.stdout.encoding or "").lower())
    blocks = []
    for expected, share in compute_symbol_coverage(inventory, edges):
        if not expected:
            blocks.append(" ")
        elif share == 0.0:
            blocks.append(_MISSING_GLYPHS[ascii_only])
        else:
            blocks.append(
                next(glyphs[ascii_only] for least, glyphs in _COVERAGE_GLYPHS if share >= least)
            )
    return "".join(blocks)


def _time_axis(edges: pd.DatetimeIndex) -> str:
    """Years, or months in a span of under two years, each above the block in which it begins."""
    years = edges[-1].year - edges[0].year
    date_format = "%Y" if years >= 2 else "%Y-%m"
    text, previous = "", ""
    for column, edge in enumerate(edges[:-1]):
        label = f"{edge:{date_format}}"
        begins = label != previous
        previous = label
        if begins and (column >= len(text) + 1 or not text) and column + len(label) < len(edges):
            text = f"{text:<{column}}{label}"
    return text


def _format_gaps(symbol: str, inventory: SymbolInventory, interval: BarInterval) -> list[str]:
    from engine.data import format_bar_count, format_timestamp

    if not inventory.gaps:
        return []
    longest = sorted(inventory.gaps, key=lambda gap: gap.bars, reverse=True)[:_MAX_GAPS]
    spans = []
    for gap in sorted(longest, key=lambda gap: gap.first):
        first, last = format_timestamp(gap.first, interval), format_timestamp(gap.last, interval)
        spans.append(first if gap.bars == 1 else f"{first} to {last}")
    missing = format_bar_count(sum(gap.bars for gap in inventory.gaps))
    rest = len(inventory.gaps) - len(spans)
    more = f", and {rest} more" if rest else ""
    head = f"  {symbol}: {missing} missing{', the longest gaps' if rest else ''}:"
    return [head, *(f"    {each}" for each in spans[:-1]), f"    {spans[-1]}{more}"]


def _format_vintages(vintages: list[DatasetVintage]) -> list[str]:
    if not vintages:
        return []
    lines = ["  vintages, the newest first:"]
    for dataset_vintage in vintages[: -_MAX_VINTAGES - 1 : -1]:
        changes = [
            f"{symbol} {_describe_change(dataset_vintage.vintages[symbol])}"
            for symbol in dataset_vintage.updated_symbols
        ]
        shown = "; ".join(changes[:3])
        more = f"; {len(changes) - 3} more" if len(changes) > 3 else ""
        stamp = f"{dataset_vintage.fetched_at:%Y-%m-%d %H:%M}"
        lines.append(f"    {dataset_vintage.id}  {stamp}  {shown}{more}")
    if len(vintages) > _MAX_VINTAGES:
        lines.append(f"    and {len(vintages) - _MAX_VINTAGES} older; --json lists all")
    return lines


def _describe_change(vintage: Vintage) -> str:
    parts = [f"+{vintage.extended_by:,}"] if vintage.extended_by else []
    revision = vintage.revision
    if revision and revision.adjustment_factor:
        parts.append(f"x {revision.adjustment_factor:.5g}")
    elif revision:
        parts.append(f"{revision.changed + revision.added + revision.removed:,} revised")
    return ", ".join(parts)


def _inventory_document(
    manifest: DatasetManifest, inventory: list[SourceInventory]
) -> dict[str, Any]:
    return {
        "dataset": manifest.dataset.name,
        "interval": manifest.dataset.interval,
        "calendar": manifest.dataset.calendar,
        "sources": [
            {
                "source": source.label,
                "problem": source.problem or None,
                "pulled": source.fetched_at.isoformat() if source.fetched_at else None,
                "symbols": {
                    symbol: _symbol_document(each) for symbol, each in source.symbols.items()
                },
                "vintages": [_vintage_document(vintage) for vintage in source.vintages],
            }
            for source in inventory
        ],
    }


def _symbol_document(inventory: SymbolInventory) -> dict[str, Any]:
    stamps = inventory.bars["timestamp"]
    return {
        "first": stamps.iloc[0].isoformat(),
        "last": stamps.iloc[-1].isoformat(),
        "bars": len(inventory.bars),
        "expected": len(inventory.expected),
        "vintages": inventory.vintage_count,
        "gaps": [
            {"first": gap.first.isoformat(), "last": gap.last.isoformat(), "bars": gap.bars}
            for gap in inventory.gaps
        ],
    }


def _vintage_document(dataset_vintage: DatasetVintage) -> dict[str, Any]:
    return {
        "id": dataset_vintage.id,
        "pulled": dataset_vintage.fetched_at.isoformat(),
        "symbols": {
            symbol: {
                "id": vintage.id,
                "bars": vintage.bars,
                "began": symbol in dataset_vintage.updated_symbols,
                "extended": vintage.extended_by,
                "revision": vintage.revision.as_json() if vintage.revision else None,
            }
            for symbol, vintage in dataset_vintage.vintages.items()
        },
    }
