"""How messages show text of a file: cut to a width, and lists cut to a dozen."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_NAMES = 12
MAX_NAME_CHARS = 30
MAX_LINE_CHARS = 100

# Text that YAML reads unchanged between braces, without quotes.
_PLAIN_YAML = re.compile(r"[A-Za-z_<][\w .<>/()+%$-]*(?<! )")
_YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}


def shorten(text: str, width: int = MAX_LINE_CHARS) -> str:
    """The text in one line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."


def list_names(names: Iterable[object]) -> str:
    """At most a dozen names, each cut to a width, and the number of the others."""
    shown = [shorten(str(name), MAX_NAME_CHARS) or '""' for name in names]
    more = f" and {len(shown) - MAX_NAMES} more" if len(shown) > MAX_NAMES else ""
    return ", ".join(shown[:MAX_NAMES]) + more


def quote_name(name: str) -> str:
    """A name as YAML needs it between braces."""
    if _PLAIN_YAML.fullmatch(name) and name.lower() not in _YAML_WORDS:
        return name
    return json.dumps(name, ensure_ascii=False)


def write_columns(columns: Mapping[str, str | tuple[str, str]]) -> str:
    """The key `columns` of a files source, as a user writes it."""
    pairs = [
        f"{ours}: {quote_name(theirs)}"
        if isinstance(theirs, str)
        else f"{ours}: [{', '.join(map(quote_name, theirs))}]"
        for ours, theirs in columns.items()
    ]
    return f"`columns: {{{', '.join(pairs)}}}`"
