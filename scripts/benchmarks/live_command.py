"""Program: one command of `backtest` in this process; its CPU seconds and what it imported.

Arguments: file for the JSON object, then those of `backtest`. The command's output is dropped.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

LARGE_LIBRARIES = ("tensorflow", "keras", "jax", "vectorbt", "numba", "scipy", "sklearn")


def main() -> None:
    """Runs the command and writes the record; exits with its code."""
    record, arguments = Path(sys.argv[1]), sys.argv[2:]
    from engine.cli.main import main as command

    sys.argv = ["backtest", *arguments]
    code: object = 0
    with Path(os.devnull).open("w", encoding="utf-8") as nothing:
        shown, sys.stdout = sys.stdout, nothing
        try:
            command()
        except SystemExit as done:
            code = done.code or 0
        sys.stdout = shown
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    record.write_text(
        json.dumps(
            {
                "cpu_s": sum(each.ru_utime + each.ru_stime for each in (own, children)),
                "imported": [name for name in LARGE_LIBRARIES if name in sys.modules],
            }
        )
    )
    sys.stdout.write("{}")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
