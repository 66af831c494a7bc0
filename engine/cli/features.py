"""`backtest features`: the features of a strategy on its bars, without training."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.errors import handle_errors
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
from engine.cli.terminal import (
    display_width,
    pad,
    padded_width,
    print_json,
    print_notice,
    print_text,
)
from engine.core.control_characters import escape_line
from engine.core.home import backtest_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy

HEADINGS = ("Feature", "Inputs", "Warm-up", "NaN", "Low", "High", "Drift", "Worst")
COLUMN_WIDTHS = (27, 9, 7, 4, 8, 8, 5, 5)
FIELD_LETTERS = {"open": "O", "high": "H", "low": "L", "close": "C", "volume": "V", "time": "time"}
LEGEND = (
    "Inputs: open, high, low, close and volume by their first letters. Warm-up: bars before the "
    "first valid value. NaN: bars of the symbol without a value; a NaN after the warm-up ends a "
    "run with an error. Drift: Kolmogorov-Smirnov distance between the test rows and the train "
    "rows of a window, from 0 (same distribution) to 1 (disjoint); median and worst of "
    "{windows} windows."
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

    Inputs, warm-up, range, and the distribution shift between the train and test rows of the
    walk-forward windows.

    Trains nothing, and does not count as a trial.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine.config import parse_overrides
        from engine.pipeline.holdout import load_strategy_market
        from engine.pipeline.prepare import prepare_data
        from engine.strategy import load_strategy

        spec = load_strategy(Path(strategy), parse_overrides(set_ or ()), print_notice)
        with stderr_progress(quiet=quiet) as progress:
            progress.stage("data")
            home = backtest_home()
            market = load_strategy_market(
                spec, home=home, offline=offline, override=data, progress=progress
            )
            progress.stage("features")
            document = features_document(spec, prepare_data(spec, market))
        if json:
            print_json(document)
        else:
            print_text(render_features_text(document))


def features_document(spec: Strategy, prepared: PreparedData) -> dict[str, Any]:
    """The JSON document of the command; features of coarser intervals come last.

    `low` and `high` are over all bars; `drift_ks` has one value per window, null where a symbol
    has no value in its train or test rows.
    """
    from statistics import median

    from engine.features.summary import coarse_bars_known_at, summarise_features

    history, stamps = prepared.feature_history, prepared.feature_history.features.timestamps
    splits = [(window.train, window.test) for window in prepared.windows]
    tables = {
        prepared.market.interval: summarise_features(
            history.features, spec.features, splits, prepared.market.present
        )
    }
    for coarse in history.coarse:
        known = [
            (
                coarse_bars_known_at(coarse.latest, train),
                coarse_bars_known_at(coarse.latest, test),
            )
            for train, test in splits
        ]
        tables[coarse.interval] = summarise_features(coarse.features, spec.features, known)
    dataset = prepared.market.provenance
    return {
        "strategy": spec.name,
        "dataset": {"name": dataset["name"], "offline": dataset["offline"]},
        "interval": prepared.market.interval,
        "bars": len(stamps),
        "first": stamps[0].isoformat(),
        "last": stamps[-1].isoformat(),
        "windows": [
            {
                name: [stamps[part[0]].isoformat(), stamps[part[-1]].isoformat()]
                for name, part in (("train", train), ("test", test))
            }
            for train, test in splits
        ],
        "features": [
            {
                "symbol": summary.symbol,
                "interval": interval,
                "name": summary.name,
                "inputs": list(summary.input_columns),
                "warmup_bars": summary.warmup,
                "nan_bars": summary.nan_bars,
                "low": summary.low,
                "high": summary.high,
                "drift_ks": list(summary.ks_by_window),
                "drift_ks_median": median(drifts) if drifts else None,
                "drift_ks_worst": max(drifts, default=None),
            }
            for interval, table in tables.items()
            for summary in table
            for drifts in [[drift for drift in summary.ks_by_window if drift is not None]]
        ],
    }


def render_features_text(document: Mapping[str, Any], width: int | None = None) -> str:
    """One table per symbol and interval, and a legend of its columns.

    Args:
        document: Result of `features_document`.
        width: Width of the text; that of the terminal where it is None. Tables take 80 columns,
            or more where long names need it.
    """
    width = width or shutil.get_terminal_size().columns
    widths = _column_widths(document["features"], width)
    offline_note = " (offline dataset)" if document["dataset"]["offline"] else ""
    lines = [
        escape_line(f"{document['strategy']} on {document['dataset']['name']}{offline_note}"),
        f"{document['bars']:,} bars of {document['interval']}, {document['first'][:10]} to "
        f"{document['last'][:10]}",
    ]
    group = None
    for row in document["features"]:
        if group != (group := (row["symbol"], row["interval"])):
            lines += [
                "",
                escape_line(f"{row['symbol']}, {row['interval']}"),
                _align_cells(HEADINGS, widths),
            ]
        lines += _format_row(row, widths)
    legend = LEGEND.format(windows=len(document["windows"]))
    return "\n".join([*lines, "", *textwrap.wrap(legend, width)])


def _column_widths(rows: Sequence[Mapping[str, Any]], width: int) -> tuple[int, ...]:
    """Widths of the columns; spare width goes to the inputs, then to the names, that need it."""
    name, inputs, *figures = COLUMN_WIDTHS
    spare = max(0, width - sum(COLUMN_WIDTHS) - len(figures) - 1)
    inputs_width = padded_width(_format_inputs(row["inputs"]) for row in rows)
    for_inputs = min(spare, max(0, inputs_width - inputs))
    name_width = padded_width(row["name"] for row in rows)
    for_name = min(spare - for_inputs, max(0, name_width - name))
    return name + for_name, inputs + for_inputs, *figures


def _format_row(row: Mapping[str, Any], widths: Sequence[int]) -> Iterator[str]:
    """One line; name and inputs stand on a line of their own where they are too long."""
    name, inputs = escape_line(row["name"]), escape_line(_format_inputs(row["inputs"]))
    if display_width(name) > widths[0] or display_width(inputs) > widths[1]:
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
            _format_drift(row["drift_ks_median"]),
            _format_drift(row["drift_ks_worst"]),
        ),
        widths,
    )


def _align_cells(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Text aligned to the left, figures to the right."""
    padded = [
        pad(cell, width) if index < 2 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return " ".join(padded).rstrip()


def _format_inputs(names: list[str]) -> str:
    """`HLC`; `C/ETH-USD` for a feature that also uses another symbol."""
    own = "".join(FIELD_LETTERS[name] for name in names if name in FIELD_LETTERS)
    others = [name.rpartition(":")[0] for name in names if name not in FIELD_LETTERS]
    return "/".join([own, *others])


def _format_number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _format_drift(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
