"""YAML files into frozen specifications, with every mistake told at once.

A file is read as strict JSON would be: `5` is a number, `"5"` is text, and nothing turns one into
the other. No tag of YAML constructs an object.
"""

from engine.config.loading import load_config
from engine.config.overrides import parse_grid, parse_overrides

__all__ = ["load_config", "parse_grid", "parse_overrides"]
