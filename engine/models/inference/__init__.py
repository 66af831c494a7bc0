"""A trained network as a list of operations that NumPy runs, without Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.models.inference.program import NetworkProgram
    from engine.models.inference.tracing import UnsupportedLayerError, trace_program

__all__ = ["NetworkProgram", "UnsupportedLayerError", "trace_program"]

_EXPORTS = {
    "NetworkProgram": "program",
    "UnsupportedLayerError": "tracing",
    "trace_program": "tracing",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
