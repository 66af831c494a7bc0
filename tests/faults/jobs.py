"""Small commands that write: a run, a run with workers, a grid, a pull, a replication."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.data.store.cache import CacheKey, DamagedCacheFile, read_cache
from engine.runs.run import Run
from engine.runs.sums import SUMS_FILE
from tests.faults.commands import Command, Disk
from tests.pipeline.markets import bars, write_market

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from tests.faults.commands import Ended
    from tests.servers.local import Served

BARS = 260
STRATEGY = """name: {name}
data: {{dataset: {dataset}}}
features: [{{kind: log_return}}]
windows: {{train: 120, validation: 20, test: 60}}
model: {model}
seed: 7
signal: {{kind: threshold, enter_bps: 1, exit_bps: 0}}
sizing: {{kind: fixed}}
benchmarks: [{{kind: buy_and_hold}}]
costs: {{fee_bps: 5}}
evaluation: {{resamples: 200}}
"""
MODELS = {
    "ridge": "{kind: ridge, lookback: 3}",
    # Trained in worker processes, and stored; scikit-learn alone is imported there.
    "boosting": "{kind: gradient_boosting, lookback: 3, trees: 3}",
}

COINS = """name: coins
interval: 1d
calendar: 24/7
symbols: [BTC, ETH]
start: {start}
sources:
  - {{kind: ccxt, exchange: binance, symbols: {{BTC: BTC/USDT, ETH: ETH/USDT}}}}
"""
VINTAGES, SUPERSEDED = " vintages", " superseded"
TICKERS = ("BTC/USDT", "ETH/USDT")

# What two runs that are the same may differ in.
_OF_THE_PROCESS = {
    *("timings_s", "started_at", "machine", "command", "fits", "strategy_file", "ledger"),
}


@dataclass(frozen=True)
class Job:
    """A command and how its results are read.

    Attributes:
        name: Its name, for messages.
        arguments: Command line, without the folder of the runs.
        context: What replaces the network, see `fork_server.context_object`.
        rows: Rows of the trial ledger that it adds.
        lists: Names of the folders in `reports` that hold its runs.
        varying: Documents that depend on which of its own runs had finished before.
        served: The server that it pulls from.
        missing_fits: How many stored fits are taken away before it begins.
    """

    name: str
    arguments: tuple[str, ...]
    context: str = ""
    rows: int = 0
    varying: tuple[str, ...] = ()
    served: Served | None = field(default=None, repr=False)
    missing_fits: int = 0

    def command(self, disk: Disk) -> Command:
        out = ("--out", str(disk.reports), "--no-pages") if self.arguments[0] == "run" else ()
        url = self.served.url if self.served else ""
        return Command((*self.arguments, *out, "--json"), self.context, url)

    def results(self, disk: Disk, ended: Ended) -> dict[str, Any]:
        """What a repetition has to give again: files, bars, fits, and what was printed."""
        found = {**read_runs(disk, self.varying), **read_fits(disk), **read_bars(disk)}
        if self.arguments[0] == "replicate":
            found["printed"] = json.loads(ended.stdout) | {"fits": None}
        return found


def write_strategies(folder: Path) -> dict[str, Path]:
    """A market of one symbol, and a strategy for each model."""
    table = bars(1, edge=0.3).iloc[:BARS]
    dataset = write_market(folder / "market", {"AAA": table})
    files = {name: folder / f"{name}.yaml" for name in MODELS}
    for name, file in files.items():
        file.write_text(STRATEGY.format(name=name, dataset=dataset, model=MODELS[name]))
    return files


def copy_disk(disk: Disk, place: Path, missing_fits: int = 0) -> Disk:
    """The same disk at another place, without its first stored fits."""
    shutil.copytree(disk.folder, place / "disk")
    for fit in sorted((place / "disk" / "home" / "fits").glob("*/*.fit"))[:missing_fits]:
        fit.unlink()
    return Disk(place)


def read_runs(disk: Disk, varying: tuple[str, ...] = ()) -> dict[str, Any]:
    """Hashes of the files of every run; each is opened, and so is whole."""
    found: dict[str, Any] = {}
    for folder in disk.reports.glob("*/[!.]*"):
        if folder.parent.name == "families":
            continue
        run = Run.open(folder)
        manifest = {k: v for k, v in dict(run.manifest).items() if k not in _OF_THE_PROCESS}
        found[f"{folder.name}/manifest"] = json.loads(json.dumps(manifest, default=str))
        for file in folder.iterdir():
            # The hashes are of the manifest too, which has the times of the run.
            if file.stem not in {"manifest", SUMS_FILE, *varying}:
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                found[f"{folder.name}/{file.name}"] = digest
    return found


def read_fits(disk: Disk) -> dict[str, Any]:
    files = (disk.home / "fits").glob("*/*.fit")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def read_bars(disk: Disk) -> Mapping[str, Any]:
    """Bars, their earlier values and their vintages, without the times of the pulls."""
    found = {}
    for ticker in TICKERS:
        cached = read_cache(disk.home, CacheKey("ccxt binance", ticker, "1d"), ticker)
        assert not isinstance(cached, DamagedCacheFile), cached
        if cached is not None:
            found[f"{ticker} bars"] = _digest(cached.bars)
            found[f"{ticker}{SUPERSEDED}"] = _digest(cached.superseded.bars)
            found[f"{ticker}{VINTAGES}"] = [vintage.id for vintage in cached.vintages]
    return found


def _digest(table: pd.DataFrame) -> str:
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()
