"""`backtest features`: what the model of a strategy would see, before anything is trained."""

from __future__ import annotations

import json as json_
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from engine.cli.errors import handle_errors, print_notice
from engine.cli.options import (
    DataOption,
    DebugOption,
    JsonOption,
    OfflineOption,
    OverridesOption,
    QuietOption,
    StrategyArgument,
    limit_blas_threads,
)
from engine.cli.progress import stderr_progress
from engine.core.home import backtest_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.pipeline.prepare import PreparedData
    from engine.strategy import Strategy

HEADINGS = ("Feature", "Inputs", "Warm-up", "NaN", "Low", "High", "Drift", "Worst")
COLUMN_WIDTHS = (27, 9, 7, 4, 8, 8, 5, 5)
FIELD_LETTERS = {"open": "O", "high": "H", "low": "L", "close": "C", "volume": "V", "time": "time"}
LEGEND = (
    "Inputs: open, high, low, close and volume by their first letters. Warm-up: bars before the "
    "first value that counts. NaN: bars without a value; one past the warm-up ends a run. Drift: "
    "how far the test rows of a window are distributed from its train rows, 0 alike to 1 apart "
    "(Kolmogorov-Smirnov), median and worst of {windows} windows."
)


def features_command(
    strategy: StrategyArgument,
    data: DataOption = None,
    set_: OverridesOption = None,
    offline: OfflineOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Show every feature of a strategy on its bars.

    What decides it, how long it warms up, its range, and how far it drifts from the rows that
    train a window to those that test it.

    Trains nothing, and is no trial.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine.config import parse_overrides
        from engine.data import load_market
        from engine.pipeline.prepare import prepare_data
        from engine.strategy import load_strategy

        spec = load_strategy(Path(strategy), parse_overrides(set_ or ()), print_notice)
        with stderr_progress(quiet=quiet) as progress:
            progress.stage("data")
            home = backtest_home()
            market = load_market(
                spec.data, home=home, offline=offline, override=data, progress=progress
            )
            progress.stage("features")
            told = features_document(spec, prepare_data(spec, market))
        typer.echo(
            json_.dumps(told, indent=2, allow_nan=False) if json else render_features_text(told)
        )


def features_document(spec: Strategy, prepared: PreparedData) -> dict[str, Any]:
    """What the command prints as JSON: `windows`, and `features` with the coarser ones last.

    Ranges are over all bars; `drift_ks` is a number a window.
    """
    from statistics import median

    from engine.features.summary import coarse_bars_known_at, summarise_features

    history, stamps = prepared.feature_history, prepared.feature_history.features.timestamps
    cut = [(window.train, window.test) for window in prepared.windows]
    tables = {prepared.market.interval: summarise_features(history.features, spec.features, cut)}
    for coarse in history.coarse:
        known = [
            (coarse_bars_known_at(coarse.latest, a), coarse_bars_known_at(coarse.latest, b))
            for a, b in cut
        ]
        tables[coarse.interval] = summarise_features(coarse.features, spec.features, known)
    identity = prepared.market.provenance
    return {
        "strategy": spec.name,
        "dataset": {"name": identity["name"], "offline": identity["offline"]},
        "interval": prepared.market.interval,
        "bars": len(stamps),
        "first": stamps[0].isoformat(),
        "last": stamps[-1].isoformat(),
        "windows": [
            {
                name: [stamps[part[0]].isoformat(), stamps[part[-1]].isoformat()]
                for name, part in (("train", train), ("test", test))
            }
            for train, test in cut
        ],
        "features": [
            {
                "symbol": found.symbol,
                "interval": interval,
                "name": found.name,
                "inputs": list(found.input_columns),
                "warmup_bars": found.warmup,
                "nan_bars": found.nan_bars,
                "low": found.low,
                "high": found.high,
                "drift_ks": list(found.ks_by_window),
                "drift_ks_median": median(found.ks_by_window),
                "drift_ks_worst": max(found.ks_by_window),
            }
            for interval, table in tables.items()
            for found in table
        ],
    }


def render_features_text(document: Mapping[str, Any], width: int | None = None) -> str:
    """A table a symbol and interval, and what its columns mean.

    Args:
        document: By `features_document`.
        width: Columns; the terminal's where it is not given. Tables take 80 of them, or as many as
            their words need.
    """
    width = width or shutil.get_terminal_size().columns
    widths = _column_widths(document["features"], width)
    stood_in = " (offline stand-in)" if document["dataset"]["offline"] else ""
    lines = [
        f"{document['strategy']} on {document['dataset']['name']}{stood_in}",
        f"{document['bars']:,} bars of {document['interval']}, {document['first'][:10]} to "
        f"{document['last'][:10]}",
    ]
    group = None
    for row in document["features"]:
        if group != (group := (row["symbol"], row["interval"])):
            lines += ["", f"{row['symbol']}, {row['interval']}", _align_cells(HEADINGS, widths)]
        lines += _format_row(row, widths)
    legend = LEGEND.format(windows=len(document["windows"]))
    return "\n".join([*lines, "", *textwrap.wrap(legend, width)])


def _column_widths(rows: Sequence[Mapping[str, Any]], width: int) -> tuple[int, ...]:
    """The columns' widths: what is left of the terminal goes to words that need it."""
    name, inputs, *figures = COLUMN_WIDTHS
    room = max(0, width - sum(COLUMN_WIDTHS) - len(figures) - 1)
    for_inputs = min(room, max(0, *(len(_format_inputs(row["inputs"])) - inputs for row in rows)))
    for_name = min(room - for_inputs, max(0, *(len(row["name"]) - name for row in rows)))
    return name + for_name, inputs + for_inputs, *figures


def _format_row(row: Mapping[str, Any], widths: Sequence[int]) -> Iterator[str]:
    """A line; the words stand on one of their own where they are too long."""
    name, inputs = row["name"], _format_inputs(row["inputs"])
    if len(name) > widths[0] or len(inputs) > widths[1]:
        yield f"{name} {inputs}"
        name = inputs = ""
    yield _align_cells(
        (
            name,
            inputs,
            f"{row['warmup_bars']:,}",
            f"{row['nan_bars']:,}",
            _format_number(row["low"]),
            _format_number(row["high"]),
            f"{row['drift_ks_median']:.2f}",
            f"{row['drift_ks_worst']:.2f}",
        ),
        widths,
    )


def _align_cells(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, figures to the right."""
    padded = [
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return " ".join(padded).rstrip()


def _format_inputs(names: list[str]) -> str:
    """`HLC`; `C/ETH-USD` for a feature beside another symbol."""
    own = "".join(FIELD_LETTERS[name] for name in names if name in FIELD_LETTERS)
    others = [name.rpartition(":")[0] for name in names if name not in FIELD_LETTERS]
    return "/".join([own, *others])


def _format_number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
