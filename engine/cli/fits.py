"""`backtest fits`: lists, shows and prunes the store of finished fits."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption
from engine.cli.terminal import print_lines
from engine.cli.text_table import TextTableColumn, output_width, render_table
from engine.core.home import backtest_home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.models import FittedForecaster
    from engine.models.fitted_model import InputTransform
    from engine.training.store import FitStore, StoredFit

SIZE_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
TIME_UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}

fits_app = typer.Typer(
    help="The store of finished fits.\n\nA run loads stored fits instead of training them again.",
    no_args_is_help=True,
)


@fits_app.command("list")
def fits_list_command(debug: DebugOption = False) -> None:
    """List stored fits, the most recently used last."""
    with handle_errors(debug=debug):
        store = _open_store()
        entries = store.entries()
        if entries:
            print_lines(render_table(_table_columns(entries), output_width()))
        size = _format_size(sum(entry.size for entry in entries))
        print_lines([f"{len(entries)} fits, {size}, in {store.folder}"])
        if failures := store.count_failures():
            fits = "1 fit that failed is" if failures == 1 else f"{failures} fits that failed are"
            print_lines([f"{fits} not tried again, until `backtest fits prune --failed`"])


@fits_app.command("show")
def fits_show_command(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The first digits of a key, from `fits list`.")
    ],
    debug: DebugOption = False,
) -> None:
    """Show the training history of one fit."""
    with handle_errors(debug=debug):
        from engine.core.errors import UsageError

        store = _open_store()
        keys = store.find_keys(key)
        if len(keys) != 1:
            raise UsageError(
                "the key does not identify one fit",
                expected="the first digits of one key",
                found=f"{key}; {len(keys)} keys begin with it",
                fix="copy a key from `backtest fits list`",
            )
        (entry,) = (entry for entry in store.entries() if entry.key == keys[0])
        print_lines(_format_fit(entry, store))


@fits_app.command("prune")
def fits_prune_command(
    older_than: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="Remove fits not used for this long: 12h, 30d, 8w, 1y."),
    ] = None,
    keep_bytes: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Remove the least recently used fits down to this size: 500MB, 2GB.",
        ),
    ] = None,
    earlier_formats: Annotated[
        bool,
        typer.Option(
            "--earlier-formats",
            help="Remove what an earlier version stored in a format that is not used any more.",
        ),
    ] = False,
    failed: Annotated[
        bool,
        typer.Option(
            "--failed",
            help="Forget which fits failed and were left out (on_failure: skip), so that a run "
            "tries them again.",
        ),
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Remove stored fits; a run that needs one trains it again."""
    with handle_errors(debug=debug):
        from engine.core.errors import UsageError

        if older_than is None and keep_bytes is None and not (earlier_formats or failed):
            raise UsageError(
                "no limit is given",
                expected="one or more of --older-than SPAN, --keep-bytes SIZE, --earlier-formats, "
                "--failed",
            )
        store = _open_store()
        if failed:
            print_lines([f"forgot {store.remove_failures()} fits that failed"])
        entries = store.entries()
        retired = [entry for entry in entries if earlier_formats and not entry.is_current]
        removed = retired + _select_for_removal(
            [entry for entry in entries if entry not in retired],
            used_before=None
            if older_than is None
            else time.time() - _parse_amount(older_than, TIME_UNITS, "30d"),
            keep_bytes=None
            if keep_bytes is None
            else _parse_amount(keep_bytes, SIZE_UNITS, "2GB"),
        )
        store.remove([entry.key for entry in removed])
        store.remove_stale_drafts()
        left = sum(entry.size for entry in entries) - sum(entry.size for entry in removed)
        print_lines(
            [f"removed {len(removed)} of {len(entries)} fits; {_format_size(left)} are left"]
        )


def _select_for_removal(
    entries: Sequence[StoredFit], *, used_before: float | None, keep_bytes: float | None
) -> list[StoredFit]:
    """The entries to remove; `entries` are sorted, the least recently used first."""
    selected = [
        entry for entry in entries if used_before is not None and entry.last_used < used_before
    ]
    remaining = list(entries[len(selected) :])
    while (
        keep_bytes is not None
        and remaining
        and sum(entry.size for entry in remaining) > keep_bytes
    ):
        selected.append(remaining.pop(0))
    return selected


def _parse_amount(text: str, units: dict[str, int], example: str) -> float:
    from engine.core.errors import UsageError

    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]+)?)\s*([A-Za-z]*)", text.strip())
    known = {unit.lower(): size for unit, size in units.items()}
    unit = match[2].lower() if match else ""
    if not match or (unit and unit not in known) or (not unit and "b" not in known):
        raise UsageError(
            "the amount cannot be read",
            expected=f"a number and one of {', '.join(units)}, such as {example}",
            found=text,
        )
    return float(match[1]) * known[unit or "b"]


def _open_store() -> FitStore:
    from engine.training.store import FitStore

    return FitStore(backtest_home() / "fits")


def _table_columns(entries: Sequence[StoredFit]) -> list[TextTableColumn]:
    return [
        TextTableColumn(0, "Key", [entry.key[:12] for entry in entries], align_right=False),
        TextTableColumn(
            3, "Used", [_format_time(entry.last_used) for entry in entries], align_right=False
        ),
        TextTableColumn(2, "Size", [_format_size(entry.size) for entry in entries]),
        TextTableColumn(
            1,
            "Fit",
            [
                entry.label if entry.is_current else f"{entry.label} (earlier format)"
                for entry in entries
            ],
            align_right=False,
            min_width=24,
            keep_end=True,
        ),
    ]


def _format_fit(entry: StoredFit, store: FitStore) -> list[str]:
    from engine.models.model_file import DamagedFitError

    lines = [f"key       {entry.key}", f"fit       {entry.label}"]
    lines += [
        f"used      {_format_time(entry.last_used)}",
        f"size      {_format_size(entry.size)}",
    ]
    try:
        fitted = store.get(entry.key)
    except DamagedFitError:
        return lines
    if fitted is None:
        return [*lines, "format    earlier: not used, `backtest fits prune --earlier-formats`"]
    forecaster, transform = fitted.forecaster, fitted.transform
    history = forecaster.history
    chosen = [f"chosen    {path} {json.dumps(value)}" for path, value in history.chosen.items()]
    return [
        *lines,
        *([f"trials    {history.trials}", *chosen] if history.trials else ()),
        f"attempts  {history.attempts}",
        f"start     {'weights of the window before' if history.warm else 'from scratch'}",
        f"model     {forecaster.model.kind}, lookback {fitted.lookback}",
        *([] if transform is None else _format_transform(transform)),
        *(f"{name:<9} {' to '.join(span)}" for name, span in fitted.spans.items()),
        f"rows      {len(fitted.train):,} train, {len(fitted.validation):,} validation",
        *(
            [f"members   {len(forecaster.members)}"]
            if forecaster.members
            else _format_training(forecaster)
        ),
        *_format_losses(forecaster),
    ]


def _format_transform(transform: InputTransform) -> list[str]:
    columns = [name for each in (transform.columns, *transform.coarse) for name in each.names]
    horizons = ", ".join(map(str, transform.horizons))
    return [
        f"forecasts {transform.symbol}, horizon {horizons}",
        f"features  {len(columns)}: {', '.join(columns)}",
    ]


def _format_training(fitted: FittedForecaster) -> list[str]:
    history = fitted.history
    return [
        f"epochs    {len(history.train_loss)}, best {history.best_epoch + 1}",
        f"weights   {sum(weight.size for weight in fitted.weights):,}",
    ]


def _format_losses(fitted: FittedForecaster) -> list[str]:
    """One line per epoch; for an ensemble, one member after the other."""
    if fitted.members:
        return [
            line
            for number, member in enumerate(fitted.members, start=1)
            for line in (f"member {number}", *_format_training(member), *_format_losses(member))
        ]
    history = fitted.history
    losses = zip(history.train_loss, history.validation_loss, strict=True)
    return [
        "epoch  train loss  validation loss",
        *(f"{n:>5}  {a:>10.4f}  {b:>15.4f}" for n, (a, b) in enumerate(losses, start=1)),
    ]


def _format_time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _format_size(count: float) -> str:
    unit = next((unit for unit in ("GB", "MB", "KB") if count >= SIZE_UNITS[unit]), "B")
    return (
        f"{count / SIZE_UNITS[unit]:.0f} B"
        if unit == "B"
        else f"{count / SIZE_UNITS[unit]:.1f} {unit}"
    )
