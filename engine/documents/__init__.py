"""YAML files into frozen specifications, with every mistake told at once.

A file is read as strict JSON would be: `5` is a number, `"5"` is text, and nothing turns one into
the other. No tag of YAML constructs an object.
"""

from engine.documents.loading import load_document
from engine.documents.overrides import parse_grid, parse_overrides

__all__ = ["load_document", "parse_grid", "parse_overrides"]
