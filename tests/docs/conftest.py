from __future__ import annotations

from tests.reporting.conftest import run

__all__ = ["run"]
