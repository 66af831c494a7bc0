"""The JSON Schema of strategies as a file, for editors and for who cannot wait for the engine."""

from __future__ import annotations

from pathlib import Path


def find_schema_file() -> Path | None:
    """Where it lies: inside the package in a wheel, beside it in a source tree; None if nowhere.

    It is what `backtest schema` prints.
    """
    package = Path(__file__).parents[1]
    places = [package / "documents" / "schema.json"]
    if (package.parent / "pyproject.toml").is_file():
        places.append(package.parent / "strategies" / "schema.json")
    return next((place for place in places if place.is_file()), None)
