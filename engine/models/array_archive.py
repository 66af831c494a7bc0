"""The arrays of an archive that `numpy.savez` wrote, all of them at once.

`numpy.load` reads the header of each array as Python text again; a run reads the archives of
hundreds of fits, whose arrays have the same few headers.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_FIXED_BYTES = 10
"""Magic string, version, and the length of the header in format 1.0."""


def read_arrays(archive: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays by name, each with memory of its own.

    Raises:
        ValueError: An array is one of Python objects, or is not in format 1.0 of `numpy.save`.
    """
    with ZipFile(io.BytesIO(archive)) as files:
        return {
            name.removesuffix(".npy"): _decode_array(files.read(name)) for name in files.namelist()
        }


def _decode_array(raw: bytes) -> npt.NDArray[Any]:
    start = _FIXED_BYTES + int.from_bytes(raw[8:_FIXED_BYTES], "little")
    shape, is_fortran, dtype = _parse_header(raw[:start])
    if dtype.hasobject:
        raise ValueError("an array of Python objects is not read")
    values = np.frombuffer(raw, dtype, offset=start)
    return values.reshape(shape, order="F" if is_fortran else "C").copy(order="K")


@lru_cache(maxsize=1024)
def _parse_header(raw: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first axis varies fastest, and type."""
    stream = io.BytesIO(raw)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"an array is in format {version} of numpy.save, not in 1.0")
    return np.lib.format.read_array_header_1_0(stream)
