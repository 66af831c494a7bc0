"""`backtest data show`."""

from __future__ import annotations

import json as json_
import sys
from typing import TYPE_CHECKING, Any

import typer

from engine.cli.data_context import make_data_context
from engine.cli.errors import handle_errors
from engine.cli.options import DatasetArgument, DebugOption, JsonOption  # noqa: TC001 - typer reads them
from engine.cli.text_table import prose_width

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.config import BarInterval
    from engine.data.manifests import DatasetManifest
    from engine.data.store.inventory import SourceInventory, SymbolInventory
    from engine.data.store.vintages import DatasetVintage

MIN_FULL_WIDTH = 64
"""Columns of a terminal below which spans and vintages are left to --json."""
_MAX_GAPS, _MAX_VINTAGES = 3, 10
# Every bar, nine of ten, half, any, none.
_COVERAGE_GLYPHS = ((1.0, "█#"), (0.9, "▓+"), (0.5, "▒="), (0.0, "░-"))
_MISSING_GLYPHS = "·."


def data_show_command(
    context: typer.Context,
    dataset: DatasetArgument,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Draw which bars of a dataset are there.

    Where they begin, end and have gaps, and the dataset's vintages.

    Uses no network: the bars are those that were pulled, or lie in files.

    A line a symbol: a block is full where every bar of its time is there that the dataset's
    calendar has, lighter the more are missing, and a dot where none is.
    """
    with handle_errors(debug=debug):
        from engine.data.manifests import read_manifest
        from engine.data.store.inventory import list_inventory

        manifest = read_manifest(dataset)
        found = list_inventory(manifest, make_data_context(context))
        if json:
            typer.echo(
                json_.dumps(_inventory_document(manifest, found), indent=2, allow_nan=False)
            )
        else:
            typer.echo("\n".join(_render_text(manifest, found)))


def _render_text(manifest: DatasetManifest, inventory: list[SourceInventory]) -> list[str]:
    dataset = manifest.dataset
    span = f"{dataset.start or 'the first bar'} to {dataset.end or 'now'}"
    lines = [f"{dataset.name}: {dataset.interval} bars, calendar {dataset.calendar}, {span}"]
    for holding in inventory:
        lines += ["", *_format_source(holding, manifest)]
    return lines


def _format_source(holding: SourceInventory, manifest: DatasetManifest) -> list[str]:
    dataset = manifest.dataset
    if holding.problem:
        return [f"{holding.label}: {holding.problem}"]
    if not holding.symbols:
        how = f"backtest data pull {manifest.reference}"
        return [f"{holding.label}: nothing pulled yet; `{how}` does it"]
    pulled = f", pulled {holding.fetched_at:%Y-%m-%d %H:%M} UTC" if holding.fetched_at else ""
    lines = [f"{holding.label}{pulled}", *_format_coverage(holding)]
    missing = [symbol for symbol in dataset.symbols if symbol not in holding.symbols]
    if missing:
        lines.append(f"  not there: {', '.join(missing)}")
    for symbol, line in holding.symbols.items():
        lines += _format_gaps(symbol, line, dataset.interval)
    return lines + _format_vintages(holding.vintages)


def _format_coverage(holding: SourceInventory) -> list[str]:
    from engine.data.store.inventory import divide_time_span

    name = max(len(symbol) for symbol in holding.symbols)
    width = prose_width()
    # Behind the strip: first, last, bars and vintages, or where that is too wide the bars alone.
    whole = width >= MIN_FULL_WIDTH
    figures = f" {'first':<10} {'last':<10} {'bars':>9} {'vint':>4}" if whole else f" {'bars':>9}"
    room = max(12, width - 2 - name - 1 - len(figures))
    edges = divide_time_span(holding, room)
    lines = [f"{' ' * (name + 3)}{_time_axis(edges):<{room}}{figures}"]
    for symbol, line in holding.symbols.items():
        stamps = line.bars["timestamp"]
        bars = f"{len(line.bars):>9,}"
        span = f"{stamps.iloc[0]:%Y-%m-%d} {stamps.iloc[-1]:%Y-%m-%d}"
        told = f"{span} {bars} {line.vintage_count or '-':>4}" if whole else bars
        lines.append(f"  {symbol:<{name}} {_coverage_strip(line, edges):<{room}} {told}")
    return lines


def _coverage_strip(line: SymbolInventory, edges: pd.DatetimeIndex) -> str:
    from engine.data.store.inventory import compute_symbol_coverage

    plain = int("utf" not in (sys.stdout.encoding or "").lower())
    blocks = []
    for expected, share in compute_symbol_coverage(line, edges):
        if not expected:
            blocks.append(" ")
        elif share == 0.0:
            blocks.append(_MISSING_GLYPHS[plain])
        else:
            blocks.append(
                next(shades[plain] for least, shades in _COVERAGE_GLYPHS if share >= least)
            )
    return "".join(blocks)


def _time_axis(edges: pd.DatetimeIndex) -> str:
    """Years, or months within one or two, each above the block in which it begins."""
    years = edges[-1].year - edges[0].year
    form = "%Y" if years >= 2 else "%Y-%m"
    text, told = "", ""
    for place, edge in enumerate(edges[:-1]):
        name = f"{edge:{form}}"
        begins = name != told
        told = name
        if begins and (place >= len(text) + 1 or not text) and place + len(name) < len(edges):
            text = f"{text:<{place}}{name}"
    return text


def _format_gaps(symbol: str, line: SymbolInventory, interval: BarInterval) -> list[str]:
    from engine.data.bars import format_timestamp
    from engine.data.store.revisions import format_bar_count

    if not line.gaps:
        return []
    largest = sorted(line.gaps, key=lambda gap: gap.bars, reverse=True)[:_MAX_GAPS]
    told = []
    for gap in sorted(largest, key=lambda gap: gap.first):
        first, last = format_timestamp(gap.first, interval), format_timestamp(gap.last, interval)
        told.append(first if gap.bars == 1 else f"{first} to {last}")
    missing = format_bar_count(sum(gap.bars for gap in line.gaps))
    rest = len(line.gaps) - len(told)
    more = f", and {rest} more" if rest else ""
    head = f"  {symbol}: {missing} missing{', the longest gaps' if rest else ''}:"
    return [head, *(f"    {each}" for each in told[:-1]), f"    {told[-1]}{more}"]


def _format_vintages(moments: list[DatasetVintage]) -> list[str]:
    if not moments:
        return []
    lines = ["  vintages, the newest first:"]
    for moment in moments[: -_MAX_VINTAGES - 1 : -1]:
        told = [
            f"{symbol} {_describe_change(moment, symbol)}" for symbol in moment.updated_symbols
        ]
        shown = "; ".join(told[:3]) + (f"; {len(told) - 3} more" if len(told) > 3 else "")
        lines.append(f"    {moment.id}  {moment.fetched_at:%Y-%m-%d %H:%M}  {shown}")
    if len(moments) > _MAX_VINTAGES:
        lines.append(f"    and {len(moments) - _MAX_VINTAGES} older; --json lists all")
    return lines


def _describe_change(moment: DatasetVintage, symbol: str) -> str:
    vintage = moment.vintages[symbol]
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
                "source": holding.label,
                "problem": holding.problem or None,
                "pulled": holding.fetched_at.isoformat() if holding.fetched_at else None,
                "symbols": {
                    symbol: _symbol_document(line) for symbol, line in holding.symbols.items()
                },
                "vintages": [_vintage_document(moment) for moment in holding.vintages],
            }
            for holding in inventory
        ],
    }


def _symbol_document(line: SymbolInventory) -> dict[str, Any]:
    stamps = line.bars["timestamp"]
    return {
        "first": stamps.iloc[0].isoformat(),
        "last": stamps.iloc[-1].isoformat(),
        "bars": len(line.bars),
        "expected": len(line.expected),
        "vintages": line.vintage_count,
        "gaps": [
            {"first": gap.first.isoformat(), "last": gap.last.isoformat(), "bars": gap.bars}
            for gap in line.gaps
        ],
    }


def _vintage_document(moment: DatasetVintage) -> dict[str, Any]:
    return {
        "id": moment.id,
        "pulled": moment.fetched_at.isoformat(),
        "symbols": {
            symbol: {
                "id": vintage.id,
                "bars": vintage.bars,
                "began": symbol in moment.updated_symbols,
                "extended": vintage.extended_by,
                "revision": vintage.revision.as_json() if vintage.revision else None,
            }
            for symbol, vintage in moment.vintages.items()
        },
    }
