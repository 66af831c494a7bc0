"""`scripts/bench warm`: what a warm start gains in time and costs in accuracy, side by side."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from contest import Contender, compete, confine
from rich.table import Table
from stored import DEFAULT

from engine.reporting.charts.losses import trained

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

WARM = "training.warm_start=previous_window"
KINDS = {"cold": (), "warm": ("--set", WARM)}
WORKERS = 2
ROWS = {
    "refit stage, s": ("refit_s", "{:.1f}"),
    "whole run, s": ("run_s", "{:.1f}"),
    "epochs in all": ("epochs", "{:,}"),
    "fits that started warm": ("started_warm", "{}"),
    "validation loss": ("validation_loss", "{:.4f}"),
    "out-of-sample RMSE, bps": ("rmse_bps", "{:.2f}"),
    "direction right, %": ("directional_accuracy_pct", "{:.2f}"),
}


def add_arguments(arguments: ArgumentParser) -> None:
    """What is trained; without any, the default strategy on the bars that come with it."""
    arguments.add_argument("--data", help="a dataset's name or manifest; default: offline bars")
    arguments.add_argument("--strategy", type=Path, default=DEFAULT)
    arguments.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="for both; repeatable"
    )
    arguments.add_argument("--rounds", type=int, default=2, help="of which the fastest counts")
    arguments.add_argument("--cores", type=int, default=WORKERS)
    arguments.add_argument("--workers", type=int, default=WORKERS)


def measure(given: Namespace, tell: Callable[[str], None]) -> dict[str, Any]:
    """The same strategy on the same windows twice, each time into a store of its own.

    Raises:
        ProgramError: A run failed.
    """
    cores = confine(given.cores)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        contenders = {
            kind: Contender(kind, partial(_command, given, Path(folder), kind)) for kind in KINDS
        }
        compete(list(contenders.values()), given.rounds, tell)
        found = {kind: _told(contender) for kind, contender in contenders.items()}
        cold, warm = (_forecasts(contender.told[0]) for contender in contenders.values())
        manifest = _manifest(contenders["warm"].told[0])
    strategy = manifest["strategy"]
    return {
        "work": {
            "strategy": strategy["name"],
            "dataset": manifest["dataset"]["name"],
            "windows": len(manifest["windows"]),
            "seeds": strategy["seeds"],
            "epochs": strategy["training"]["epochs"],
            "warm_epochs": strategy["training"]["warm_epochs"],
            "cores": cores,
            "workers": given.workers,
            "rounds": given.rounds,
        },
        **found,
        "refit_seconds_cold_vs_warm": found["cold"]["refit_s"] / found["warm"]["refit_s"],
        "run_seconds_cold_vs_warm": found["cold"]["run_s"] / found["warm"]["run_s"],
        "forecasts_compared": len(cold),
        "forecast_correlation": float(np.corrcoef(cold, warm.loc[cold.index])[0, 1]),
    }


def show(found: Mapping[str, Any], console: Console) -> None:
    """The two side by side."""
    work = found["work"]
    table = Table(
        title=f"{work['strategy']} on {work['dataset']}: windows {work['windows']}, "
        f"seeds {work['seeds']}, epochs {work['epochs']}, where warm {work['warm_epochs']}; "
        f"workers {work['workers']}, cores {work['cores']}, rounds {work['rounds']}"
    )
    table.add_column("fastest round, mean over fits", no_wrap=True)
    for kind in KINDS:
        table.add_column(kind, justify="right", no_wrap=True)
    for label, (key, form) in ROWS.items():
        table.add_row(label, *(form.format(found[kind][key]) for kind in KINDS))
    console.print(table)
    console.print(
        f"cold over warm: {found['refit_seconds_cold_vs_warm']:.2f}x in the refit stage, "
        f"{found['run_seconds_cold_vs_warm']:.2f}x in all; correlation of the two forecasts "
        f"{found['forecast_correlation']:.3f} over {found['forecasts_compared']:,} bars; "
        f"always up would have been right on {found['cold']['up_share_pct']:.2f} %"
    )


def _command(given: Namespace, folder: Path, kind: str, turn: int) -> Sequence[str]:
    data = ("--data", given.data) if given.data else ("--offline",)
    overrides = (part for value in given.set for part in ("--set", value))
    place = folder / f"{kind}-{turn}"
    return [
        *("env", f"BACKTEST_HOME={place / 'home'}"),
        *(str(Path(sys.executable).with_name("backtest")), "run", str(given.strategy)),
        *(*data, *overrides, *KINDS[kind], "--workers", str(given.workers)),
        *("--quiet", "--json", "--out", str(place / "reports")),
    ]


def _manifest(told: Mapping[str, Any]) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((Path(told["run_dir"]) / "manifest.json").read_text())
    return manifest


def _told(contender: Contender) -> dict[str, Any]:
    """Times are the fastest round's, because whatever else the machine does only ever adds.

    All other figures are the same in every round.
    """
    first = contender.told[0]
    manifest = _manifest(first)
    stages = [_manifest(told)["timings_s"]["refits"] for told in contender.told]
    fits = [fit for window in manifest["windows"] for fit in window["fits"]]
    networks = [part for part in trained(fits) if part["epochs"]]
    scores = first["forecasts"]["strategy"]
    return {
        "refit_s": min(stages),
        "run_s": min(contender.seconds),
        "fits": len(fits),
        "started_warm": sum(fit.get("warm", False) for fit in fits),
        "epochs": sum(network["epochs"] for network in networks),
        "validation_loss": statistics.mean(
            network["validation_loss"][network["best_epoch"]] for network in networks
        ),
        **{key: scores[key] for key in ("rmse_bps", "directional_accuracy_pct", "up_share_pct")},
    }


def _forecasts(told: Mapping[str, Any]) -> pd.Series[float]:
    """Mean over the seeds, by bar, symbol and horizon."""
    table = pd.read_parquet(Path(told["run_dir"]) / "predictions.parquet")
    return table.groupby(["timestamp", "symbol", "horizon"])["predicted"].mean()
