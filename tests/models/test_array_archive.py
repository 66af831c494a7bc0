"""The arrays of an archive are those that `numpy.load` reads."""

from __future__ import annotations

import io

import numpy as np
import pytest

from engine.models.array_archive import read_arrays

TABLE = np.arange(6, dtype=np.float32).reshape(2, 3)


def archive_of(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def test_arrays_of_every_order_shape_and_type_are_those_of_numpy() -> None:
    arrays = {
        "rows": TABLE,
        "columns": np.asfortranarray(TABLE),
        "number": np.array(3.5),
        "nothing": np.empty((0, 4)),
        "places": np.arange(5, dtype=np.int8),
        "again": TABLE + 1,
    }
    read = read_arrays(archive_of(**arrays))
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert (read[name].dtype, read[name].flags.c_contiguous) == (
            array.dtype,
            array.flags.c_contiguous,
        )
        np.testing.assert_array_equal(read[name], array, strict=True)


def test_every_array_has_memory_of_its_own() -> None:
    archive = archive_of(table=TABLE)
    read_arrays(archive)["table"][0, 0] = 9
    np.testing.assert_array_equal(read_arrays(archive)["table"], TABLE)


def test_an_array_of_objects_is_refused() -> None:
    with pytest.raises(ValueError, match="Python objects"):
        read_arrays(archive_of(objects=np.array([print], dtype=object)))
