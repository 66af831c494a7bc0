"""Versions that shape numbers: of Python, of libraries, of the engine and its stages."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from engine.core.stage_versions import FIT_STAGES, format_stage_versions

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


def collect_versions(backend: str, extra: Sequence[str] = ()) -> dict[str, str]:
    """Versions of Python, of the libraries that shape numbers, of the engine and of its stages.

    Args:
        backend: `tensorflow` or `jax`: the distribution that computes for Keras.
        extra: Distributions that shape the numbers of this run and not of every run.
    """
    return {
        "python": platform.python_version(),
        "backtest-engine": read_version("backtest-engine"),
        "stages": format_stage_versions(),
        **installed_versions((*LIBRARIES, backend, *extra)),
    }


def collect_fit_versions(backend: str) -> dict[str, str]:
    """The part of `collect_versions` that one fit depends on."""
    return {
        "stages": format_stage_versions(FIT_STAGES),
        **installed_versions((*FIT_LIBRARIES, backend)),
    }


def installed_versions(names: Sequence[str]) -> dict[str, str]:
    """Distribution -> version, `none` where it is not installed."""
    return {name: _installed_version(name) for name in names}


@cache
def read_version(name: str) -> str:
    """The version of a distribution, read once: a process keeps the code that it has loaded.

    Raises:
        PackageNotFoundError: It is not installed.
    """
    return metadata.version(name)


def _installed_version(name: str) -> str:
    try:
        return read_version(name)
    except metadata.PackageNotFoundError:
        return "none"
