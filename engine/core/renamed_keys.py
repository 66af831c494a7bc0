"""Renamed keys of a strategy; files and manifests may contain the earlier name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RENAMED_STRATEGY_KEYS: Mapping[str, str] = MappingProxyType({"opponents": "benchmarks"})
"""Earlier key -> today's key, of the top level."""


def with_current_keys(strategy: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved strategy, as a manifest holds it, under today's keys."""
    return {RENAMED_STRATEGY_KEYS.get(key, key): value for key, value in strategy.items()}
