"""`scripts/bench warm`: warm starts against cold starts in run time and accuracy."""

from __future__ import annotations

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from program_timing import TimedProgram, pin_cores, run_alternately
from rerun import DEFAULT_STRATEGY
from rich.table import Table

from engine.reporting.charts.windows import expand_ensemble_fits
from engine.runs.documents import Manifest

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

WARM_START_OVERRIDE = "training.warm_start=previous_window"
VARIANTS = {"cold": (), "warm": ("--set", WARM_START_OVERRIDE)}
WORKERS = 2
ROWS = {
    "training stage, s": ("refit_s", "{:.1f}"),
    "whole run, s": ("run_s", "{:.1f}"),
    "epochs in total": ("epochs", "{:,}"),
    "fits with a warm start": ("started_warm", "{}"),
    "validation loss": ("validation_loss", "{:.4f}"),
    "out-of-sample RMSE, bps": ("rmse_bps", "{:.2f}"),
    "directional accuracy, %": ("directional_accuracy_pct", "{:.2f}"),
}


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the strategy and data; by default the default strategy on offline bars."""
    parser.add_argument("--data", help="a dataset's name or manifest; default: offline bars")
    parser.add_argument("--strategy", type=Path, default=DEFAULT_STRATEGY)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="for both variants; repeatable",
    )
    parser.add_argument("--rounds", type=int, default=2, help="rounds; the fastest counts")
    parser.add_argument("--cores", type=int, default=WORKERS)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--no-pages", action="store_true", help="write no pages")


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Runs the same strategy with cold and with warm starts, each with an empty store.

    Raises:
        ProgramError: A run failed.
    """
    cores = pin_cores(options.cores)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        programs = {
            kind: TimedProgram(kind, partial(_run_command, options, Path(folder), kind))
            for kind in VARIANTS
        }
        run_alternately(list(programs.values()), options.rounds, log)
        summaries = {kind: _summarise(program) for kind, program in programs.items()}
        cold, warm = (_read_forecasts(program.outputs[0]) for program in programs.values())
        manifest = _read_manifest(programs["warm"].outputs[0])
    strategy = manifest.strategy
    return {
        "work": {
            "strategy": strategy["name"],
            "dataset": manifest.dataset.name,
            "windows": len(manifest.windows),
            "seeds": strategy["seeds"],
            "epochs": strategy["training"]["epochs"],
            "warm_epochs": strategy["training"]["warm_epochs"],
            "cores": cores,
            "workers": options.workers,
            "rounds": options.rounds,
        },
        **summaries,
        "refit_seconds_cold_vs_warm": summaries["cold"]["refit_s"] / summaries["warm"]["refit_s"],
        "run_seconds_cold_vs_warm": summaries["cold"]["run_s"] / summaries["warm"]["run_s"],
        "forecasts_compared": len(cold),
        "forecast_correlation": float(np.corrcoef(cold, warm.loc[cold.index])[0, 1]),
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints both variants in one table."""
    work = results["work"]
    table = Table(
        title=f"{work['strategy']} on {work['dataset']}: windows {work['windows']}, "
        f"seeds {work['seeds']}, epochs {work['epochs']}, warm {work['warm_epochs']}; "
        f"workers {work['workers']}, cores {work['cores']}, rounds {work['rounds']}"
    )
    table.add_column("fastest round, mean over fits", no_wrap=True)
    for kind in VARIANTS:
        table.add_column(kind, justify="right", no_wrap=True)
    for label, (key, form) in ROWS.items():
        table.add_row(label, *(form.format(results[kind][key]) for kind in VARIANTS))
    console.print(table)
    console.print(
        f"cold over warm: {results['refit_seconds_cold_vs_warm']:.2f}x in the training stage, "
        f"{results['run_seconds_cold_vs_warm']:.2f}x in all; correlation of the two forecasts "
        f"{results['forecast_correlation']:.3f} over {results['forecasts_compared']:,} bars; "
        f"always up has an accuracy of {results['cold']['up_share_pct']:.2f} %"
    )


def _run_command(options: Namespace, folder: Path, kind: str, turn: int) -> Sequence[str]:
    data = ("--data", options.data) if options.data else ("--offline",)
    overrides = (part for value in options.set for part in ("--set", value))
    home = folder / f"{kind}-{turn}"
    return [
        *("env", f"BACKTEST_HOME={home / 'home'}"),
        *(str(Path(sys.executable).with_name("backtest")), "run", str(options.strategy)),
        *(*data, *overrides, *VARIANTS[kind], "--workers", str(options.workers)),
        *("--quiet", "--json", "--out", str(home / "reports")),
        *(("--no-pages",) if options.no_pages else ()),
    ]


def _read_manifest(output: Mapping[str, Any]) -> Manifest:
    path = Path(output["run_dir"]) / "manifest.json"
    return Manifest.from_json(path.read_text(encoding="utf-8"), str(path))


def _summarise(program: TimedProgram) -> dict[str, Any]:
    """Run times of the fastest round, since other work on the machine only adds time.

    All other figures are equal in every round.
    """
    first = program.outputs[0]
    manifest = _read_manifest(first)
    stages = [_read_manifest(output).timings_s["refits"] for output in program.outputs]
    fits = [fit for window in manifest.windows for fit in window.fits]
    networks = [part for part in expand_ensemble_fits(fits) if part.epochs]
    scores = first["forecasts"]["strategy"]
    return {
        "refit_s": min(stages),
        "run_s": min(program.seconds),
        "fits": len(fits),
        "started_warm": sum(fit.warm is True for fit in fits),
        "epochs": sum(network.epochs for network in networks),
        "validation_loss": statistics.mean(
            network.validation_loss[network.best_epoch] for network in networks
        ),
        **{key: scores[key] for key in ("rmse_bps", "directional_accuracy_pct", "up_share_pct")},
    }


def _read_forecasts(output: Mapping[str, Any]) -> pd.Series[float]:
    """Mean forecast of the seeds, by bar, symbol and horizon."""
    table = pd.read_parquet(Path(output["run_dir"]) / "predictions.parquet")
    return table.groupby(["timestamp", "symbol", "horizon"])["predicted"].mean()
