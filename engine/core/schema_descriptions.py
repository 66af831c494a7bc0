"""Descriptions of the keys of a JSON Schema, from the docstrings of the models."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import BaseModel

_ATTRIBUTES_SECTION = re.compile(r"^Attributes:\n(?P<listed>(?:(?: .*)?\n?)*)", re.MULTILINE)
_ATTRIBUTE_ENTRY = re.compile(r"^    (?P<name>\w+): (?P<meaning>.*(?:\n {5,}.*)*)", re.MULTILINE)


def describe_schema_keys(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Gives each key of a JSON Schema the description from the docstring of its class.

    An inherited key has the description of the class that defines it, unless the docstring of
    the subclass describes it too. A key that is an alias has the description of its attribute.
    """
    descriptions: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and (
            section := _ATTRIBUTES_SECTION.search(inspect.cleandoc(base.__doc__ or ""))
        ):
            descriptions |= {
                found["name"]: " ".join(found["meaning"].split())
                for found in _ATTRIBUTE_ENTRY.finditer(section["listed"])
            }
    for name, field in model.model_fields.items():
        key = schema.get("properties", {}).get(field.alias or name)
        if key is not None and name in descriptions:
            key["description"] = descriptions[name]
    schema["description"] = _ATTRIBUTES_SECTION.sub(
        "", inspect.cleandoc(model.__doc__ or "")
    ).strip()
