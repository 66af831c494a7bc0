"""Errors as a few lines on stderr and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from engine.errors import EXIT_INTERRUPTED, BacktestError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_UNEXPECTED = 1
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell reports it of any program


@contextmanager
def exit_codes(*, debug: bool) -> Iterator[None]:
    """Ends the command with the exit code of whatever is raised inside.

    Args:
        debug: Print the traceback too.

    Raises:
        typer.Exit: With the code; nothing where all went well.
    """
    try:
        yield
        sys.stdout.flush()
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        _leave("interrupted", EXIT_INTERRUPTED, debug=debug)
    except BrokenPipeError:
        # The reader has gone (`| head`); Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(EXIT_BROKEN_PIPE) from None
    except BacktestError as error:
        _leave(f"error: {error}", error.exit_code, debug=debug)
    except Exception as error:  # noqa: BLE001 - the last one to see it; --debug shows where
        hint = "" if debug else "\n  this is a fault of the engine; --debug shows where it arose"
        _leave(f"error: {type(error).__name__}: {error}{hint}", EXIT_UNEXPECTED, debug=debug)


def _leave(message: str, code: int, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    typer.echo(message, err=True)
    raise typer.Exit(code) from None
