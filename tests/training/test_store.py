"""The store of fits: round trips, and detection of damaged entries."""

from __future__ import annotations

import os
import re
import threading
from typing import Literal

import numpy as np
import pytest

from engine.core.errors import StorageError, UsageError
from engine.models import Ensemble, FittedForecaster, Ridge, TrainingHistory
from engine.models.fitted_model import FittedModel, InputTransform, ScaledColumns
from engine.models.model_file import DamagedFitError
from engine.splits.scaling import MinMaxScaling, RollingZscoreScaling
from engine.training.store import FitStore

KEY = "ab" + "0" * 62
FORECASTER = FittedForecaster(
    Ridge(),
    weights=(np.ones((2, 3), np.float32), np.array([1, 0], np.uint32)),
    state={"penalty": 1e-300, "levels": [0.1, 0.5]},
    history=TrainingHistory(
        (1.0, 0.5), (0.9, 0.7), 1, 2, trials=7, chosen={"model.units": [32], "model.dropout": 0.1}
    ),
)
MODEL = FittedModel(
    FORECASTER, np.array([0.1, -0.2]), np.array([0.25]), realised=np.array([[1e-300]])
)


@pytest.fixture
def store(tmp_path) -> FitStore:
    return FitStore(tmp_path / "fits")


SCALED = ScaledColumns(
    names=("X:a", "X:b"),
    groups=((0, 1),),
    scaler=MinMaxScaling(low=-1).fit(np.arange(8.0).reshape(4, 2)),
    build_quantiles=lambda: np.arange(202.0).reshape(101, 2) / 7,
)
SERVING = FittedModel(
    FittedForecaster(
        Ensemble(members=(Ridge(), Ridge(lookback=3))),
        weights=(np.array([0.25, 0.75]),),
        members=(
            FORECASTER,
            FittedForecaster(
                Ridge(lookback=3),
                weights=tuple(np.full(place + 1, place, np.float32) for place in range(12)),
                members=(FORECASTER, FORECASTER),
            ),
        ),
    ),
    train=np.arange(12.0).reshape(4, 3),
    validation=np.asfortranarray([[1e-300, 0.1, np.pi], [0.3, -0.0, 2.0]]),
    realised=np.array([[np.nan, 0.1, 0.2]]),
    transform=InputTransform(
        "X",
        (1, 2, 5),
        recursive=True,
        columns=SCALED,
        coarse=(
            ScaledColumns(
                ("X:1w:a",),
                ((0,),),
                RollingZscoreScaling(window=20).fit(np.ones((3, 1))),
                lambda: np.ones((101, 1)),
            ),
        ),
    ),
    spans={"train": ("2020-01-01T00:00:00+00:00", "2020-02-01T00:00:00+00:00")},
    versions={"numpy": "2.4.1", "device": "cpu"},
)


def described(fitted: FittedModel) -> list[object]:
    """Everything that a model holds, its arrays as dtype, shape, order and bytes."""
    return [
        *map(exact, (fitted.train, fitted.validation, fitted.realised)),
        *described_forecaster(fitted.forecaster),
        *described_transform(fitted.transform),
        dict(fitted.spans),
        dict(fitted.versions),
    ]


def described_forecaster(fitted: FittedForecaster) -> list[object]:
    return [
        fitted.model,
        dict(fitted.state),
        fitted.history,
        *map(exact, fitted.weights),
        *(described_forecaster(member) for member in fitted.members),
    ]


def described_transform(transform: InputTransform | None) -> list[object]:
    if transform is None:
        return []
    facts: list[object] = [transform.symbol, transform.horizons, transform.recursive]
    for columns in (transform.columns, *transform.coarse):
        scaler = {name: exact(array) for name, array in columns.scaler.to_arrays().items()}
        facts += [columns.names, columns.groups, scaler, exact(columns.quantiles)]
    return facts


def exact(array: np.ndarray) -> tuple[object, ...]:
    return array.dtype, array.shape, array.strides, array.tobytes()


@pytest.mark.parametrize(
    "fitted", [MODEL, SERVING], ids=["arrays alone", "all that serving needs"]
)
def test_a_stored_model_round_trips(store: FitStore, fitted: FittedModel) -> None:
    store.put(KEY, "strategy BTC window 0 seed 0", fitted)
    assert described(store.get(KEY)) == described(fitted)
    assert [entry.label for entry in store.entries()] == ["strategy BTC window 0 seed 0"]


class OfAUser(Ridge):
    """A forecaster that no package offers."""

    kind: Literal["of_a_user"] = "of_a_user"


def test_a_fit_of_a_users_class_is_read_with_the_task_s_own_model(store: FitStore) -> None:
    fitted = FittedModel(
        FittedForecaster(OfAUser()), np.zeros(2), np.zeros(1), realised=np.zeros((1, 1))
    )
    store.put(KEY, "x", fitted)
    assert store.get(KEY, OfAUser()).forecaster.model == OfAUser()
    with pytest.raises(UsageError, match="not installed"):
        store.get(KEY)


def test_an_unknown_key_has_no_entry(store: FitStore) -> None:
    assert store.get(KEY) is None
    assert store.entries() == []
    assert store.total_bytes() == 0


def retire(store: FitStore, key: str, version: int) -> None:
    """Makes an entry one of an earlier format."""
    file = store.folder / key[:2] / f"{key}.fit"
    file.write_bytes(re.sub(rb"^backtest fit \d", b"backtest fit %d" % version, file.read_bytes()))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_entry_in_an_earlier_format_counts_as_missing(store: FitStore, version: int) -> None:
    store.put(KEY, "x", MODEL)
    retire(store, KEY, version)
    assert store.get(KEY) is None
    assert [entry.is_current for entry in store.entries()] == [False]
    store.put(KEY, "x", MODEL)
    assert described(store.get(KEY)) == described(MODEL)
    assert [entry.is_current for entry in store.entries()] == [True]


def test_entries_of_an_earlier_format_are_counted_once(store: FitStore) -> None:
    assert store.count_newly_retired() == 0
    for key in ("aa1", "bb2", "cc3"):
        store.put(key, f"fit {key}", MODEL)
    retire(store, "aa1", 2)
    retire(store, "cc3", 1)
    assert [store.count_newly_retired() for _ in range(2)] == [2, 0]


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_entry_is_detected(store: FitStore, kept: float) -> None:
    store.put(KEY, "x", MODEL)
    (file,) = store.folder.glob("*/*.fit")
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * kept)])
    with pytest.raises(DamagedFitError):
        store.get(KEY)


def test_one_altered_byte_is_detected(store: FitStore) -> None:
    store.put(KEY, "x", MODEL)
    (file,) = store.folder.glob("*/*.fit")
    raw = file.read_bytes()
    for place in range(0, len(raw), 7):
        file.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(DamagedFitError):
            store.get(KEY)


def test_an_entry_is_written_atomically(store: FitStore) -> None:
    """Two threads write one key over and over while a third reads it."""
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            store.put(KEY, "x", MODEL)

    store.put(KEY, "x", MODEL)
    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        assert all(described(store.get(KEY)) == described(MODEL) for _ in range(200))
    finally:
        ended.set()
        for writer in writers:
            writer.join()
    assert [file.suffix for file in store.folder.glob("*/*")] == [".fit"]


def test_entries_are_listed_least_recently_used_first(store: FitStore) -> None:
    for age, key in ((300, "aa1"), (100, "bb2"), (200, "cc3")):
        store.put(key, f"fit {key}", MODEL)
        (file,) = store.folder.glob(f"*/{key}.fit")
        os.utime(file, (1e9 - age, 1e9 - age))
    assert [entry.label for entry in store.entries()] == ["fit aa1", "fit cc3", "fit bb2"]
    store.get("aa1")
    assert store.entries()[-1].key == "aa1"


def test_a_listing_continues_after_a_damaged_entry(store: FitStore) -> None:
    store.put("aa1", "good", MODEL)
    store.put("bb2", "bad", MODEL)
    (file,) = store.folder.glob("*/bb2.fit")
    file.write_bytes(b"")
    assert {entry.label for entry in store.entries()} == {"good", "damaged: will be fitted again"}


def test_removing_a_missing_entry_is_no_error(store: FitStore) -> None:
    store.put(KEY, "x", MODEL)
    store.remove([KEY, KEY, "ff"])
    assert store.get(KEY) is None


def test_only_old_drafts_are_removed(store: FitStore) -> None:
    store.put(KEY, "x", MODEL)
    old, young = (store.folder / "ab" / f".{name}.draft" for name in ("old", "young"))
    for draft in (old, young):
        draft.write_bytes(b"half")
    os.utime(old, (0, 0))
    store.remove_stale_drafts()
    assert not old.exists()
    assert young.exists()


def test_a_folder_that_cannot_be_written_is_an_error(store: FitStore) -> None:
    store.folder.touch()
    assert store.get(KEY) is None
    with pytest.raises(StorageError, match="cannot be stored"):
        store.put(KEY, "label", MODEL)


def test_a_folder_in_place_of_a_fit_is_damage_and_no_fault(store: FitStore) -> None:
    store.put(KEY, "x", MODEL)
    (file,) = store.folder.glob("*/*.fit")
    file.unlink()
    file.mkdir()
    with pytest.raises(DamagedFitError):
        store.get(KEY)
    assert [entry.label for entry in store.entries()] == ["damaged: will be fitted again"]
    with pytest.raises(StorageError, match="cannot be stored"):
        store.put(KEY, "x", MODEL)
    with pytest.raises(StorageError, match="cannot be removed"):
        store.remove([KEY])
    assert not list(store.folder.glob("*/.*"))


def test_the_store_is_its_owners_alone(store: FitStore) -> None:
    store.put(KEY, "x", MODEL)
    assert {path.stat().st_mode & 0o077 for path in (store.folder, store.folder / KEY[:2])} == {0}


def test_what_cannot_be_stored_is_counted_with_the_first_reason(store: FitStore) -> None:
    store.folder.mkdir()
    for key in ("ab1", "ab2"):
        store.try_store(key, "x", MODEL)
        (store.folder / key[:2]).rename(store.folder / "kept")
        (store.folder / key[:2]).touch()
        store.try_store(key, "x", MODEL)
        (store.folder / key[:2]).unlink()
        (store.folder / "kept").rename(store.folder / key[:2])
    assert store.refused_count == 2
    assert store.refused is not None
    assert "ENOTDIR" in store.refused.found
    assert len(store.entries()) == 2
