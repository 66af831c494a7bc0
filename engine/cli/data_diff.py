"""`backtest data diff`: the difference between two vintages of a dataset."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.data_context import make_data_context
from engine.cli.errors import handle_errors
from engine.cli.options import DatasetArgument, DebugOption, JsonOption
from engine.cli.progress import QuietProgress
from engine.cli.terminal import print_json, print_lines

if TYPE_CHECKING:
    import pandas as pd

    from engine.data import BarInterval, DatasetManifest
    from engine.data.store import BarsComparison, CachedSource, DatasetAsOf

_MAX_SHOWN = 10


def data_diff_command(
    context: typer.Context,
    dataset: DatasetArgument,
    before: Annotated[
        str | None,
        typer.Argument(metavar="BEFORE", help="An id as `data show` lists it, or a date (UTC)."),
    ] = None,
    after: Annotated[
        str | None, typer.Argument(metavar="AFTER", help="The vintage to compare it with.")
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the differences between two vintages of a dataset.

    Without vintages: between the newest and the one before the last revision; with one: between
    that and the newest. Uses no network.
    """
    with handle_errors(debug=debug):
        from engine.data import read_manifest
        from engine.data.store import compare_bars, list_cached_sources, read_as_of

        manifest = read_manifest(dataset)
        data = make_data_context(context, QuietProgress(sys.stderr))
        first = before or _vintage_before_last_revision(
            list_cached_sources(manifest, data), manifest
        )
        old = read_as_of(manifest, data, first)
        new = read_as_of(
            manifest, data, after or _newest_vintage(list_cached_sources(manifest, data), old)
        )
        comparisons = {
            symbol: compare_bars(bars, new.bars[symbol]) for symbol, bars in old.bars.items()
        }
        if json:
            print_json(_diff_document(old, new, comparisons))
        else:
            print_lines(_render_text(old, new, comparisons, manifest.dataset.interval))


def _vintage_before_last_revision(sources: list[CachedSource], manifest: DatasetManifest) -> str:
    """The vintage before the last revision of any symbol; the first if there was none.

    Raises:
        DataError: Nothing was pulled yet.
    """
    from engine.core.errors import DataError

    for source in sources:
        for index in range(len(source.vintages) - 1, 0, -1):
            vintage = source.vintages[index]
            if any(vintage.vintages[symbol].revision for symbol in vintage.updated_symbols):
                return source.vintages[index - 1].id
    for source in sources:
        if source.vintages:
            return source.vintages[0].id
    raise DataError(
        f"dataset {manifest.dataset.name} has no vintage",
        expected="bars of every symbol",
        found="nothing pulled yet, or not all of them",
        fix=f"pull it first: backtest data pull {manifest.reference}",
    )


def _newest_vintage(sources: list[CachedSource], old: DatasetAsOf) -> str:
    """The newest vintage of the source that `old` came from."""
    same = next(each for each in sources if each.source.cache_key == old.source.cache_key)
    return same.vintages[-1].id


def _render_text(
    old: DatasetAsOf,
    new: DatasetAsOf,
    comparisons: dict[str, BarsComparison],
    interval: BarInterval,
) -> list[str]:
    from engine.data import format_bar_count

    lines = [f"from vintage {_describe_vintage(old)}", f"to vintage   {_describe_vintage(new)}"]
    for symbol, each in comparisons.items():
        parts = [f"{format_bar_count(each.extended_by)} new"] if each.extended_by else []
        parts += [each.revision.describe(interval)] if each.revision else []
        lines.append(f"{symbol}: {'; '.join(parts) or 'no difference'}")
        if each.revision:
            lines += _format_differences(_symbol_differences(old, new, symbol), interval)
    return lines


def _symbol_differences(old: DatasetAsOf, new: DatasetAsOf, symbol: str) -> pd.DataFrame:
    from engine.data.store import diff_bar_values

    return diff_bar_values(old.bars[symbol], new.bars[symbol])


def _format_differences(table: pd.DataFrame, interval: BarInterval) -> list[str]:
    from engine.data import format_timestamp

    lines = [
        f"  {format_timestamp(row['timestamp'], interval)}  {row['column']:<6} "
        f"{row['before']:>14.8g} -> {row['after']:.8g}"
        for row in table.iloc[:_MAX_SHOWN].to_dict("records")
    ]
    if len(table) > _MAX_SHOWN:
        lines.append(f"  and {len(table) - _MAX_SHOWN:,} more values; --json lists all")
    return lines


def _describe_vintage(version: DatasetAsOf) -> str:
    last = max(vintage.fetched_at for vintage in version.vintages.values())
    return f"{version.vintage_id} of {version.source.label}, pulled {last:%Y-%m-%d %H:%M} UTC"


def _diff_document(
    old: DatasetAsOf, new: DatasetAsOf, comparisons: dict[str, BarsComparison]
) -> dict[str, Any]:
    return {
        "source": old.source.label,
        "from": old.vintage_id,
        "to": new.vintage_id,
        "symbols": {
            symbol: {
                "extended": each.extended_by,
                "revision": each.revision.as_json() if each.revision else None,
                "values": _difference_records(_symbol_differences(old, new, symbol)),
            }
            for symbol, each in comparisons.items()
        },
    }


def _difference_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "timestamp": row["timestamp"].isoformat(),
            "column": row["column"],
            "before": row["before"] if math.isfinite(row["before"]) else None,
            "after": row["after"] if math.isfinite(row["after"]) else None,
        }
        for row in table.to_dict("records")
    ]
