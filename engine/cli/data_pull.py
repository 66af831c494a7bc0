"""`backtest data pull`."""

from __future__ import annotations

import json as json_
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.data_access import access_of
from engine.cli.failures import exit_codes
from engine.cli.options import DatasetName, Debug, Json, Quiet  # noqa: TC001 - typer reads them
from engine.cli.progress import told_on_stderr

if TYPE_CHECKING:
    from engine.data.delivery import Delivery, Outcome
    from engine.data.spec import Interval

BARS_ARE_KEPT = "interrupted; what came is kept, and the same command goes on from there"


def pull(
    context: typer.Context,
    dataset: DatasetName,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Ask for the whole history and compare it with what is kept, not the end.",
        ),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Pull a dataset's bars, and tell what is new and what was revised.

    The sources are asked in their order until one delivers every symbol. Bars that are kept
    already are asked for only as far as needed to compare: the last hundred; of adjusted prices
    all, once another bar can have finished, so that a pull that broke off goes on where it was.
    What a source says otherwise than before becomes a new vintage; the old one stays.

    Exit codes: 0 every symbol was delivered, 2 the command line or the manifest is wrong, 3 no
    source delivered them all; those that came are kept.
    """
    with exit_codes(debug=debug, interrupted=BARS_ARE_KEPT):
        from engine.data.delivery import pull_dataset
        from engine.data.manifests import read_manifest
        from engine.errors import DataError

        manifest = read_manifest(dataset)
        with told_on_stderr(quiet=quiet) as progress:
            progress.stage("data")
            access = access_of(context, progress, ask="all" if everything else "tail")
            made = pull_dataset(manifest, access)
        whole = made[-1].whole
        if json:
            told = {
                "dataset": manifest.dataset.name,
                "delivered": whole,
                "vintage": made[-1].vintage,
                "sources": [_as_json(delivery) for delivery in made],
            }
            typer.echo(json_.dumps(told, indent=2, allow_nan=False))
        else:
            typer.echo("\n".join(_lines(made, manifest.dataset.interval)))
        if not whole:
            raise typer.Exit(DataError.exit_code)


def _lines(made: list[Delivery], interval: Interval) -> list[str]:
    lines = []
    for delivery in made:
        lines.append(delivery.feed.label)
        width = max(len(symbol) for symbol in delivery.symbols)
        for symbol, each in delivery.symbols.items():
            lines.append(f"  {symbol:<{width}}  {_told(each, interval)}")
            if each.revision:
                lines.append(f"  {'':<{width}}  revised: {each.revision.sentence(interval)}")
        if delivery.vintage:
            lines.append(f"  vintage {delivery.vintage}")
    return lines


def _told(each: Outcome, interval: Interval) -> str:
    if each.error is not None or each.bars is None:
        found = f" ({each.error.found.splitlines()[0]})" if each.error and each.error.found else ""
        return f"failed: {each.error.problem if each.error else ''}{found}"
    from engine.data.bars import stamp_text
    from engine.data.revisions import bars_text

    stamps = each.bars["timestamp"]
    span = f"{stamp_text(stamps.iloc[0], interval)} to {stamp_text(stamps.iloc[-1], interval)}"
    parts = [bars_text(len(each.bars)), span]
    if each.vintage is None:
        return ", ".join([*parts, "read where they lie, not pulled"])
    parts.append(f"{each.new:,} new" if each.new else "none new")
    return ", ".join(parts)


def _as_json(delivery: Delivery) -> dict[str, Any]:
    symbols = {symbol: _symbol_json(each) for symbol, each in delivery.symbols.items()}
    return {"source": delivery.feed.label, "delivered": delivery.whole, "symbols": symbols}


def _symbol_json(each: Outcome) -> dict[str, Any]:
    if each.error is not None or each.bars is None:
        return {"error": str(each.error)}
    stamps = each.bars["timestamp"]
    return {
        "bars": len(each.bars),
        "first": stamps.iloc[0].isoformat(),
        "last": stamps.iloc[-1].isoformat(),
        "new": each.new if each.vintage else None,
        "vintage": each.vintage.id if each.vintage else None,
        "revision": each.revision.as_json() if each.revision else None,
    }
