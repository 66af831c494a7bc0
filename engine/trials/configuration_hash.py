"""What makes two runs one trial."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from engine.core.hashing import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

UNHASHED_SECTIONS = frozenset(
    ("name", "description", "data", "benchmarks", "opponents", "evaluation", "compute")
)
"""Parts of a strategy that can be changed without trying anything new: what it is called, which
bars it is run on, what it is compared with (`opponents` in manifests of earlier versions), how it
is judged, where it is computed."""


def hash_configuration(strategy: Mapping[str, Any]) -> str:
    """First 16 hex digits of the SHA-256 over what a strategy tries.

    Everything that decides what it trades counts: features, model, training, seeds, thresholds,
    sizing, costs, execution. What is in `UNHASHED_SECTIONS` does not; the bars are told apart by
    target, interval and span instead, so that a strategy run again when the bars have grown, or
    from a copy of the same files, is still one trial.

    Args:
        strategy: The resolved strategy as JSON, every default filled in.
    """
    tried = {key: value for key, value in strategy.items() if key not in UNHASHED_SECTIONS}
    return hashlib.sha256(canonical_json(tried).encode()).hexdigest()[:16]
