"""How the books are judged."""

from __future__ import annotations

from pydantic import Field

from engine.core.types import Spec


class EvaluationSpec(Spec):
    """How the books are judged.

    Attributes:
        resamples: Bootstrap resamples.
        confidence: Level of every interval.
    """

    resamples: int = Field(default=10_000, ge=200, le=1_000_000)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
