"""A person at a terminal: begins a run, presses Ctrl-C, begins it again, reads the result."""

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
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("terminal")


@pytest.fixture(scope="module")
def screens(place: Path) -> dict[str, str]:
    """What was on the screen, by what had just happened."""
    write_strategy(place, market(place / "market"), MODEL)
    with terminal(place) as opened:
        return dict(_played(opened, place))


def _played(opened: Terminal, place: Path) -> Iterator[tuple[str, str]]:
    store = FitStore(place / "home" / "fits")
    opened.type(RUN)
    yield (
        "training",
        opened.wait_for(
            lambda screen: len(store.entries()) >= 2 and bool(re.search(r"\d trained", screen)),
            "fit that was trained",
        ),
    )
    opened.press("C-c")
    opened.wait_for(_waits_after("interrupted"), "prompt after the interrupt")
    opened.type("echo exit code $?")
    yield "interrupted", opened.wait_for(_waits_after("exit code 130"), "exit code")
    opened.clear()
    opened.type(RUN)
    opened.wait_for(_waits_after("quantstats"), "prompt after the result")
    opened.type("echo exit code $?")
    yield "finished", opened.wait_for(_waits_after("exit code 0"), "exit code")
    yield "coloured", opened.screen(colours=True)


def _waits_after(told: str) -> Callable[[str], bool]:
    """Whether that was told, at the end, and the shell waits for the next command."""

    def seen(screen: str) -> bool:
        lines = screen.splitlines()
        return lines[-1:] == [PROMPT] and any(line.startswith(told) for line in lines)

    return seen


def test_training_tells_its_count_its_windows_and_where_the_fits_came_from(screens) -> None:
    (line,) = [line for line in screens["training"].splitlines() if " trained" in line]
    assert re.search(r"refits .* \d+/\d+ .*\d+ of \d+ windows, 0 cached, [1-9]\d* trained", line)


def test_an_interrupt_ends_with_130_and_says_how_to_go_on(screens) -> None:
    lines = screens["interrupted"].splitlines()
    assert INTERRUPTED_FITS_STORED in lines  # on one line: it was not wrapped
    assert "exit code 130" in lines
    assert "Traceback" not in screens["interrupted"]


def test_the_run_goes_on_and_says_what_was_cached(screens) -> None:
    told = re.search(r"(\d+) fits: (\d+) cached, (\d+) trained", screens["finished"])
    assert told is not None
    every, cached, trained = map(int, told.groups())
    assert cached >= 2
    assert trained >= 1
    assert cached + trained == every
    assert "exit code 0" in screens["finished"].splitlines()


def test_the_result_fits_eighty_columns(screens) -> None:
    lines = screens["finished"].splitlines()
    heading = next(line for line in lines if line.startswith("Book "))
    assert heading.split()[:2] == ["Book", "Return"]
    assert any(line.startswith("Verdict: ") for line in lines)
    assert any(re.match(r"tearsheet +reports/small/", line) for line in lines)
    for line in lines:  # whatever the terminal had to wrap would begin a line in the middle
        assert not line.startswith(("% ", ", "))
    assert lines[-1].startswith(PROMPT)


def test_the_result_is_in_colour_on_a_terminal(screens) -> None:
    assert "\x1b[1m" in screens["coloured"]


def test_the_ledger_knows_both(screens, place: Path) -> None:
    assert screens
    rows = Ledger(place / "home" / "ledger.sqlite").rows()
    assert [row.status for row in rows] == ["interrupted", "finished"]
