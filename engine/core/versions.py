"""Versions that shape numbers: of Python, of libraries, of the engine's own stages."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LIBRARIES = (
    "arch",
    "keras",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "ta",
    "vectorbt",
    "vectorbt-rust",
)
FIT_LIBRARIES = ("keras", "numpy", "scikit-learn")
FIT_PACKAGES = ("models", "training")
RESULT_PACKAGES = (
    "data",
    "features",
    "splits",
    "models",
    "training",
    "signals",
    "simulation",
    "evaluation",
    "trials",
    "comparison",
    "leakage",
)


def collect_versions(backend: str, extra: Sequence[str] = ()) -> dict[str, str]:
    """Versions of Python, of the libraries that shape numbers, and of the engine's own source.

    Args:
        backend: `tensorflow` or `jax`: the distribution that computes for Keras.
        extra: Distributions that shape the numbers of this run and not of every one.
    """
    libraries = installed_versions((*LIBRARIES, backend, *extra))
    own = f"{metadata.version('backtest-engine')}+{_source_digest(RESULT_PACKAGES)}"
    return {"python": platform.python_version(), "backtest-engine": own, **libraries}


def collect_fit_versions(backend: str) -> dict[str, str]:
    """The part of `collect_versions` that one fit depends on, with its own stages' source."""
    lines = installed_versions((*FIT_LIBRARIES, backend))
    return {"backtest-engine": _source_digest(FIT_PACKAGES), **lines}


def installed_versions(names: Sequence[str]) -> dict[str, str]:
    """Distribution -> version, `none` where it is not installed."""
    return {name: _installed_version(name) for name in names}


def _installed_version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _source_digest(packages: Sequence[str]) -> str:
    """First 12 hex digits of the SHA-256 over the source of some stages."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for stage in packages:
        for file in sorted((root / stage).rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]
