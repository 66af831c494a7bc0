"""On how many examples a property is tried."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

FAST = "fast"
"""The profile of the fast part, which `tests/conftest.py` loads."""

settings.register_profile(FAST, max_examples=10, deadline=None)


def examples(number: int, **options: Any) -> settings:
    """Tries `number` examples; in the fast part a quarter, of which 2 at least and 10 at most."""
    if settings.get_current_profile_name() == FAST:
        number = min(10, max(2, number // 4))
    return settings(max_examples=number, deadline=None, **options)
