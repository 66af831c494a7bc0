"""Runs the commands of documentation pages and compares their output with the page.

The `sh` blocks of such a page run in order and in one folder, with `backtest` and `python` on the
path. A `text` block directly after a `sh` block is its expected output: stdout, followed by stderr
if the block fails. A comment `<!-- exit code 3 -->` before a block gives its expected exit code,
and `<!-- not run -->` excludes it. A line `...` matches any number of lines.

    python scripts/documentation/walkthrough.py docs/tutorial.md

updates the outputs in the page.
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
    r"(?:\n```text\n(?P<output>.*?)```\n)?",
    re.DOTALL,
)
ELLIPSIS = "..."
FOLDER = "~/coins"
RUN_ID = re.compile(r"\b[0-9a-f]{12}\b")
RECENT_DATE = re.compile(r"\b20(?:2[6-9]|[3-9]\d)-\d\d-\d\d\b")
NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
TOLERANCE = 0.02
"""Of a figure, absolute or relative: the last digits differ between machines."""
CONTEXT_WORDS = 4
"""Words before and after the first difference in the description of it."""


@dataclass(frozen=True)
class Step:
    """One block of commands.

    Attributes:
        command: Text for the shell.
        expected_output: Output that the page shows; None where it shows none.
        exit_code: Expected exit code.
        is_run: Whether the block is run.
        output_span: Start and end of the expected output in the text of the page.
    """

    command: str
    expected_output: str | None
    exit_code: int
    is_run: bool
    output_span: tuple[int, int]


def parse_steps(page: str) -> list[Step]:
    """The blocks of a page, in order."""
    found = []
    for block in BLOCK.finditer(page):
        note = block["note"] or ""
        code = re.fullmatch(r"exit code (\d+)", note)
        found.append(
            Step(
                command=block["command"],
                expected_output=block["output"],
                exit_code=int(code[1]) if code else 0,
                is_run=note != "not run",
                output_span=block.span("output"),
            )
        )
    return found


def run_step(step: Step, folder: Path) -> str:
    """Runs a block in a folder and returns its output as a page would show it.

    Raises:
        AssertionError: The exit code is not the expected one.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BACKTEST_", "COV_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    environment = kept | {"PATH": path, "COLUMNS": "80", "NO_COLOR": "1"}
    completed = subprocess.run(
        ["/bin/sh", "-c", step.command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode != step.exit_code:
        message = f"{step.command}\nexit code {completed.returncode}, expected {step.exit_code}\n"
        raise AssertionError(message + completed.stdout + completed.stderr)
    output = completed.stdout + (completed.stderr if step.exit_code else "")
    return output.replace(str(folder), FOLDER)


def describe_difference(expected: str, output: str) -> str:
    """The words around the first difference, expected and found; empty if there is none.

    Line breaks are ignored.
    """
    for pair in _pair_texts(expected, output):
        expected_words, found_words = map(_normalise_words, pair)
        words = zip_longest(expected_words, found_words, fillvalue="")
        for index, (expected_word, found_word) in enumerate(words):
            if not _is_same_word(expected_word, found_word):
                around = slice(max(0, index - CONTEXT_WORDS), index + CONTEXT_WORDS + 1)
                return (
                    f"expected: {' '.join(expected_words[around])}\n"
                    f"found:    {' '.join(found_words[around])}"
                )
    return ""


def _pair_texts(expected: str, output: str) -> list[tuple[str, str]]:
    """Pairs of texts to compare: the whole, or the parts before and after the line `...`."""
    expected_lines, found_lines = expected.splitlines(), output.splitlines()
    if ELLIPSIS not in expected_lines:
        return [(expected, output)]
    head, tail = _lengths_around_ellipsis(expected_lines)
    return [
        ("\n".join(expected_lines[:head]), "\n".join(found_lines[:head])),
        (
            "\n".join(expected_lines[head + 1 :]),
            "\n".join(found_lines[len(found_lines) - tail :]),
        ),
    ]


def _lengths_around_ellipsis(lines: list[str]) -> tuple[int, int]:
    """Number of lines before and after the line `...`."""
    head = lines.index(ELLIPSIS)
    return head, len(lines) - head - 1


def _normalise_words(text: str) -> list[str]:
    """The words of a text, with placeholders for run ids and recent dates."""
    return RECENT_DATE.sub("DATE", RUN_ID.sub("ID", text)).split()


def _is_same_word(expected: str, found: str) -> bool:
    """Whether two words are equal except for the last digits of their figures."""
    if NUMBER.sub("#", expected) != NUMBER.sub("#", found):
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(found), strict=True)
    return all(_is_close(float(a.replace(",", "")), float(b.replace(",", ""))) for a, b in pairs)


def _is_close(expected: float, found: float) -> bool:
    return abs(expected - found) <= TOLERANCE * max(1.0, abs(expected))


def update_page(page: str, folder: Path) -> str:
    """Runs the blocks of a page and replaces the outputs that differ."""
    outputs = [(step, run_step(step, folder)) for step in parse_steps(page) if step.is_run]
    for step, output in reversed(outputs):
        if step.expected_output is not None and describe_difference(step.expected_output, output):
            start, end = step.output_span
            page = page[:start] + _with_ellipsis(step.expected_output, output) + page[end:]
    return page


def _with_ellipsis(expected: str, output: str) -> str:
    """The output, shortened by a line `...` where the expected output has one."""
    expected_lines, lines = expected.splitlines(), output.splitlines()
    if ELLIPSIS in expected_lines:
        head, tail = _lengths_around_ellipsis(expected_lines)
        lines = [*lines[:head], ELLIPSIS, *lines[len(lines) - tail :]]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def main() -> None:
    """Updates the pages named on the command line."""
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(name)
            page.write_text(update_page(page.read_text(encoding="utf-8"), Path(folder).resolve()))


if __name__ == "__main__":
    main()
