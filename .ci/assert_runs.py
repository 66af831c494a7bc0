"""Checks what `backtest run --json` printed, and the run folders it names.

Several files are several runs of the same strategy on the same data: they have to agree.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TABLES = [
    f"{name}.parquet"
    for name in (
        *("bars", "predictions", "positions", "returns", "trades"),
        *("series", "round_trips", "forecasts"),
    )
]
DOCUMENTS = ["metrics.json", "significance.json", "certificate.json", "analysis.json"]
REPEATED = [*TABLES, *DOCUMENTS]
SUMS = "SHA256SUMS"
PAGES = ["tearsheet.html", "significance.html", "quantstats.html"]
PRINTED = {
    *("run_id", "run_dir", "dataset", "span", "risk_free_rate", "cash_yield", "metrics"),
    *("forecasts", "significance", "left_out", "certificate", "verdict", "next_orders"),
}
BOOKS = {"strategy", "buy_and_hold", "ma_crossover", "mean_reversion", "ridge", "persistence"}


def demand(rule: str, *, holds: bool) -> None:
    """Ends the program where a rule does not hold."""
    if not holds:
        sys.exit(f"broken: {rule}")


def check_run(printed: dict[str, Any], *, offline: bool) -> None:
    """One run: what it printed, and what lies in its folder."""
    folder = Path(printed["run_dir"])
    names = {path.name for path in folder.iterdir()}
    demand("the JSON has every key", holds=set(printed) == PRINTED)
    demand("the dataset is the one asked for", holds=printed["dataset"]["offline"] is offline)
    demand("the books are all there", holds=set(printed["metrics"]) == BOOKS)
    demand("the run folder is whole", holds=names == {"manifest.json", *REPEATED, *PAGES, SUMS})
    demand("no file is empty", holds=all((folder / name).stat().st_size for name in names))
    listed = {line.split("  ")[1] for line in (folder / SUMS).read_text().splitlines()}
    demand("every other file has its hash", holds=listed == names - {SUMS})
    demand(
        "no draft is left behind", holds=[p.name for p in folder.parent.iterdir()] == [folder.name]
    )

    documents = {
        name: json.loads((folder / name).read_text()) for name in names if ".json" in name
    }
    demand(
        "the id is the manifest's", holds=documents["manifest.json"]["run_id"] == printed["run_id"]
    )
    demand(
        "every document has its version",
        holds={each["schema_version"] for each in documents.values()} == {1},
    )
    demand(
        "the figures are the file's",
        holds=documents["metrics.json"]["books"] == printed["metrics"],
    )

    live_path = documents["metrics.json"]["live_path"]
    demand("the newest bars were replayed live", holds=live_path["bars"] > 0)
    demand("the live path equals the run", holds=not any(live_path["differing"].values()))

    certificate = documents["certificate.json"]
    demand("the certificate is the file's", holds=printed["certificate"] == certificate)
    demand("no look-ahead was found", holds=certificate["result"] == "passed")
    demand("it was looked for at 8 cuts or more", holds=len(certificate["cuts"]) >= 8)
    compared = certificate["compared"]
    demand("the arrays of fits were compared", holds=compared["training arrays"]["values"] > 0)
    demand("stored models predicted again", holds=compared["predictions"]["values"] > 0)
    demand("no model of the engine was fitted again", holds=certificate["fits_refitted"] == 0)

    check_tables(printed, folder)


def check_tables(printed: dict[str, Any], folder: Path) -> None:
    """The tables agree with each other and with the figures that were printed."""
    frames = {name: pd.read_parquet(folder / name) for name in TABLES}
    predictions, returns = frames["predictions.parquet"], frames["returns.parquet"]
    demand("every prediction is a number", holds=np.isfinite(predictions["predicted"]).all())
    demand("every return is a number", holds=np.isfinite(returns.to_numpy()).all())
    demand("a return a bar", holds=len(returns) == printed["span"]["bars"])
    demand("every book has positions", holds=set(frames["positions.parquet"]["book"]) == BOOKS)
    series = frames["series.parquet"]
    own = series.loc[series["book"] == "strategy", "equity"].to_numpy()
    growth = np.cumprod(1 + returns["strategy"].to_numpy())
    demand("the equity is that of the returns", holds=bool(np.allclose(own, growth)))
    grown = 100 * (float(np.prod(1 + returns["strategy"].to_numpy())) - 1)
    reported = printed["metrics"]["strategy"]["total_return_pct"]
    demand("the return is that of the table", holds=bool(np.isclose(grown, reported)))


def check_agreement(first: dict[str, Any], other: dict[str, Any]) -> None:
    """Two runs of the same inputs: same id, same bytes."""
    demand("same inputs, same id", holds=first["run_id"] == other["run_id"])
    for name in REPEATED:
        one, two = (Path(run["run_dir"], name).read_bytes() for run in (first, other))
        demand(f"same inputs, same bytes in {name}", holds=one == two)


def main() -> None:
    """Reads the arguments and checks every run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("printed", nargs="+", type=Path)
    parser.add_argument("--offline", action="store_true", help="the offline dataset is expected")
    asked = parser.parse_args()
    runs = [json.loads(path.read_text()) for path in asked.printed]
    for run in runs:
        check_run(run, offline=asked.offline)
        check_agreement(runs[0], run)
    print(f"checked {len(runs)}, id {runs[0]['run_id']}: {runs[0]['verdict']['sentence']}")  # noqa: T201 - the output of a script


if __name__ == "__main__":
    main()
