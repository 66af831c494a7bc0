"""A small run with pages, and ways to change its folder."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd

import engine
from engine.runs.folder import PAGES
from engine.runs.sums import write_sums
from tests.pipeline.markets import bars, write_market

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STRATEGY = """name: small
data: {{dataset: {dataset}}}
features: [{{kind: log_return}}]
windows: {{train: 120, validation: 20, test: 60}}
model: {{kind: ridge, lookback: 3}}
seed: 7
signal: {{kind: threshold, enter_bps: 1, exit_bps: 0}}
sizing: {{kind: fixed}}
benchmarks: [{{kind: buy_and_hold}}]
costs: {{fee_bps: 5}}
evaluation: {{resamples: 200}}
"""


def write_small_strategy(folder: Path, *, more: str = "", rows: int = 260) -> Path:
    dataset = write_market(folder / "market", {"AAA": bars(1, edge=0.3).iloc[:rows]})
    file = folder / "small.yaml"
    file.write_text(STRATEGY.format(dataset=dataset) + more)
    return file


def make_run(folder: Path) -> engine.Run:
    """With pages of one line, as drawing real ones takes seconds."""
    run = engine.run(
        write_small_strategy(folder),
        out=folder / "reports",
        home=folder / "home",
        workers=1,
        pages=False,
    )
    for page in PAGES:
        (run.run_dir / f"{page}.html").write_text(f"<p>{page}</p>\n")
    write_sums(run.run_dir)
    return run


def copy_folder(run: engine.Run, to: Path) -> Path:
    shutil.copytree(run.run_dir, to)
    return to


def change_table(
    name: str, column: str, change: Callable[[Any], Any], row: int = 5
) -> Callable[[Path], None]:
    """One cell of a table; -1 is the last row."""

    def tamper(folder: Path) -> None:
        path = folder / f"{name}.parquet"
        table = pd.read_parquet(path)
        place = table.columns.get_loc(column)
        table.iloc[row, place] = change(table.iloc[row, place])
        table.to_parquet(path)

    return tamper


def change_figure(name: str, *path: str, to: Any) -> Callable[[Path], None]:
    """One value of a document; a function changes what is there."""

    def tamper(folder: Path) -> None:
        file = folder / f"{name}.json"
        document = json.loads(file.read_text())
        part = document
        for key in path[:-1]:
            part = part[int(key) if isinstance(part, list) else key]
        key = path[-1]
        assert key in part
        part[key] = to(part[key]) if callable(to) else to
        file.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")

    return tamper
