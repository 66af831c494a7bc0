"""The canonical JSON text that keys and identifiers are hashed from."""

from __future__ import annotations

import json


def canonical_json(value: object) -> str:
    """The one text of a JSON value: sorted keys, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
