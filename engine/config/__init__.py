"""Loads YAML files as frozen specifications, and reports all mistakes of a file at once.

Types are strict as in JSON: `5` is a number, `"5"` is text, and neither is converted to the other.
No YAML tag constructs an object.
"""

from engine.config.loading import load_config
from engine.config.overrides import parse_grid, parse_overrides

__all__ = ["load_config", "parse_grid", "parse_overrides"]
