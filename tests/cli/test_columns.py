"""Tables that fit, and colours only where they are wanted."""

from __future__ import annotations

import io

import pytest

from engine.cli.text_table import TextTableColumn, render_table, strip_colours, wants_colours

NAMES = TextTableColumn(0, "Name", ["a_long_strategy_name", "b"], align_right=False, min_width=6)
SHARPE = TextTableColumn(1, "Sharpe", ["0.50", "-1.23"], colours=["green", "red"])
TRADES = TextTableColumn(2, "Trades", ["1,204", "7"])


def lines(width: int, *columns: TextTableColumn) -> list[str]:
    return [
        strip_colours(line) for line in render_table(columns or (NAMES, SHARPE, TRADES), width)
    ]


def test_with_room_every_column_is_whole_and_figures_stand_to_the_right() -> None:
    assert lines(80) == [
        "Name                  Sharpe  Trades",
        "a_long_strategy_name    0.50   1,204",
        "b                      -1.23       7",
    ]


def test_what_may_be_cut_is_cut_before_a_column_goes() -> None:
    assert lines(24) == [
        "Name      Sharpe  Trades",
        "a_long..    0.50   1,204",
        "b          -1.23       7",
    ]


def test_then_the_columns_of_the_highest_rank_go_and_no_figure_is_cut() -> None:
    assert lines(16) == ["Name      Sharpe", "a_long..    0.50", "b          -1.23"]
    assert lines(5) == ["Name", "a_lo..", "b"]


def test_of_a_label_its_end_may_stay() -> None:
    column = TextTableColumn(
        0, "Run", ["signal.enter_bps=10"], align_right=False, min_width=10, keep_end=True
    )
    assert lines(12, column) == ["Run", "..ter_bps=10"]


def test_a_cell_is_in_its_colour_and_lines_end_without_spaces() -> None:
    last = TextTableColumn(
        3, "Grade", ["none", "strong"], align_right=False, colours=["red", "green"]
    )
    told = render_table([SHARPE, last], 80)
    assert "\x1b[32m  0.50\x1b[0m" in told[1]
    assert told[1].endswith("\x1b[31mnone\x1b[0m")
    assert [strip_colours(line) for line in told] == [
        strip_colours(line).rstrip() for line in told
    ]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "env", "wanted"),
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
def test_colours_follow_the_stream_and_what_the_environment_asks(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, env: dict[str, str], wanted: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert wants_colours(stream) is wanted
