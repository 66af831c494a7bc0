"""Rendering of templates; every value is escaped."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

UNSAFE_CHARACTERS = re.compile("[\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that reverse the direction of the text after them, with which a name could change the
meaning of a page, and surrogates, which occur in a path that is not UTF-8."""


def render_template(template: str, **context: object) -> str:
    """Renders one of this package's templates.

    Autoescape is on for every template. A name that a template uses and that is not given is an
    error. `UNSAFE_CHARACTERS` are shown as U+FFFD.
    """
    return _environment().get_template(template).render(**context)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("engine.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_replace_unsafe_characters,
    )


def _replace_unsafe_characters(value: object) -> object:
    """Text without `UNSAFE_CHARACTERS`; markup of this package is unchanged."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return UNSAFE_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", value)
    return value
