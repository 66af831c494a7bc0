"""Keras without what it would load for parts that nobody uses here."""

from __future__ import annotations

import sys

UNUSED = ("matplotlib", "matplotlib.pyplot", "sklearn")
"""For `keras.visualization` and `keras.wrappers`; Keras goes without where they are missing."""


def load() -> None:
    """Imports Keras; the first time in a process that takes a second less than `import keras`."""
    if "keras" in sys.modules:
        return
    hidden = [name for name in UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        import keras  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
