"""Runs a strategy once a night, on a dataset that is one bar longer each night.

Started by `nights.py` with the engine of one build on PYTHONPATH; it uses `engine.run` alone.
Arguments: strategy file, folder of CSV files (a symbol each), bars of the first night, nights.
Prints one JSON object: seconds, CPU seconds (of child processes that ended too) and trained fits
of each night.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MANIFEST = """name: nights
interval: 1d
calendar: XNYS
symbols: [{symbols}]
sources:
  - kind: files
    path: bars
    pattern: "{{symbol}}.csv"
"""


def main() -> None:
    """Runs every night and prints the record."""
    strategy, source, first, nights, pages = (*sys.argv[1:3], *map(int, sys.argv[3:6]))
    with tempfile.TemporaryDirectory(prefix="nights-") as name:
        folder = Path(name)
        os.chdir(folder)  # workers look for the engine in the working directory first
        record = [
            _run_night(Path(strategy), Path(source), folder, first + night, pages=bool(pages))
            for night in range(nights)
        ]
    sys.stdout.write(json.dumps({"nights": record}))


def _run_night(
    strategy: Path, source: Path, folder: Path, bars: int, *, pages: bool
) -> dict[str, Any]:
    import engine

    dataset = _write_dataset(source, folder, bars)
    start, processor = time.perf_counter(), _processor_s()
    run = engine.run(
        strategy,
        data=str(dataset),
        home=folder / "home",
        out=folder / "reports",
        pages=pages,
    )
    return {
        "bars": bars,
        "seconds": time.perf_counter() - start,
        "processor_s": _processor_s() - processor,
        "trained": run.manifest.fits.trained,
        "stages": dict(run.manifest.timings_s),
    }


def _processor_s() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _write_dataset(source: Path, folder: Path, bars: int) -> Path:
    """The first bars of every symbol, as a dataset of files."""
    files = sorted(source.glob("*.csv"))
    (folder / "bars").mkdir(exist_ok=True)
    for file in files:
        lines = file.read_text().splitlines(keepends=True)
        (folder / "bars" / file.name).write_text("".join(lines[: bars + 1]))
    manifest = folder / "nights.yaml"
    manifest.write_text(MANIFEST.format(symbols=", ".join(file.stem for file in files)))
    return manifest


if __name__ == "__main__":
    main()
