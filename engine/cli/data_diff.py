"""`backtest data diff`."""

from __future__ import annotations

import json as json_
import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.data_access import access_of
from engine.cli.failures import exit_codes
from engine.cli.options import DatasetName, Debug, Json  # noqa: TC001 - typer reads them

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.manifests import Manifest
    from engine.data.replay import Replayed, Shelf
    from engine.data.revisions import Comparison
    from engine.data.spec import Interval

_SHOWN = 10


def diff(
    context: typer.Context,
    dataset: DatasetName,
    before: Annotated[
        str | None,
        typer.Argument(metavar="BEFORE", help="An id as `data show` lists it, or a date (UTC)."),
    ] = None,
    after: Annotated[
        str | None, typer.Argument(metavar="AFTER", help="Another, to compare it with.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what differs between two vintages of a dataset.

    Without vintages: between the newest and the one before the last revision; with one: between
    that and the newest. Uses no network.
    """
    with exit_codes(debug=debug):
        from engine.data.manifests import read_manifest
        from engine.data.replay import recall, shelves
        from engine.data.revisions import compare

        manifest = read_manifest(dataset)
        access = access_of(context)
        shown = before or _before_last_revision(shelves(manifest, access), manifest)
        old = recall(manifest, access, shown)
        new = recall(manifest, access, after or _newest(shelves(manifest, access), old))
        found = {symbol: compare(bars, new.bars[symbol]) for symbol, bars in old.bars.items()}
        if json:
            typer.echo(json_.dumps(_as_json(old, new, found), indent=2, allow_nan=False))
        else:
            typer.echo("\n".join(_lines(old, new, found, manifest.dataset.interval)))


def _before_last_revision(cached: list[Shelf], manifest: Manifest) -> str:
    """The vintage before the last revision of any symbol; the first if there was none.

    Raises:
        DataError: Nothing was pulled yet.
    """
    from engine.errors import DataError

    for shelf in cached:
        for place in range(len(shelf.moments) - 1, 0, -1):
            moment = shelf.moments[place]
            if any(moment.vintages[symbol].revision for symbol in moment.news):
                return shelf.moments[place - 1].id
    for shelf in cached:
        if shelf.moments:
            return shelf.moments[0].id
    raise DataError(
        f"dataset {manifest.dataset.name} has no vintage",
        expected="bars of every symbol",
        found="nothing pulled yet, or not all of them",
        fix=f"pull it first: backtest data pull {manifest.reference}",
    )


def _newest(cached: list[Shelf], old: Replayed) -> str:
    """The newest vintage of the source that another came from."""
    shelf = next(each for each in cached if each.feed.cache_key == old.feed.cache_key)
    return shelf.moments[-1].id


def _lines(
    old: Replayed, new: Replayed, found: dict[str, Comparison], interval: Interval
) -> list[str]:
    from engine.data.revisions import bars_text

    lines = [f"from vintage {_named(old)}", f"to vintage   {_named(new)}"]
    for symbol, each in found.items():
        parts = [f"{bars_text(each.extended)} new"] if each.extended else []
        parts += [each.revision.sentence(interval)] if each.revision else []
        lines.append(f"{symbol}: {'; '.join(parts) or 'the same bars'}")
        if each.revision:
            lines += _values(differences_of(old, new, symbol), interval)
    return lines


def differences_of(old: Replayed, new: Replayed, symbol: str) -> pd.DataFrame:
    """The values of one symbol that differ; see `engine.data.differences`."""
    from engine.data.differences import differences

    return differences(old.bars[symbol], new.bars[symbol])


def _values(table: pd.DataFrame, interval: Interval) -> list[str]:
    from engine.data.bars import stamp_text

    lines = [
        f"  {stamp_text(row['timestamp'], interval)}  {row['column']:<6} "
        f"{row['before']:>14.8g} -> {row['after']:.8g}"
        for row in table.iloc[:_SHOWN].to_dict("records")
    ]
    if len(table) > _SHOWN:
        lines.append(f"  and {len(table) - _SHOWN:,} values more; --json has them all")
    return lines


def _named(one: Replayed) -> str:
    last = max(vintage.pulled for vintage in one.vintages.values())
    return f"{one.id} of {one.feed.label}, pulled {last:%Y-%m-%d %H:%M} UTC"


def _as_json(old: Replayed, new: Replayed, found: dict[str, Comparison]) -> dict[str, Any]:
    return {
        "source": old.feed.label,
        "from": old.id,
        "to": new.id,
        "symbols": {
            symbol: {
                "extended": each.extended,
                "revision": each.revision.as_json() if each.revision else None,
                "values": _records(differences_of(old, new, symbol)),
            }
            for symbol, each in found.items()
        },
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "timestamp": row["timestamp"].isoformat(),
            "column": row["column"],
            "before": row["before"] if math.isfinite(row["before"]) else None,
            "after": row["after"] if math.isfinite(row["after"]) else None,
        }
        for row in table.to_dict("records")
    ]
