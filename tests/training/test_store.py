"""The store: what was put comes back byte for byte, and damage is noticed."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import replace

import numpy as np
import pytest

from engine.models import Forecast, TrainingHistory
from engine.training.store import DamagedFitError, FitStore

KEY = "ab" + "0" * 62
FORECAST = Forecast(
    train=np.array([0.1, -0.2]),
    validation=np.array([0.25]),
    test=np.array([1e-300, 0.3]),
    history=TrainingHistory(
        (1.0, 0.5), (0.9, 0.7), 1, 2, 7, {"model.units": [32], "model.dropout": 0.1}
    ),
    weights=(np.ones((2, 3), np.float32), np.array([1, 0], np.uint32)),
    quantiles=np.array([[-0.1, 1e-300, 0.1], [0.2, 0.3, 0.4]]),
)


@pytest.fixture
def store(tmp_path) -> FitStore:
    return FitStore(tmp_path / "fits")


MANY_HORIZONS = Forecast(
    train=np.arange(12.0).reshape(4, 3),
    validation=np.arange(6.0).reshape(2, 3) / 7,
    test=np.asfortranarray([[1e-300, 0.1, np.pi], [0.3, -0.0, 2.0]]),
    quantiles=np.arange(30.0).reshape(2, 3, 5) / 11,
    weights=tuple(np.full(place + 1, place, np.float32) for place in range(12)),
    history=TrainingHistory(
        (0.1,), (0.2,), warm=True, trials=7, chosen={"model.units": 64, "lr": 1e-3}
    ),
)
ENSEMBLE = Forecast(
    train=np.zeros(2),
    validation=np.zeros(1),
    test=np.zeros(2),
    weights=(np.array([0.25, 0.75]),),
    members=(FORECAST, replace(MANY_HORIZONS, members=(FORECAST, MANY_HORIZONS))),
)


def same(one: Forecast, other: Forecast) -> bool:
    arrays = zip(
        (one.train, one.validation, one.test, *one.weights),
        (other.train, other.validation, other.test, *other.weights),
        strict=True,
    )
    told = one.quantiles is None, other.quantiles is None
    return (
        all(alike(a, b) for a, b in arrays)
        and (all(told) or (not any(told) and alike(one.quantiles, other.quantiles)))
        and one.history == other.history
        and len(one.members) == len(other.members)
        and all(same(a, b) for a, b in zip(one.members, other.members, strict=True))
    )


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    facts = ((array.dtype, array.shape, array.strides) for array in (one, other))
    return len(set(facts)) == 1 and one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    "forecast",
    [FORECAST, MANY_HORIZONS, ENSEMBLE],
    ids=["one horizon", "many horizons", "members within members"],
)
def test_what_was_put_comes_back(store: FitStore, forecast: Forecast) -> None:
    store.put(KEY, "strategy BTC window 0 seed 0", forecast)
    assert same(store.get(KEY), forecast)
    assert [entry.label for entry in store.entries()] == ["strategy BTC window 0 seed 0"]


def test_a_forecast_without_quantiles_comes_back_without_them(store: FitStore) -> None:
    store.put(KEY, "x", replace(FORECAST, quantiles=None))
    assert store.get(KEY).quantiles is None


def test_what_was_never_put_is_not_there(store: FitStore) -> None:
    assert store.get(KEY) is None
    assert store.entries() == []
    assert store.total_bytes() == 0


def retire(store: FitStore, key: str, version: int) -> None:
    """Makes an entry one of an earlier format."""
    file = store.folder / key[:2] / f"{key}.fit"
    file.write_bytes(re.sub(rb"^backtest fit \d", b"backtest fit %d" % version, file.read_bytes()))


@pytest.mark.parametrize("version", [1, 2])
def test_an_entry_in_an_earlier_format_is_not_there(store: FitStore, version: int) -> None:
    store.put(KEY, "x", FORECAST)
    retire(store, KEY, version)
    assert store.get(KEY) is None
    assert [entry.is_current for entry in store.entries()] == [False]
    store.put(KEY, "x", FORECAST)
    assert same(store.get(KEY), FORECAST)
    assert [entry.is_current for entry in store.entries()] == [True]


def test_entries_of_an_earlier_format_are_counted_once(store: FitStore) -> None:
    assert store.count_newly_retired() == 0
    for key in ("aa1", "bb2", "cc3"):
        store.put(key, f"fit {key}", FORECAST)
    retire(store, "aa1", 2)
    retire(store, "cc3", 1)
    assert [store.count_newly_retired() for _ in range(2)] == [2, 0]


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_entry_is_noticed(store: FitStore, kept: float) -> None:
    store.put(KEY, "x", FORECAST)
    (file,) = store.folder.glob("*/*.fit")
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * kept)])
    with pytest.raises(DamagedFitError):
        store.get(KEY)


def test_one_altered_byte_anywhere_is_noticed(store: FitStore) -> None:
    store.put(KEY, "x", FORECAST)
    (file,) = store.folder.glob("*/*.fit")
    raw = file.read_bytes()
    for place in range(0, len(raw), 7):
        file.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(DamagedFitError):
            store.get(KEY)


def test_an_entry_is_never_half_written(store: FitStore) -> None:
    """Two threads write one key over and over while a third reads it."""
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            store.put(KEY, "x", FORECAST)

    store.put(KEY, "x", FORECAST)
    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        assert all(same(store.get(KEY), FORECAST) for _ in range(200))
    finally:
        ended.set()
        for writer in writers:
            writer.join()
    assert [file.suffix for file in store.folder.glob("*/*")] == [".fit"]


def test_entries_are_listed_least_recently_used_first(store: FitStore) -> None:
    for age, key in ((300, "aa1"), (100, "bb2"), (200, "cc3")):
        store.put(key, f"fit {key}", FORECAST)
        (file,) = store.folder.glob(f"*/{key}.fit")
        os.utime(file, (1e9 - age, 1e9 - age))
    assert [entry.label for entry in store.entries()] == ["fit aa1", "fit cc3", "fit bb2"]
    store.get("aa1")
    assert store.entries()[-1].key == "aa1"


def test_a_listing_names_a_damaged_entry_and_goes_on(store: FitStore) -> None:
    store.put("aa1", "good", FORECAST)
    store.put("bb2", "bad", FORECAST)
    (file,) = store.folder.glob("*/bb2.fit")
    file.write_bytes(b"")
    assert {entry.label for entry in store.entries()} == {"good", "damaged: will be fitted again"}


def test_removing_what_is_gone_is_no_error(store: FitStore) -> None:
    store.put(KEY, "x", FORECAST)
    store.remove([KEY, KEY, "ff"])
    assert store.get(KEY) is None


def test_sweeping_removes_old_drafts_and_leaves_young_ones(store: FitStore) -> None:
    store.put(KEY, "x", FORECAST)
    old, young = (store.folder / "ab" / f".{name}.draft" for name in ("old", "young"))
    for draft in (old, young):
        draft.write_bytes(b"half")
    os.utime(old, (0, 0))
    store.remove_stale_drafts()
    assert not old.exists()
    assert young.exists()
