"""Templates into pages; everything that came from outside is escaped."""

from __future__ import annotations

import re
from typing import Any

UNSAFE_CHARACTERS = re.compile("[\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that turn the text after them around, so that a name could make a page say something
else than it does, and halves of characters, as a path has that is no UTF-8."""


def render_template(template: str, **context: Any) -> str:  # noqa: ANN401 - a template takes any value
    """Renders one of this package's templates.

    Autoescape is on for every template, and a name that a template uses but nobody gave is an
    error, not an empty place. Characters that cannot be shown as themselves are told by
    U+FFFD.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("engine.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_replace_unsafe_characters,
    )
    return environment.get_template(template).render(**context)


def _replace_unsafe_characters(value: Any) -> Any:  # noqa: ANN401 - whatever a template shows
    """Text without `UNSAFE_CHARACTERS`; markup, which was made here, as it is."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return UNSAFE_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", value)
    return value
