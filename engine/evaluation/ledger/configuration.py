"""What makes two runs one trial."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from engine.artifacts import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_TRIAL = frozenset(("name", "description", "data", "opponents", "evaluation", "compute"))
"""Parts of a strategy that can be changed without trying anything new: what it is called, which
bars it is run on, what it is compared with, how it is judged, where it is computed."""


def configuration(strategy: Mapping[str, Any]) -> str:
    """First 16 hex digits of the SHA-256 over what a strategy tries.

    Everything that decides what it trades counts: features, model, training, seeds, thresholds,
    sizing, costs, execution. What is in `NO_TRIAL` does not; the bars are told apart by target,
    interval and span instead, so that a strategy run again when the bars have grown, or from a
    copy of the same files, is still one trial.

    Args:
        strategy: The resolved strategy as JSON, every default filled in.
    """
    tried = {key: value for key, value in strategy.items() if key not in NO_TRIAL}
    return hashlib.sha256(canonical_json(tried).encode()).hexdigest()[:16]
