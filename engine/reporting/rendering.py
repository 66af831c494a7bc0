"""Templates into pages; everything that came from outside is escaped."""

from __future__ import annotations

from typing import Any


def render(template: str, **context: Any) -> str:  # noqa: ANN401 - a template takes any value
    """Renders one of this package's templates.

    Autoescape is on for every template, and a name that a template uses but nobody gave is an
    error, not an empty place.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("engine.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**context)
