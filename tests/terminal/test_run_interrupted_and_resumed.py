"""A run on a terminal: started, interrupted with Ctrl-C, resumed and finished."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from engine.cli.errors import INTERRUPTED_FITS_STORED
from engine.training.store import FitStore
from engine.trials import Ledger
from tests.pipeline.markets import market, write_strategy
from tests.terminal.terminal import PROMPT, Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

MODEL = "{kind: micdl, lookback: 6, units: 8, dense: [16, 8]}"
RUN = "backtest run small.yaml --set seeds=2 --set training.epochs=20 --workers 1"


@pytest.fixture(scope="module")
def working_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("terminal")


@pytest.fixture(scope="module")
def screens(working_folder: Path) -> dict[str, str]:
    """Content of the screen after each step."""
    write_strategy(working_folder, market(working_folder / "market"), MODEL)
    with terminal(working_folder) as opened:
        return dict(_screens_by_step(opened, working_folder))


def _screens_by_step(opened: Terminal, working_folder: Path) -> Iterator[tuple[str, str]]:
    store = FitStore(working_folder / "home" / "fits")
    opened.type(RUN)
    yield (
        "training",
        opened.wait_for(
            lambda screen: len(store.entries()) >= 2 and bool(re.search(r"\d trained", screen)),
            "fit that was trained",
        ),
    )
    opened.press("C-c")
    opened.wait_for(_prompt_after("interrupted"), "prompt after the interrupt")
    opened.type("echo exit code $?")
    yield "interrupted", opened.wait_for(_prompt_after("exit code 130"), "exit code")
    opened.clear()
    opened.type(RUN)
    opened.wait_for(_prompt_after("quantstats"), "prompt after the result")
    opened.type("echo exit code $?")
    yield "finished", opened.wait_for(_prompt_after("exit code 0"), "exit code")
    yield "coloured", opened.screen(colours=True)


def _prompt_after(line_start: str) -> Callable[[str], bool]:
    """Whether a line starts so, and the prompt is the last line."""

    def seen(screen: str) -> bool:
        lines = screen.splitlines()
        return lines[-1:] == [PROMPT] and any(line.startswith(line_start) for line in lines)

    return seen


def test_training_shows_counts_windows_and_cached_fits(screens) -> None:
    (line,) = [line for line in screens["training"].splitlines() if " trained" in line]
    assert re.search(r"refits .* \d+/\d+ .*\d+ of \d+ windows, 0 cached, [1-9]\d* trained", line)


def test_an_interrupt_ends_with_130_and_says_how_to_continue(screens) -> None:
    lines = screens["interrupted"].splitlines()
    assert INTERRUPTED_FITS_STORED in lines  # on one line: it was not wrapped
    assert "exit code 130" in lines
    assert "Traceback" not in screens["interrupted"]


def test_the_resumed_run_uses_the_stored_fits(screens) -> None:
    counts = re.search(r"(\d+) fits: (\d+) cached, (\d+) trained", screens["finished"])
    assert counts is not None
    total, cached, trained = map(int, counts.groups())
    assert cached >= 2
    assert trained >= 1
    assert cached + trained == total
    assert "exit code 0" in screens["finished"].splitlines()


def test_the_result_fits_eighty_columns(screens) -> None:
    lines = screens["finished"].splitlines()
    heading = next(line for line in lines if line.startswith("Book "))
    assert heading.split()[:2] == ["Book", "Return"]
    assert any(line.startswith("Verdict: ") for line in lines)
    assert any(re.match(r"tearsheet +reports/small/", line) for line in lines)
    for line in lines:  # a line wrapped by the terminal would start in mid-sentence
        assert not line.startswith(("% ", ", "))
    assert lines[-1].startswith(PROMPT)


def test_the_result_is_coloured(screens) -> None:
    assert "\x1b[1m" in screens["coloured"]


def test_the_ledger_has_both_runs(screens, working_folder: Path) -> None:
    assert screens
    rows = Ledger(working_folder / "home" / "ledger.sqlite").rows()
    assert [row.status for row in rows] == ["interrupted", "finished"]
