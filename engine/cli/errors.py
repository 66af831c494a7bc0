"""Errors as a few lines on stderr, and the exit code of the command."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import typer

from engine.cli.terminal import BAD, print_notice, styled
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
            print_notice(traceback.format_exc(), nl=False)
        print_notice(interrupt_message)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        _discard_output(sys.stdout)
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
        print_notice("".join(traceback.format_exception(error)), nl=False)
    error = _explain_disk_fault(error)
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
    try:
        print_notice(f"{styled('error:', BAD, 'bold')}{text}")
    except OSError:  # stderr is a file on a full disk, or closed: the exit code is left to tell
        _discard_output(sys.stderr)
    return code


def _explain_disk_fault(error: Exception) -> Exception:
    """The four parts of an error that a disk raised where nobody expected it; else the error."""
    from engine.core.storage import find_disk_fault, storage_error

    fault = find_disk_fault(error)
    if fault is None:
        return error
    if fault.filename is not None:
        return storage_error("a file or folder cannot be used", fault.filename, fault, "")
    # Only a write does not say of which file it is; where the engine writes files it is told.
    _discard_output(sys.stdout)
    return storage_error(
        "the result cannot be written",
        "standard output, or a temporary file",
        fault,
        "redirect the output to another disk",
    )


def _discard_output(stream: TextIO) -> None:
    """Lets a stream write to nowhere: Python would fail again when it closes it at the end."""
    with suppress(OSError):  # a stream that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
