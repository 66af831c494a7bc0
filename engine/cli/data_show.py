"""`backtest data show`."""

from __future__ import annotations

import json as json_
import sys
from typing import TYPE_CHECKING, Any

import typer

from engine.cli.columns import prose
from engine.cli.data_access import access_of
from engine.cli.failures import exit_codes
from engine.cli.options import DatasetName, Debug, Json  # noqa: TC001 - typer reads them

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.holdings import Holding, Line
    from engine.data.manifests import Manifest
    from engine.data.spec import Interval
    from engine.data.vintages import Moment

NARROW = 64
"""Columns of a terminal below which spans and vintages are left to --json."""
_GAPS, _VINTAGES = 3, 10
# Every bar, nine of ten, half, any, none.
_SHADES = ((1.0, "█#"), (0.9, "▓+"), (0.5, "▒="), (0.0, "░-"))
_NONE = "·."


def show(
    context: typer.Context, dataset: DatasetName, json: Json = False, debug: Debug = False
) -> None:
    """Draw which bars of a dataset are there.

    Where they begin, end and have gaps, and the dataset's vintages.

    Uses no network: the bars are those that were pulled, or lie in files.

    A line a symbol: a block is full where every bar of its time is there that the dataset's
    calendar has, lighter the more are missing, and a dot where none is.
    """
    with exit_codes(debug=debug):
        from engine.data.holdings import holdings
        from engine.data.manifests import read_manifest

        manifest = read_manifest(dataset)
        found = holdings(manifest, access_of(context))
        if json:
            typer.echo(json_.dumps(_as_json(manifest, found), indent=2, allow_nan=False))
        else:
            typer.echo("\n".join(_lines(manifest, found)))


def _lines(manifest: Manifest, found: list[Holding]) -> list[str]:
    dataset = manifest.dataset
    span = f"{dataset.start or 'the first bar'} to {dataset.end or 'now'}"
    lines = [f"{dataset.name}: {dataset.interval} bars, calendar {dataset.calendar}, {span}"]
    for holding in found:
        lines += ["", *_holding(holding, manifest)]
    return lines


def _holding(holding: Holding, manifest: Manifest) -> list[str]:
    dataset = manifest.dataset
    if holding.problem:
        return [f"{holding.label}: {holding.problem}"]
    if not holding.lines:
        how = f"backtest data pull {manifest.reference}"
        return [f"{holding.label}: nothing pulled yet; `{how}` does it"]
    pulled = f", pulled {holding.pulled:%Y-%m-%d %H:%M} UTC" if holding.pulled else ""
    lines = [f"{holding.label}{pulled}", *_strips(holding)]
    missing = [symbol for symbol in dataset.symbols if symbol not in holding.lines]
    if missing:
        lines.append(f"  not there: {', '.join(missing)}")
    for symbol, line in holding.lines.items():
        lines += _gap_lines(symbol, line, dataset.interval)
    return lines + _vintage_lines(holding.moments)


def _strips(holding: Holding) -> list[str]:
    from engine.data.holdings import parts

    name = max(len(symbol) for symbol in holding.lines)
    width = prose()
    # Behind the strip: first, last, bars and vintages, or where that is too wide the bars alone.
    whole = width >= NARROW
    figures = f" {'first':<10} {'last':<10} {'bars':>9} {'vint':>4}" if whole else f" {'bars':>9}"
    room = max(12, width - 2 - name - 1 - len(figures))
    edges = parts(holding, room)
    lines = [f"{' ' * (name + 3)}{_axis(edges):<{room}}{figures}"]
    for symbol, line in holding.lines.items():
        stamps = line.bars["timestamp"]
        bars = f"{len(line.bars):>9,}"
        span = f"{stamps.iloc[0]:%Y-%m-%d} {stamps.iloc[-1]:%Y-%m-%d}"
        told = f"{span} {bars} {line.vintages or '-':>4}" if whole else bars
        lines.append(f"  {symbol:<{name}} {_strip(line, edges):<{room}} {told}")
    return lines


def _strip(line: Line, edges: pd.DatetimeIndex) -> str:
    from engine.data.holdings import shares_of

    plain = int("utf" not in (sys.stdout.encoding or "").lower())
    blocks = []
    for expected, share in shares_of(line, edges):
        if not expected:
            blocks.append(" ")
        elif share == 0.0:
            blocks.append(_NONE[plain])
        else:
            blocks.append(next(shades[plain] for least, shades in _SHADES if share >= least))
    return "".join(blocks)


def _axis(edges: pd.DatetimeIndex) -> str:
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


def _gap_lines(symbol: str, line: Line, interval: Interval) -> list[str]:
    from engine.data.bars import stamp_text
    from engine.data.revisions import bars_text

    if not line.gaps:
        return []
    largest = sorted(line.gaps, key=lambda gap: gap.bars, reverse=True)[:_GAPS]
    told = []
    for gap in sorted(largest, key=lambda gap: gap.first):
        first, last = stamp_text(gap.first, interval), stamp_text(gap.last, interval)
        told.append(first if gap.bars == 1 else f"{first} to {last}")
    missing = bars_text(sum(gap.bars for gap in line.gaps))
    rest = len(line.gaps) - len(told)
    more = f", and {rest} more" if rest else ""
    head = f"  {symbol}: {missing} missing{', the longest gaps' if rest else ''}:"
    return [head, *(f"    {each}" for each in told[:-1]), f"    {told[-1]}{more}"]


def _vintage_lines(moments: list[Moment]) -> list[str]:
    if not moments:
        return []
    lines = ["  vintages, the newest first:"]
    for moment in moments[: -_VINTAGES - 1 : -1]:
        told = [f"{symbol} {_what(moment, symbol)}" for symbol in moment.news]
        shown = "; ".join(told[:3]) + (f"; {len(told) - 3} more" if len(told) > 3 else "")
        lines.append(f"    {moment.id}  {moment.pulled:%Y-%m-%d %H:%M}  {shown}")
    if len(moments) > _VINTAGES:
        lines.append(f"    and {len(moments) - _VINTAGES} older; --json lists all")
    return lines


def _what(moment: Moment, symbol: str) -> str:
    vintage = moment.vintages[symbol]
    parts = [f"+{vintage.extended:,}"] if vintage.extended else []
    revision = vintage.revision
    if revision and revision.factor:
        parts.append(f"x {revision.factor:.5g}")
    elif revision:
        parts.append(f"{revision.changed + revision.added + revision.removed:,} revised")
    return ", ".join(parts)


def _as_json(manifest: Manifest, found: list[Holding]) -> dict[str, Any]:
    return {
        "dataset": manifest.dataset.name,
        "interval": manifest.dataset.interval,
        "calendar": manifest.dataset.calendar,
        "sources": [
            {
                "source": holding.label,
                "problem": holding.problem or None,
                "pulled": holding.pulled.isoformat() if holding.pulled else None,
                "symbols": {symbol: _line_json(line) for symbol, line in holding.lines.items()},
                "vintages": [_moment_json(moment) for moment in holding.moments],
            }
            for holding in found
        ],
    }


def _line_json(line: Line) -> dict[str, Any]:
    stamps = line.bars["timestamp"]
    return {
        "first": stamps.iloc[0].isoformat(),
        "last": stamps.iloc[-1].isoformat(),
        "bars": len(line.bars),
        "expected": len(line.expected),
        "vintages": line.vintages,
        "gaps": [
            {"first": gap.first.isoformat(), "last": gap.last.isoformat(), "bars": gap.bars}
            for gap in line.gaps
        ],
    }


def _moment_json(moment: Moment) -> dict[str, Any]:
    return {
        "id": moment.id,
        "pulled": moment.pulled.isoformat(),
        "symbols": {
            symbol: {
                "id": vintage.id,
                "bars": vintage.bars,
                "began": symbol in moment.news,
                "extended": vintage.extended,
                "revision": vintage.revision.as_json() if vintage.revision else None,
            }
            for symbol, vintage in moment.vintages.items()
        },
    }
