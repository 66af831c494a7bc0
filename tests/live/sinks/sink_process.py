"""The sinks of the account `demo` in a process of their own, until its input ends.

Usage: python sink_process.py JOURNAL. The sinks are those of the settings of the account.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.live.clock import SystemClock
from engine.live.journal.reader import JournalReader
from engine.live.paper.settings import PaperSettings
from engine.live.sinks.threads import SinkThreads


def tell(line: str) -> None:
    """Prints a notice."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    journal = Path(sys.argv[1])
    with JournalReader(journal) as reader:
        settings = PaperSettings.model_validate_json(reader.account("demo").settings)
    with SinkThreads(journal, "demo", settings.sinks, SystemClock(), tell):
        tell("running")
        sys.stdin.read()
