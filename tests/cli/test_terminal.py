"""Text on a terminal: data is shown escaped, the colours of the engine are codes."""

from __future__ import annotations

import ast
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.cli.progress import LineProgress, QuietProgress, RichProgress
from engine.cli.terminal import (
    ask,
    display_width,
    pad,
    print_json,
    print_lines,
    styled,
    write_text,
)
from engine.core.control_characters import escape_controls, escape_line
from tests.cli.terminal_text import HOSTILE, find_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x1b]8;;http://example.org\x07", r"\x1b]8;;http://example.org\x07"),
        ("a\rb", r"a\rb"),
        ("\x00\x7f\x85\x9b", r"\x00\x7f\x85\x9b"),
        ("\u202eexe\u202c \u2066x\u2069", r"\u202eexe\u202c \u2066x\u2069"),
        ("\u200b\u200e\u2060\ufeff\u00ad", r"\u200b\u200e\u2060\ufeff\xad"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800\udc9b", r"\ud800\udc9b"),
        ("\ufdd0\uffff", r"\ufdd0\uffff"),
        ("\u115f\u3164", r"\u115f\u3164"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "BRK.B ^GSPC EUR/USD a\\b 100 %",
        "Сбербанк ΑΒΓ 日経平均 שלום مرحبا",
        "e\u0301 ñ",
        "\N{ROCKET} \u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
        "R² \N{MINUS SIGN} 5 %\N{NO-BREAK SPACE}█▓▒░·",
        "two\nlines\tand a tab",
    ],
)
def test_text_of_any_script_stays_as_it_is(text: str) -> None:
    assert escape_controls(text) == text


def test_a_joiner_is_hidden_only_inside_of_emoji() -> None:
    assert escape_controls("A\u200dB") == r"A\u200dB"
    assert escape_controls("\u200d\N{ROCKET}") == "\\u200d\N{ROCKET}"


def test_a_line_has_no_line_break() -> None:
    assert escape_line("a\nb\tc") == r"a\nb\tc"


@given(st.text())
def test_no_text_leaves_a_control_character(text: str) -> None:
    assert find_controls(escape_controls(text)) == []
    assert escape_controls(escape_controls(text)) == escape_controls(text)
    assert display_width(pad(text, 400)) >= 400


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_only_the_colours_of_the_engine_become_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    screen, pipe = Screen(), io.StringIO()
    text = f"{styled('good', 'green', 'bold')} \x1b[31mred\x1b[0m"
    write_text(screen, text)
    write_text(pipe, text)
    assert screen.getvalue() == "\x1b[32m\x1b[1mgood\x1b[0m " + r"\x1b[31mred\x1b[0m" + "\n"
    assert pipe.getvalue() == r"good \x1b[31mred\x1b[0m" + "\n"


@pytest.mark.parametrize(
    ("answer", "expected"), [("y\n", True), ("YES\n", True), ("n\n", False), ("", False)]
)
def test_a_question_is_asked_on_a_terminal(
    answer: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stdin", Screen(answer))
    monkeypatch.setattr("sys.stderr", screen)
    assert ask("Run them all?") is expected
    assert screen.getvalue() == "Run them all? [y/N] "


def test_without_a_terminal_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("Run them all?") is False
    assert capsys.readouterr().err == ""


def test_an_unknown_colour_is_refused() -> None:
    with pytest.raises(ValueError, match="found pink"):
        styled("text", "pink")


def test_a_line_break_in_data_makes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines([f"symbol A\nVerdict: {styled('strong', 'green')}", Path("a\nb")])
    assert capsys.readouterr().out == "symbol A\\nVerdict: strong\na\\nb\n"


def test_json_holds_the_data_itself(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"symbol": HOSTILE})
    out = capsys.readouterr().out
    assert out.isascii()
    assert find_controls(out) == []
    assert json.loads(out) == {"symbol": HOSTILE}


@pytest.mark.parametrize("kind", [QuietProgress, LineProgress])
def test_progress_on_a_stream_is_escaped(kind: type[LineProgress]) -> None:
    stream = io.StringIO()
    progress = kind(stream)
    progress.run(1, 2, HOSTILE)
    progress.stage(HOSTILE)
    progress.notice(HOSTILE)
    progress.line(HOSTILE)
    progress.advance(2, 2, HOSTILE)
    assert find_controls(stream.getvalue()) == []
    assert r"\x1b[2J" in stream.getvalue()


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_progress_bar_shows_names_as_they_are(is_terminal: bool) -> None:
    from rich.console import Console

    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, width=200, force_terminal=is_terminal))
    name = "[red]a[/red] :bomb: \u202e\x1b[2J\u200b"
    with progress.displayed():
        progress.run(1, 2, name)
        progress.stage(name)
        progress.notice(name)
        progress.line(name)
        progress.advance(1, 2, name)
        progress.redraw()
    shown = r"[red]a[/red] :bomb: \u202e\x1b[2J\u200b"
    assert not set("\u202e\u200b") & set(stream.getvalue())
    assert "\x1b[2J" not in stream.getvalue()
    assert stream.getvalue().count(shown) >= 4


def test_nothing_is_printed_by_another_way() -> None:
    """One module writes to the terminal; the others call its functions."""
    root = Path(engine.__file__).parent
    found = [
        f"{path.relative_to(root)}:{node.lineno}: {name}"
        for path in sorted(root.rglob("*.py"))
        if path != root / "cli" / "terminal.py"
        for text in [path.read_text(encoding="utf-8")]
        if re.search(r"print|echo|secho|typer\.(style|confirm|prompt)|std(out|err)\.", text)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in PRINTING
    ]
    assert found == []


PRINTING = {
    "print",
    "typer.echo",
    "typer.secho",
    "typer.style",
    "typer.confirm",
    "typer.prompt",
    "sys.stdout.write",
    "sys.stderr.write",
    "traceback.print_exc",
    "traceback.print_exception",
    "self._console.log",
}
