"""Program: one run of a strategy; CPU seconds of its leakage test and of everything.

Started by `certificate_cost.py`. Arguments: strategy, folder of runs, whether pages are drawn. The
home is that of BACKTEST_HOME. Prints one JSON object: CPU seconds of the leakage test (all threads
of this process, and of processes that it waited for), of this process from its start, imports
included, of its child processes (they draw pages), and trained fits.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from engine.backtest import runner


def main() -> None:
    """Runs the strategy and prints the record."""
    strategy, out, pages = Path(sys.argv[1]), Path(sys.argv[2]), bool(int(sys.argv[3]))
    spent: list[float] = []
    honest = vars(runner)["run_leakage_test"]

    def timed(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - any signature
        before = _own_s() + _children_s()
        certificate = honest(*given, **named)
        spent.append(_own_s() + _children_s() - before)
        return certificate

    vars(runner)["run_leakage_test"] = timed
    import engine

    run = engine.run(strategy, offline=True, out=out, pages=pages)
    fits = run.manifest.fits
    record = {
        "certificate_s": spent[0],
        "main_s": _own_s(),
        "children_s": _children_s(),
        "trained": 0 if fits is None else fits.trained,
    }
    sys.stdout.write(json.dumps(record))


def _own_s() -> float:
    return _processor_s(resource.RUSAGE_SELF)


def _children_s() -> float:
    return _processor_s(resource.RUSAGE_CHILDREN)


def _processor_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
