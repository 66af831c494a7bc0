"""What a strategy declares about trials that the ledger cannot know."""

from __future__ import annotations

from pydantic import Field

from engine.core.types import Spec


class TrialsSpec(Spec):
    """Tries of this idea, or of others that it was selected from, outside the trial ledger.

    Attributes:
        elsewhere: Number of tries made with another tool, in another BACKTEST_HOME, or dropped
            before a run; they count as unrelated trials.
    """

    elsewhere: int = Field(default=0, ge=0, le=1_000_000)
