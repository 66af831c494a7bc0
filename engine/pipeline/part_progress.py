"""Progress of a part of the fits as a part of that of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from engine.core.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class PartProgress(Progress):
    """Forwards what one of several calls of `run_fits` reports, counted over all of them.

    Attributes:
        progress: Of the whole.
        done: Fits of the parts before.
        total: Fits of all parts.
        describe: From what the part says of its fits, what the whole says.
        line_prefix: Of the lines of the part.
    """

    progress: Progress
    done: int
    total: int
    describe: Callable[[str], str]
    line_prefix: str = ""

    def stage(self, name: str) -> None:
        """Ignored: the stage goes on."""

    def notice(self, text: str) -> None:
        """Forwarded."""
        self.progress.notice(text)

    def line(self, text: str) -> None:
        """Forwarded."""
        self.progress.line(f"{self.line_prefix}{text}")

    @override
    def advance(self, done: int, total: int, what: str) -> None:
        """Forwarded, counted over all parts."""
        self.progress.advance(self.done + done, self.total, self.describe(what))
