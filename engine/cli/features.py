"""`backtest features`: what the model of a strategy would see, before anything is trained."""

from __future__ import annotations

import json as json_
import os
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from engine.cli.failures import exit_codes
from engine.cli.options import (
    Data,
    Debug,
    Json,
    Offline,
    Overrides,
    Quiet,
    StrategyFile,
    one_thread_a_process,
)
from engine.cli.progress import told_on_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.pipeline.ground import Ground
    from engine.strategy import Strategy

HEADINGS = ("Feature", "Inputs", "Warm-up", "NaN", "Low", "High", "Drift", "Worst")
WIDTHS = (27, 9, 7, 4, 8, 8, 5, 5)
LETTERS = {"open": "O", "high": "H", "low": "L", "close": "C", "volume": "V", "time": "time"}
LEGEND = (
    "Inputs: open, high, low, close and volume by their first letters. Warm-up: bars before the "
    "first value that counts. NaN: bars without a value; one past the warm-up ends a run. Drift: "
    "how far the test rows of a window are distributed from its train rows, 0 alike to 1 apart "
    "(Kolmogorov-Smirnov), median and worst of {windows} windows."
)


def features(
    strategy: StrategyFile,
    data: Data = None,
    set_: Overrides = None,
    offline: Offline = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show every feature of a strategy on its bars.

    What decides it, how long it warms up, its range, and how far it drifts from the rows that
    train a window to those that test it.

    Trains nothing, and is no trial.
    """
    with exit_codes(debug=debug):
        one_thread_a_process()
        from engine.data.load import load_market
        from engine.documents import parse_overrides
        from engine.pipeline.ground import prepare
        from engine.strategy import load_strategy

        spec = load_strategy(Path(strategy), parse_overrides(set_ or ()))
        with told_on_stderr(quiet=quiet) as progress:
            progress.stage("data")
            home = Path(os.environ.get("BACKTEST_HOME") or ".backtest")
            market = load_market(
                spec.data, home=home, offline=offline, override=data, progress=progress
            )
            progress.stage("features")
            told = surveyed(spec, prepare(spec, market))
        typer.echo(json_.dumps(told, indent=2, allow_nan=False) if json else as_text(told))


def surveyed(spec: Strategy, ground: Ground) -> dict[str, Any]:
    """What the command tells, as JSON: `windows` and `features`, coarser ones after the bars' own.

    Ranges are over all bars; `drift_ks` is a number a window.
    """
    from statistics import median

    from engine.features.survey import reached, survey

    history, stamps = ground.history, ground.history.features.timestamps
    cut = [(window.train, window.test) for window in ground.windows]
    tables = {ground.market.interval: survey(history.features, spec.features, cut)}
    for coarse in history.coarse:
        known = [(reached(coarse.latest, a), reached(coarse.latest, b)) for a, b in cut]
        tables[coarse.interval] = survey(coarse.features, spec.features, known)
    identity = ground.market.identity
    return {
        "strategy": spec.name,
        "dataset": {"name": identity["name"], "offline": identity["offline"]},
        "interval": ground.market.interval,
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
                "inputs": list(found.inputs),
                "warmup_bars": found.warmup,
                "nan_bars": found.missing,
                "low": found.low,
                "high": found.high,
                "drift_ks": list(found.drift),
                "drift_ks_median": median(found.drift),
                "drift_ks_worst": max(found.drift),
            }
            for interval, table in tables.items()
            for found in table
        ],
    }


def as_text(told: Mapping[str, Any], width: int | None = None) -> str:
    """A table a symbol and interval, and what its columns mean.

    Args:
        told: By `surveyed`.
        width: Columns; the terminal's where it is not given. Tables take 80 of them, or as many as
            their words need.
    """
    width = width or shutil.get_terminal_size().columns
    widths = _widths(told["features"], width)
    stood_in = " (offline stand-in)" if told["dataset"]["offline"] else ""
    lines = [
        f"{told['strategy']} on {told['dataset']['name']}{stood_in}",
        f"{told['bars']:,} bars of {told['interval']}, {told['first'][:10]} to "
        f"{told['last'][:10]}",
    ]
    group = None
    for row in told["features"]:
        if group != (group := (row["symbol"], row["interval"])):
            lines += ["", f"{row['symbol']}, {row['interval']}", _line(HEADINGS, widths)]
        lines += _row(row, widths)
    legend = LEGEND.format(windows=len(told["windows"]))
    return "\n".join([*lines, "", *textwrap.wrap(legend, width)])


def _widths(rows: Sequence[Mapping[str, Any]], width: int) -> tuple[int, ...]:
    """The columns' widths: what is left of the terminal goes to words that need it."""
    name, inputs, *figures = WIDTHS
    room = max(0, width - sum(WIDTHS) - len(figures) - 1)
    for_inputs = min(room, max(0, *(len(_inputs(row["inputs"])) - inputs for row in rows)))
    for_name = min(room - for_inputs, max(0, *(len(row["name"]) - name for row in rows)))
    return name + for_name, inputs + for_inputs, *figures


def _row(row: Mapping[str, Any], widths: Sequence[int]) -> Iterator[str]:
    """A line; the words stand on one of their own where they are too long."""
    name, inputs = row["name"], _inputs(row["inputs"])
    if len(name) > widths[0] or len(inputs) > widths[1]:
        yield f"{name} {inputs}"
        name = inputs = ""
    yield _line(
        (
            name,
            inputs,
            f"{row['warmup_bars']:,}",
            f"{row['nan_bars']:,}",
            _figure(row["low"]),
            _figure(row["high"]),
            f"{row['drift_ks_median']:.2f}",
            f"{row['drift_ks_worst']:.2f}",
        ),
        widths,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, figures to the right."""
    padded = [
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return " ".join(padded).rstrip()


def _inputs(names: list[str]) -> str:
    """`HLC`; `C/ETH-USD` for a feature beside another symbol."""
    own = "".join(LETTERS[name] for name in names if name in LETTERS)
    others = [name.rpartition(":")[0] for name in names if name not in LETTERS]
    return "/".join([own, *others])


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
