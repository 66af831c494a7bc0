"""`backtest fits`: what the store of finished fits holds, and keeping it in bounds."""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.columns import Column, room, table
from engine.cli.columns import show as printed
from engine.cli.failures import exit_codes
from engine.cli.options import Debug  # noqa: TC001 - typer reads it

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.models import Forecast
    from engine.refit.store import Entry, Store

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
SPANS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}

fits = typer.Typer(
    help="The store of finished fits.\n\nA run takes from it what it need not train again.",
    no_args_is_help=True,
)


@fits.command("list")
def list_fits(debug: Debug = False) -> None:
    """List what is stored, the last used last."""
    with exit_codes(debug=debug):
        store = _store()
        entries = store.entries()
        if entries:
            printed("\n".join(table(_columns(entries), room())))
        typer.echo(
            f"{len(entries)} fits, {_size(sum(e.size for e in entries))}, in {store.folder}"
        )


@fits.command()
def show(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The first digits of a key, as `list` shows it.")
    ],
    debug: Debug = False,
) -> None:
    """Show how one fit went."""
    with exit_codes(debug=debug):
        from engine.errors import UsageError

        store = _store()
        keys = store.find(key)
        if len(keys) != 1:
            raise UsageError(
                "the key names no single fit",
                expected="the first digits of one key",
                found=f"{key}, with which {len(keys)} keys begin",
                fix="take one from `backtest fits list`",
            )
        (entry,) = (entry for entry in store.entries() if entry.key == keys[0])
        typer.echo("\n".join(_described(entry, store)))


@fits.command()
def prune(
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN", help="Remove what was not used for so long: 12h, 30d, 8w, 1y."
        ),
    ] = None,
    keep_bytes: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Remove the least recently used until so much is left: 500MB, 2GB.",
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Remove fits; a run that needs one again trains it again."""
    with exit_codes(debug=debug):
        from engine.errors import UsageError

        if older_than is None and keep_bytes is None:
            raise UsageError(
                "nothing says what to remove",
                expected="--older-than SPAN, --keep-bytes SIZE or both",
            )
        store = _store()
        entries = store.entries()
        doomed = _doomed(
            entries,
            before=None if older_than is None else time.time() - _amount(older_than, SPANS, "30d"),
            keep=None if keep_bytes is None else _amount(keep_bytes, UNITS, "2GB"),
        )
        store.remove([entry.key for entry in doomed])
        store.sweep()
        left = sum(entry.size for entry in entries) - sum(entry.size for entry in doomed)
        typer.echo(f"removed {len(doomed)} of {len(entries)} fits; {_size(left)} are left")


def _doomed(entries: Sequence[Entry], *, before: float | None, keep: float | None) -> list[Entry]:
    """What to remove of entries that come least recently used first."""
    doomed = [entry for entry in entries if before is not None and entry.used < before]
    left = list(entries[len(doomed) :])
    while keep is not None and left and sum(entry.size for entry in left) > keep:
        doomed.append(left.pop(0))
    return doomed


def _amount(text: str, units: dict[str, int], example: str) -> float:
    from engine.errors import UsageError

    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    known = {unit.lower(): size for unit, size in units.items()}
    unit = found[2].lower() if found else ""
    if not found or (unit and unit not in known) or (not unit and "b" not in known):
        raise UsageError(
            "that is no amount",
            expected=f"a number and one of {', '.join(units)}, such as {example}",
            found=text,
        )
    return float(found[1]) * known[unit or "b"]


def _store() -> Store:
    from engine.refit.store import Store

    return Store(Path(os.environ.get("BACKTEST_HOME") or ".backtest") / "fits")


def _columns(entries: Sequence[Entry]) -> list[Column]:
    return [
        Column(0, "Key", [entry.key[:12] for entry in entries], right=False),
        Column(3, "Used", [_when(entry.used) for entry in entries], right=False),
        Column(2, "Size", [_size(entry.size) for entry in entries]),
        Column(1, "Fit", [entry.label for entry in entries], right=False, least=24, tail=True),
    ]


def _described(entry: Entry, store: Store) -> list[str]:
    from engine.refit.store import DamagedError

    lines = [f"key       {entry.key}", f"fit       {entry.label}"]
    lines += [f"used      {_when(entry.used)}", f"size      {_size(entry.size)}"]
    try:
        forecast = store.get(entry.key)
    except DamagedError:
        return lines
    if forecast is None:
        return lines
    history = forecast.history
    chosen = [f"chosen    {place} {json.dumps(value)}" for place, value in history.chosen.items()]
    return [
        *lines,
        *([f"trials    {history.trials}", *chosen] if history.trials else ()),
        f"attempts  {history.attempts}",
        f"start     {'weights of the window before' if history.warm else 'from scratch'}",
        *([f"members   {len(forecast.members)}"] if forecast.members else _course(forecast)),
        f"forecasts {len(forecast.train):,} in sample, {len(forecast.test):,} out of sample",
        *_losses(forecast),
    ]


def _course(forecast: Forecast) -> list[str]:
    history = forecast.history
    return [
        f"epochs    {len(history.train_loss)}, best {history.best_epoch + 1}",
        f"weights   {sum(weight.size for weight in forecast.weights):,}",
    ]


def _losses(forecast: Forecast) -> list[str]:
    """A line an epoch, of an ensemble one member after the other."""
    if forecast.members:
        return [
            line
            for number, member in enumerate(forecast.members, start=1)
            for line in (f"member {number}", *_course(member), *_losses(member))
        ]
    history = forecast.history
    losses = zip(history.train_loss, history.validation_loss, strict=True)
    return [
        "epoch  train loss  validation loss",
        *(f"{n:>5}  {a:>10.4f}  {b:>15.4f}" for n, (a, b) in enumerate(losses, start=1)),
    ]


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _size(count: float) -> str:
    unit = next((u for u in ("GB", "MB", "KB") if count >= UNITS[u]), "B")
    return f"{count / UNITS[unit]:.0f} B" if unit == "B" else f"{count / UNITS[unit]:.1f} {unit}"
