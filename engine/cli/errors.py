"""Errors as a few lines on stderr, and the exit code of the command."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from engine.cli.text_table import BAD, wants_colours
from engine.core.errors import EXIT_INTERRUPTED, BacktestError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_UNEXPECTED = 1
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE, as shells report it

INTERRUPTED_FITS_STORED = (
    "interrupted; finished fits are stored, and the same command continues from them"
)
"""Message after Ctrl-C in commands that train."""


@contextmanager
def handle_errors(*, debug: bool, interrupt_message: str = "interrupted") -> Iterator[None]:
    """Prints any error raised inside, and ends the command with its exit code.

    Args:
        debug: Print the traceback too.
        interrupt_message: Message after Ctrl-C.

    Raises:
        typer.Exit: With the exit code, where an error was raised.
    """
    try:
        yield
        sys.stdout.flush()
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        if debug:
            traceback.print_exc()
        typer.echo(interrupt_message, err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        # The reader is gone (`| head`); Python would report it again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(EXIT_BROKEN_PIPE) from None
    except Exception as error:  # noqa: BLE001 - the last handler; --debug shows the traceback
        raise typer.Exit(print_error(error, debug=debug)) from None


def print_error(error: Exception, *, debug: bool, failed_part: str = "") -> int:
    """Prints an error on stderr.

    Args:
        error: Any error; one that is no BacktestError is a fault of the engine.
        debug: Print the traceback too.
        failed_part: Which run failed, where there are several.

    Returns:
        The exit code of the error.
    """
    if debug:
        traceback.print_exception(error)
    message, code = f"{error}", EXIT_UNEXPECTED
    if isinstance(error, BacktestError):
        code = error.exit_code
    else:
        message = f"{type(error).__name__}: {error}"
        if not debug:
            message += "\n  this is a fault of the engine; --debug shows the traceback"
    text = _wrap_to_terminal(
        f"error: {f'{failed_part}: ' if failed_part else ''}{message}"
    ).removeprefix("error:")
    label = typer.style("error:", fg=BAD, bold=True)
    typer.echo(f"{label}{text}", err=True, color=wants_colours(sys.stderr))
    return code


def _wrap_to_terminal(text: str) -> str:
    """On a terminal, wraps lines between words, with a hanging indent."""
    if not sys.stderr.isatty():
        return text
    width = shutil.get_terminal_size().columns
    lines = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        lines += textwrap.wrap(
            line,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        ) or [""]
    return "\n".join(lines)


def print_notice(text: str) -> None:
    """Prints a line that is no error on stderr."""
    typer.echo(text, err=True)
