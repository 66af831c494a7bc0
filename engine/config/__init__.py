"""Loads YAML files as frozen specifications, and reports all mistakes of a file at once.

Types are strict as in JSON: `5` is a number, `"5"` is text, and neither is converted to the other.
No YAML tag constructs an object.
"""

from engine.config.json_schema import find_schema_file
from engine.config.loading import load_config
from engine.config.overrides import apply_overrides, parse_grid, parse_overrides
from engine.config.reference import (
    ReferenceEntry,
    child_entries,
    find_entry,
    list_entries,
    list_schema_entries,
    settable_paths,
)
from engine.config.suggestions import closest_match, did_you_mean
from engine.config.validation_errors import HIDDEN_VALUE, to_mistakes
from engine.config.yaml_tree import YamlTree, dotted_path, dump_flow_yaml, parse_yaml
from engine.config.yaml_writer import dump_commented_yaml

__all__ = [
    "HIDDEN_VALUE",
    "ReferenceEntry",
    "YamlTree",
    "apply_overrides",
    "child_entries",
    "closest_match",
    "did_you_mean",
    "dotted_path",
    "dump_commented_yaml",
    "dump_flow_yaml",
    "find_entry",
    "find_schema_file",
    "list_entries",
    "list_schema_entries",
    "load_config",
    "parse_grid",
    "parse_overrides",
    "parse_yaml",
    "settable_paths",
    "to_mistakes",
]
