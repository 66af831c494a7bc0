"""Pages whose commands are run: what a page shows is held against what comes out.

In such a page a block `sh` is run in one folder after the other, by the shell and with `backtest`
and `python` on the path. A block `text` right behind it is what it prints: stdout, and stderr too
where it fails. A comment `<!-- exit code 3 -->` before the block says that it has to fail, and
`<!-- not run -->` that it is left out. A line `...` stands for any lines.

    python scripts/documentation/walkthrough.py docs/tutorial.md

writes the outputs into the page anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

BLOCK = re.compile(
    r"(?:<!-- (?P<note>[^\n]+) -->\n)?```sh\n(?P<command>.*?)```\n"
    r"(?:\n```text\n(?P<shown>.*?)```\n)?",
    re.DOTALL,
)
FOLDER = "~/coins"
RUN_ID = re.compile(r"\b[0-9a-f]{12}\b")
RECENT = re.compile(r"\b20(?:2[6-9]|[3-9]\d)-\d\d-\d\d\b")
NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
TOLERANCE = 0.02
"""Of a figure, absolute or relative: machines round the last digits in their own ways."""


@dataclass(frozen=True)
class Step:
    """One block of commands.

    Attributes:
        command: For the shell.
        shown: What the page says is printed; None where it shows nothing.
        exit_code: It has to end with.
        run: Whether it is run at all.
        place: Of what is shown, in the page's text.
    """

    command: str
    shown: str | None
    exit_code: int
    run: bool
    place: tuple[int, int]


def steps(page: str) -> list[Step]:
    """The blocks of a page, in their order."""
    found = []
    for block in BLOCK.finditer(page):
        note = block["note"] or ""
        code = re.fullmatch(r"exit code (\d+)", note)
        runs = note != "not run"
        wanted = int(code[1]) if code else 0
        found.append(Step(block["command"], block["shown"], wanted, runs, block.span("shown")))
    return found


def printed(step: Step, folder: Path) -> str:
    """What a block prints in a folder, as a page would show it.

    Raises:
        AssertionError: It ended with another exit code than the page says.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BACKTEST_", "COV_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    environment = kept | {"PATH": path, "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        ["/bin/sh", "-c", step.command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != step.exit_code:
        told = f"{step.command}\nended with {done.returncode}, not {step.exit_code}\n"
        raise AssertionError(told + done.stdout + done.stderr)
    output = done.stdout + (done.stderr if step.exit_code else "")
    return output.replace(str(folder), FOLDER)


def differs(shown: str, output: str) -> str:
    """The first words shown that are not printed, with what stands there; nothing if all are.

    Where lines are broken does not matter.
    """
    said, came = (list(map(_words, texts)) for texts in _parts(shown, output))
    for told, printed_ in zip(said, came, strict=True):
        for place, (word, other) in enumerate(zip_longest(told, printed_, fillvalue="")):
            if not _same(word, other):
                around = slice(max(0, place - 4), place + 5)
                return f"shown:   {' '.join(told[around])}\nprinted: {' '.join(printed_[around])}"
    return ""


def _parts(shown: str, output: str) -> tuple[list[str], list[str]]:
    """Texts to compare, side by side: before and after the line that stands for others."""
    said, came = shown.splitlines(), output.splitlines()
    if "..." not in said:
        return [shown], [output]
    head = said.index("...")
    tail = len(said) - head - 1
    ends = (slice(0, head), slice(len(came) - tail, None))
    parts = (said[:head], said[head + 1 :]), tuple(came[end] for end in ends)
    first, second = (["\n".join(lines) for lines in half] for half in parts)
    return first, second


def _words(text: str) -> list[str]:
    return RECENT.sub("DATE", RUN_ID.sub("ID", text)).split()


def _same(told: str, word: str) -> bool:
    """Whether two words are one, but for the last digits of a figure."""
    if NUMBER.sub("#", told) != NUMBER.sub("#", word):
        return False
    pairs = zip(NUMBER.findall(told), NUMBER.findall(word), strict=True)
    return all(_near(float(a.replace(",", "")), float(b.replace(",", ""))) for a, b in pairs)


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE * max(1.0, abs(one))


def rewritten(page: str, folder: Path) -> str:
    """The page with what its blocks print now, where that is something else."""
    outputs = [(step, printed(step, folder)) for step in steps(page) if step.run]
    for step, output in reversed(outputs):
        if step.shown is not None and differs(step.shown, output):
            start, end = step.place
            page = page[:start] + _as_shown(step.shown, output) + page[end:]
    return page


def _as_shown(shown: str, output: str) -> str:
    said, came = shown.splitlines(), output.splitlines()
    if "..." in said:
        head = said.index("...")
        tail = len(said) - head - 1
        came = [*came[:head], "...", *came[len(came) - tail :]]
    return "".join(f"{line.rstrip()}\n" for line in came)


def main() -> None:
    """Rewrites the pages that are named."""
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(name)
            page.write_text(rewritten(page.read_text(encoding="utf-8"), Path(folder).resolve()))


if __name__ == "__main__":
    main()
