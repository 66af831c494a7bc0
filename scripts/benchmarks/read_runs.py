"""Reads and checks the bars of a dataset, with the engine of one build on PYTHONPATH.

Started by `read_speed.py`. Argument: the manifest. Prints one JSON object: seconds from the call
to the findings, seconds of processor time, peak memory of the process, bars, findings.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from engine.core.progress import NullProgress
from engine.data.check import check_dataset


def main() -> None:
    """Checks the dataset once and prints the record."""
    manifest = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="read-") as home:
        start, processor = time.perf_counter(), time.process_time()
        check = check_dataset(manifest, home=Path(home), offline=True, progress=NullProgress())
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        record = {
            "seconds": seconds,
            "processor_s": processor,
            "peak_mb": _peak_memory_mb(),
            "bars": sum(count or 0 for count in check.bar_counts.values()),
            "findings": len(check.findings),
        }
    sys.stdout.write(json.dumps(record))


def _peak_memory_mb() -> float:
    """Peak of this program alone; `ru_maxrss` includes that of the process that started it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
