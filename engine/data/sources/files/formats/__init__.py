"""Known forms of files: how each is recognised, and the keys that read it."""

from engine.data.sources.files.formats._head import (
    FileHead,
    head_of_table,
    head_of_text,
    read_head,
)
from engine.data.sources.files.formats._model import FileFormat, FileShape
from engine.data.sources.files.formats._recognise import FormatMatch, match_format
from engine.data.sources.files.formats._registry import FILE_FORMATS, recognise
from engine.data.sources.files.formats._resolve import ResolvedFormat, merge_keys, resolve_format

__all__ = [
    "FILE_FORMATS",
    "FileFormat",
    "FileHead",
    "FileShape",
    "FormatMatch",
    "ResolvedFormat",
    "head_of_table",
    "head_of_text",
    "match_format",
    "merge_keys",
    "read_head",
    "recognise",
    "resolve_format",
]
