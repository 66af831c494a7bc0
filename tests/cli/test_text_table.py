"""Text tables that fit the terminal, and when colours are on."""

from __future__ import annotations

import io

import pytest

from engine.cli.terminal import strip_styles, styled, wants_colours
from engine.cli.text_table import TextTableColumn, render_table

NAMES = TextTableColumn(0, "Name", ["a_long_strategy_name", "b"], align_right=False, min_width=6)
SHARPE = TextTableColumn(1, "Sharpe", ["0.50", "-1.23"], colours=["green", "red"])
TRADES = TextTableColumn(2, "Trades", ["1,204", "7"])


def lines(width: int, *columns: TextTableColumn) -> list[str]:
    return [strip_styles(line) for line in render_table(columns or (NAMES, SHARPE, TRADES), width)]


def test_a_wide_table_has_every_column_in_full() -> None:
    assert lines(80) == [
        "Name                  Sharpe  Trades",
        "a_long_strategy_name    0.50   1,204",
        "b                      -1.23       7",
    ]


def test_cells_are_truncated_before_a_column_is_left_out() -> None:
    assert lines(24) == [
        "Name      Sharpe  Trades",
        "a_long..    0.50   1,204",
        "b          -1.23       7",
    ]


def test_columns_of_the_highest_priority_are_left_out_first() -> None:
    assert lines(16) == ["Name      Sharpe", "a_long..    0.50", "b          -1.23"]
    assert lines(5) == ["Name", "a_lo..", "b"]


def test_a_truncated_cell_can_keep_its_end() -> None:
    column = TextTableColumn(
        0, "Run", ["signal.enter_bps=10"], align_right=False, min_width=10, keep_end=True
    )
    assert lines(12, column) == ["Run", "..ter_bps=10"]


def test_cells_are_coloured_and_lines_have_no_trailing_spaces() -> None:
    last = TextTableColumn(
        3, "Grade", ["none", "strong"], align_right=False, colours=["red", "green"]
    )
    table = render_table([SHARPE, last], 80)
    assert styled("  0.50", "green") in table[1]
    assert table[1].endswith(styled("none", "red"))
    assert [strip_styles(line) for line in table] == [
        strip_styles(line).rstrip() for line in table
    ]


def test_wide_letters_and_escapes_keep_the_columns_aligned() -> None:
    names = TextTableColumn(
        0, "Name", ["日経平均", "Индекс", "a\x1b[2J\n", "é"], align_right=False
    )
    figures = TextTableColumn(1, "Sharpe", ["0.50", "-1.23", "7.00", "8.00"])
    assert lines(80, names, figures) == [
        "Name        Sharpe",
        "日経平均      0.50",
        "Индекс       -1.23",
        r"a\x1b[2J\n    7.00",
        "é             8.00",
    ]
    names = TextTableColumn(0, "Name", ["日経平均株価"], align_right=False, min_width=5)
    assert lines(5, names) == ["Name", "日.."]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "env", "expected"),
    [
        (Screen(), {}, True),
        (io.StringIO(), {}, False),
        (Screen(), {"NO_COLOR": "1"}, False),
        (Screen(), {"NO_COLOR": ""}, True),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (Screen(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (Screen(), {"TERM": "dumb"}, False),
    ],
)
def test_colours_follow_the_stream_and_the_environment(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, env: dict[str, str], expected: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert wants_colours(stream) is expected
