"""The version of each stage that computes numbers.

A stage's version is raised by one, on purpose, in the commit that changes what the stage computes
from the same inputs. A rename, a docstring or a faster loop changes no version. The versions enter
the key of a fit and the run id, so that a result of an earlier stage is never taken for one of
this stage. `tests/golden` fails when numbers change and the version does not.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STAGE_VERSIONS: Mapping[str, int] = MappingProxyType(
    {
        "data": 1,
        "features": 1,
        "splits": 1,
        "models": 3,
        "training": 2,
        "signals": 1,
        "simulation": 4,
        "evaluation": 4,
        "trials": 2,
        "comparison": 2,
        "leakage": 2,
    }
)

FIT_STAGES = ("models", "training")
"""The stages that compute a fit from its arrays."""


def format_stage_versions(stages: Sequence[str] = tuple(STAGE_VERSIONS)) -> str:
    """The versions of some stages as text: `models 1, training 1`."""
    return ", ".join(f"{stage} {STAGE_VERSIONS[stage]}" for stage in stages)
