"""Aliases for arrays and frames with named shapes, and the base of every specification.

Shapes used all over the engine:

- bars (long): one row a bar and symbol, columns `timestamp, symbol, open, high, low, close,
  volume`, sorted by timestamp then symbol; timestamp is datetime64[us, UTC], the bar's open.
- wide: one row a timestamp (UTC index named `timestamp`), one column a symbol.
- weights (wide): target weights decided at the close of the row's bar; 1.0 is all of the equity.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict

Vector: TypeAlias = npt.NDArray[np.float64]
"""Shape (n,)."""

Matrix: TypeAlias = npt.NDArray[np.float64]
"""Shape (n, k): rows are bars, columns are features, books or symbols."""

Cube: TypeAlias = npt.NDArray[np.float64]
"""Shape (n, lookback, k): one sequence a row."""

IntVector: TypeAlias = npt.NDArray[np.int64]
"""Shape (n,): positions of rows, ascending."""

BarsFrame: TypeAlias = pd.DataFrame
"""Long bars, see the module's docstring."""

WideFrame: TypeAlias = pd.DataFrame
"""A column a symbol, see the module's docstring."""

TIMESTAMP_DTYPE = "datetime64[us, UTC]"
BAR_COLUMNS = ("timestamp", "symbol", "open", "high", "low", "close", "volume")
PRICE_COLUMNS = ("open", "high", "low", "close")


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


class Spec(BaseModel):
    """Base of every part's configuration: frozen, and closed to keys it does not know.

    Its JSON Schema has the meaning of each key from the section `Attributes` of the docstring.

    Attributes:
        renamed_keys: Earlier name of a key -> its name today; a file may use either.
    """

    renamed_keys: ClassVar[Mapping[str, str]] = MappingProxyType({})

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_inf_nan="constants",
        json_schema_extra=describe_schema_keys,
    )
