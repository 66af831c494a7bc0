"""Aliases for arrays and frames with named shapes, and the base of every specification.

Shapes used all over the engine:

- bars (long): one row a bar and symbol, columns `timestamp, symbol, open, high, low, close,
  volume`, sorted by timestamp then symbol; timestamp is datetime64[us, UTC], the bar's open; the
  volume of a symbol whose source has none is NaN in every row, no other value is.
- wide: one row a timestamp (UTC index named `timestamp`), one column a symbol.
- weights (wide): target weights decided at the close of the row's bar; 1.0 is all of the equity.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict

from engine.core.schema_descriptions import describe_schema_keys

Vector: TypeAlias = npt.NDArray[np.float64]
"""Shape (n,)."""

Matrix: TypeAlias = npt.NDArray[np.float64]
"""Shape (n, k): rows are bars, columns are features, books or symbols."""

Cube: TypeAlias = npt.NDArray[np.float64]
"""Shape (n, lookback, k): one sequence a row."""

IntVector: TypeAlias = npt.NDArray[np.int64]
"""Shape (n,): positions of rows, ascending."""

BoolVector: TypeAlias = npt.NDArray[np.bool_]
"""Shape (n,)."""

BoolMatrix: TypeAlias = npt.NDArray[np.bool_]
"""Shape (n, k)."""

IntMatrix: TypeAlias = npt.NDArray[np.int64]
"""Shape (n, k): positions."""

BarsFrame: TypeAlias = pd.DataFrame
"""Long bars, see the module's docstring."""

WideFrame: TypeAlias = pd.DataFrame
"""A column a symbol, see the module's docstring."""

TIMESTAMP_DTYPE = "datetime64[us, UTC]"
BAR_COLUMNS = ("timestamp", "symbol", "open", "high", "low", "close", "volume")
PRICE_COLUMNS = ("open", "high", "low", "close")


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
