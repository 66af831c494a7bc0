"""Settings of the evaluation."""

from __future__ import annotations

from pydantic import Field

from engine.core.types import Spec


class EvaluationSpec(Spec):
    """Settings of the bootstrap and of the confidence intervals.

    Attributes:
        resamples: Bootstrap resamples.
        confidence: Level of every confidence interval.
    """

    resamples: int = Field(default=10_000, ge=200, le=1_000_000)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
