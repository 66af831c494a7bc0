"""The file of a fitted model: the same bytes, the same predictions, and no pickles."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest

from engine.core.errors import StorageError, UsageError
from engine.models import Ensemble, Ridge
from engine.models.model_file import (
    EARLIER_FORMAT_LINES,
    FORMAT_LINE,
    DamagedFitError,
    decode_model,
    encode_model,
    load_model,
    save_model,
)
from engine.splits.scaling import MinMaxScaling, RollingZscoreScaling, StandardScaling
from tests.models.planted_data import WITHOUT_KERAS, planted
from tests.models.served_models import fit_model, make_feature_rows
from tests.parts.own_parts import OwnModel

pytestmark = pytest.mark.usefixtures("one_thread")

AT = planted().test
SCALINGS = [StandardScaling(), MinMaxScaling(), RollingZscoreScaling(window=20)]


@pytest.fixture(scope="module")
def raw() -> bytes:
    """The file of a ridge."""
    return encode_model("label", fit_model(Ridge()))


@pytest.mark.parametrize("model", WITHOUT_KERAS, ids=repr)
def test_a_model_that_is_read_has_the_same_bytes_and_predictions(model) -> None:
    fitted, rows = fit_model(model, coarse=True), make_feature_rows(coarse=True)
    raw = encode_model("label", fitted)
    read = decode_model(raw)
    assert encode_model("label", read) == raw
    assert read.forecaster.model == model
    assert read.forecaster.history == fitted.forecaster.history
    at = AT if model.lookback < 30 else AT[-60:]
    one, other = (each.predict(rows, at).returns for each in (fitted, read))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("scaling", SCALINGS, ids=lambda scaling: scaling.kind)
def test_a_model_that_is_read_scales_as_before(scaling) -> None:
    fitted, rows = fit_model(Ridge(), scaling), make_feature_rows()
    read = decode_model(encode_model("label", fitted))
    one, other = (each.input_transform.apply(rows) for each in (fitted, read))
    assert one.inputs.tobytes() == other.inputs.tobytes()
    assert (one.groups, one.horizons, one.recursive) == (
        other.groups,
        other.horizons,
        other.recursive,
    )
    assert read.context == fitted.context
    assert read.input_transform.columns.names == ("AAA:x", "AAA:y", "AAA:z")


def test_everything_else_is_read_too() -> None:
    fitted = fit_model(Ridge())
    read = decode_model(encode_model("label", fitted))
    for name in ("train", "validation", "realised"):
        assert getattr(read, name).tobytes() == getattr(fitted, name).tobytes()
    assert read.spans == fitted.spans
    assert read.versions == fitted.versions


def test_the_label_is_part_of_the_file(raw: bytes) -> None:
    assert encode_model("other", decode_model(raw)) != raw


@pytest.mark.parametrize("kept", [0, 5, len(FORMAT_LINE), 60, 400, -1])
def test_a_truncated_file_is_damaged(raw: bytes, kept: int) -> None:
    with pytest.raises(DamagedFitError):
        decode_model(raw[:kept])


@pytest.mark.parametrize("place", [0, len(FORMAT_LINE), len(FORMAT_LINE) + 80, -30])
def test_an_altered_byte_is_damage(raw: bytes, place: int) -> None:
    altered = bytearray(raw)
    altered[place] ^= 1
    with pytest.raises(DamagedFitError):
        decode_model(bytes(altered))


@pytest.mark.parametrize("line", EARLIER_FORMAT_LINES)
def test_an_earlier_format_is_not_read(raw: bytes, line: bytes) -> None:
    with pytest.raises(DamagedFitError):
        decode_model(line + raw.removeprefix(FORMAT_LINE))


def test_a_model_is_saved_in_a_new_folder(tmp_path) -> None:
    path = tmp_path / "models" / "today.fit"
    save_model(path, fit_model(Ridge()))
    assert load_model(path).forecaster.model == Ridge()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("path", [".", "file/today.fit"], ids=["a folder", "in a file"])
def test_a_path_that_cannot_be_written_is_an_error(tmp_path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be stored") as caught:
        save_model(tmp_path / path, fit_model(Ridge()))
    assert caught.value.where == str(tmp_path / path)


def test_a_pickle_in_a_file_with_the_right_checksum_is_not_run(raw: bytes) -> None:
    header = raw.removeprefix(FORMAT_LINE)[65:].partition(b"\n")[0]
    arrays = io.BytesIO()
    np.savez(arrays, **dict.fromkeys(("weight_0", "train"), np.array([print], dtype=object)))
    payload = header + b"\n" + arrays.getvalue()
    checksum = hashlib.sha256(payload).hexdigest().encode()
    with pytest.raises(ValueError, match="Python objects"):
        decode_model(FORMAT_LINE + checksum + b"\n" + payload)


@pytest.fixture(scope="module")
def own() -> bytes:
    """The file of a user's model."""
    return encode_model("label", fit_model(OwnModel()))


def test_a_kind_that_is_not_installed_is_an_error(own: bytes) -> None:
    with pytest.raises(UsageError, match="not installed") as caught:
        decode_model(own)
    assert caught.value.found == "own_model"


@pytest.mark.parametrize(
    "known",
    [
        OwnModel(),
        Ensemble(members=(Ridge(), OwnModel())),
        OwnModel(breaks="past"),
    ],
    ids=["the model", "an ensemble of it", "the class with other values"],
)
def test_a_class_of_a_users_own_is_read_where_it_is_given(own: bytes, known) -> None:
    rows = make_feature_rows()
    read = decode_model(own, known)
    assert read.forecaster.model == OwnModel()
    expected = fit_model(OwnModel()).predict(rows, AT).returns
    assert read.predict(rows, AT).returns.tobytes() == expected.tobytes()


def test_a_known_model_of_another_kind_does_not_take_its_place(own: bytes) -> None:
    with pytest.raises(UsageError, match="not installed"):
        decode_model(own, Ridge())
