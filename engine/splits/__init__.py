"""Train, validation and test rows of each window, and the scaling of inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.splits.config import Duration, Scaling, WindowSpec
    from engine.splits.purged import CombinatorialPurged, PurgedKFold, PurgedSplit, Splitter
    from engine.splits.scaling import (
        MinMaxScaling,
        RollingZscoreScaling,
        Scaler,
        StandardScaling,
        fit_scaler,
    )
    from engine.splits.walk_forward import WalkForwardWindow, make_walk_forward_windows

__all__ = [
    "CombinatorialPurged",
    "Duration",
    "MinMaxScaling",
    "PurgedKFold",
    "PurgedSplit",
    "RollingZscoreScaling",
    "Scaler",
    "Scaling",
    "Splitter",
    "StandardScaling",
    "WalkForwardWindow",
    "WindowSpec",
    "fit_scaler",
    "make_walk_forward_windows",
]

_EXPORTS = {
    "CombinatorialPurged": "purged",
    "Duration": "config",
    "MinMaxScaling": "scaling",
    "PurgedKFold": "purged",
    "PurgedSplit": "purged",
    "RollingZscoreScaling": "scaling",
    "Scaler": "scaling",
    "Scaling": "config",
    "Splitter": "purged",
    "StandardScaling": "scaling",
    "WalkForwardWindow": "walk_forward",
    "WindowSpec": "config",
    "fit_scaler": "scaling",
    "make_walk_forward_windows": "walk_forward",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
