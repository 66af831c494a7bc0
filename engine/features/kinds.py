"""The union of features; `engine.features.config` adds the engine's own kinds."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from engine.core.installed_kinds import FEATURES_GROUP
from engine.core.open_kinds import OpenKinds
from engine.features.base import FeatureSpec

FEATURE_KINDS = OpenKinds(FEATURES_GROUP, (FeatureSpec,))
"""What a strategy may choose as a feature."""

Feature: TypeAlias = Annotated[FeatureSpec, FEATURE_KINDS]
"""Any feature: the engine's, an installed one, a user's."""
