"""Returns as bytes: small, exact, and nothing in them that could run."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

from engine.errors import LedgerError

if TYPE_CHECKING:
    import pandas as pd

MAGIC = b"returns 1\n"


def packed(returns: pd.Series[float]) -> bytes:
    """A NumPy archive without pickles, compressed.

    It holds `first` and `steps` (microseconds since 1970, UTC, and from bar to bar, which compress
    to almost nothing) and `values` (float64, exact).

    Args:
        returns: Index of UTC timestamps, ascending.
    """
    import numpy as np

    stamps = returns.index.as_unit("us").asi8  # type: ignore[attr-defined]
    held = io.BytesIO()
    np.savez(
        held,
        allow_pickle=False,
        first=stamps[:1],
        steps=np.diff(stamps),
        values=returns.to_numpy(dtype=np.float64),
    )
    return MAGIC + zlib.compress(held.getvalue(), 6)


def unpacked(held: bytes) -> pd.Series[float]:
    """The returns that were packed, bit for bit.

    Raises:
        LedgerError: The bytes are damaged.
    """
    import numpy as np
    import pandas as pd

    try:
        if not held.startswith(MAGIC):
            raise ValueError("not the bytes of returns")
        plain = io.BytesIO(zlib.decompress(held[len(MAGIC) :]))
        with np.load(plain, allow_pickle=False) as archive:
            first, steps, values = (archive[name] for name in ("first", "steps", "values"))
    except (ValueError, KeyError, OSError, zlib.error) as error:
        raise LedgerError(
            "returns in the trial ledger are damaged",
            expected="a compressed NumPy archive",
            found=str(error),
        ) from error
    stamps = np.concatenate([first, steps]).cumsum()
    index = pd.DatetimeIndex(stamps.astype("datetime64[us]"), tz="UTC", name="timestamp")
    return pd.Series(values, index=index, name="returns")
