"""Generated windows for tests of forecasters."""

from __future__ import annotations

from engine.testing import make_dataset as planted

__all__ = ["planted"]
