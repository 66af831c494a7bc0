"""Returns in and out of the ledger, bit for bit."""

from __future__ import annotations

import pickle
import zlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import LedgerError
from engine.trials.serialization import FORMAT_HEADER, decode_returns, encode_returns
from tests.trials.factories import bars, returns

gaps = st.lists(st.integers(1, 10**9), min_size=0, max_size=30)


@settings(deadline=None)
@given(gaps, st.integers(0, 10**15), st.integers(0, 1000))
def test_decoded_returns_equal_encoded_ones(steps: list[int], first: int, seed: int) -> None:
    stamps = first + np.cumsum([0, *steps])
    index = pd.DatetimeIndex(stamps.astype("datetime64[us]"), tz="UTC", name="timestamp")
    values = np.random.default_rng(seed).standard_normal(len(stamps))
    kept = pd.Series(values, index=index, name="returns")
    pd.testing.assert_series_equal(decode_returns(encode_returns(kept)), kept, check_exact=True)


def test_a_run_without_a_bar_is_kept_too() -> None:
    assert decode_returns(encode_returns(returns(count=0))).empty


def test_timestamps_of_an_even_interval_compress_well() -> None:
    still = pd.Series(0.0, index=bars(count=5000))
    assert len(encode_returns(still)) < 1000


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held[:-40],
        lambda held: b"x" + held,
        lambda held: held.removeprefix(FORMAT_HEADER),
        lambda held: held[:100] + b"x" + held[101:],
        lambda _: b"",
        lambda _: FORMAT_HEADER + zlib.compress(b"not of whole bars"),
        lambda _: pickle.dumps("a pickle"),
    ],
)
def test_damaged_bytes_are_an_error(change) -> None:
    with pytest.raises(LedgerError, match="damaged"):
        decode_returns(change(encode_returns(returns())))
