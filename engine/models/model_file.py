"""The file of a fitted model: JSON and a NumPy archive, without pickles.

A line that names the format, a line with the SHA-256 of the rest, a line of JSON, and the archive.
Reading it runs no code of the file: a forecaster is chosen by its `kind` among the engine's, the
installed ones, and those of a model that the reader gives.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from engine.core.errors import DataError, UsageError
from engine.core.hashing import canonical_json
from engine.core.limits import MAX_MODEL_FILE_BYTES
from engine.core.part_origin import iterate_specs
from engine.core.read_file import read_bytes
from engine.core.storage import replace_atomically, translate_disk_faults
from engine.models.array_archive import read_arrays
from engine.models.fitted_model import FittedModel, InputTransform, ScaledColumns
from engine.models.forecaster import FittedForecaster, Forecaster, Model
from engine.models.training_history import TrainingHistory
from engine.splits.scaling import scaler_from_arrays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    Arrays = Mapping[str, npt.NDArray[Any]]

FORMAT_LINE = b"backtest fit 4\n"
EARLIER_FORMAT_LINES = (b"backtest fit 1\n", b"backtest fit 2\n", b"backtest fit 3\n")
"""Of fits that kept forecasts and no model: no run asks for them by that key any more."""


class DamagedFitError(Exception):
    """A file is truncated or altered, or cannot be read."""


def encode_model(label: str, fitted: FittedModel) -> bytes:
    """The bytes of a file; the same model and label give the same bytes.

    Args:
        label: Name of the fit, for listings.
        fitted: The model.
    """
    header = {"label": label, "model": _describe_model(fitted)}
    arrays = io.BytesIO()
    np.savez(arrays, allow_pickle=False, **dict(_model_arrays(fitted)))
    payload = json.dumps(header).encode() + b"\n" + arrays.getvalue()
    return FORMAT_LINE + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload


def decode_model(raw: bytes, known: Forecaster | None = None) -> FittedModel:
    """The model of a file.

    Args:
        raw: What `encode_model` returned.
        known: The forecaster that was fitted, where its class is not of an installed package.

    Raises:
        DamagedFitError: The file is truncated or altered.
        UsageError: The file names a forecaster that is not installed.
    """
    head, checksum, payload = (
        raw[: len(FORMAT_LINE)],
        raw[len(FORMAT_LINE) :][:64],
        raw[len(FORMAT_LINE) + 65 :],
    )
    if head != FORMAT_LINE or hashlib.sha256(payload).hexdigest().encode() != checksum:
        raise DamagedFitError
    header, _, arrays = payload.partition(b"\n")
    document = json.loads(header)["model"]
    archive = read_arrays(arrays)
    transform = document["transform"]
    return FittedModel(
        forecaster=_read_forecaster(document["forecaster"], archive, "", known),
        train=archive["train"],
        validation=archive["validation"],
        realised=archive["realised"],
        transform=None if transform is None else _read_transform(transform, archive, ""),
        spans={name: (first, last) for name, (first, last) in document["spans"].items()},
        versions=document["versions"],
        pooled=tuple(
            _read_transform(each, archive, f"pooled_{number}_")
            for number, each in enumerate(document.get("pooled", ()))
        ),
    )


def _describe_model(fitted: FittedModel) -> dict[str, Any]:
    """Everything that is not an array."""
    transform, pooled = fitted.transform, [*map(_describe_transform, fitted.pooled)]
    return {
        "forecaster": _describe_forecaster(fitted.forecaster),
        "transform": None if transform is None else _describe_transform(transform),
        "spans": dict(fitted.spans),
        "versions": dict(fitted.versions),
        **({"pooled": pooled} if pooled else {}),
    }


def _describe_transform(transform: InputTransform) -> dict[str, Any]:
    return {
        "symbol": transform.symbol,
        "horizons": transform.horizons,
        "recursive": transform.recursive,
        "columns": [
            {"names": each.names, "groups": each.groups} for each in _all_columns(transform)
        ],
        **({"symbols": transform.symbols} if transform.symbols else {}),
        **({"embedded": transform.embedded} if transform.embedded else {}),
    }


def _describe_forecaster(fitted: FittedForecaster) -> dict[str, Any]:
    history = {part.name: getattr(fitted.history, part.name) for part in fields(TrainingHistory)}
    return {
        "model": fitted.model.model_dump(mode="json"),
        "state": dict(fitted.state),
        "history": {**history, "chosen": dict(fitted.history.chosen)},
        "weights": len(fitted.weights),
        "members": [_describe_forecaster(member) for member in fitted.members],
    }


def _model_arrays(fitted: FittedModel) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    yield "train", fitted.train
    yield "validation", fitted.validation
    yield "realised", fitted.realised
    yield from _weight_arrays(fitted.forecaster, "")
    if fitted.transform is not None:
        yield from _transform_arrays(fitted.transform, "")
    for number, transform in enumerate(fitted.pooled):
        yield from _transform_arrays(transform, f"pooled_{number}_")


def _transform_arrays(
    transform: InputTransform, prefix: str
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for place, columns in enumerate(_all_columns(transform)):
        yield f"{prefix}columns_{place}_quantiles", columns.quantiles
        for name, array in columns.scaler.to_arrays().items():
            yield f"{prefix}columns_{place}_scaler_{name}", array


def _weight_arrays(
    fitted: FittedForecaster, prefix: str
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Every weight by name; those of a member have its name as prefix."""
    for place, weight in enumerate(fitted.weights):
        yield f"{prefix}weight_{place}", weight
    for place, member in enumerate(fitted.members):
        yield from _weight_arrays(member, f"{prefix}member_{place}_")


def _all_columns(transform: InputTransform) -> tuple[ScaledColumns, ...]:
    return (transform.columns, *transform.coarse)


def _read_forecaster(
    document: Mapping[str, Any], archive: Arrays, prefix: str, known: Forecaster | None
) -> FittedForecaster:
    losses = {name: tuple(document["history"][name]) for name in ("train_loss", "validation_loss")}
    return FittedForecaster(
        model=_read_specification(document["model"], known),
        weights=tuple(archive[f"{prefix}weight_{place}"] for place in range(document["weights"])),
        state=document["state"],
        history=TrainingHistory(**{**document["history"], **losses}),
        members=tuple(
            _read_forecaster(member, archive, f"{prefix}member_{place}_", known)
            for place, member in enumerate(document["members"])
        ),
    )


def _read_specification(document: Mapping[str, Any], known: Forecaster | None) -> Forecaster:
    """The forecaster within `known` that has this JSON, else this kind, else an installed one."""
    candidates = [spec for spec in iterate_specs(known) if isinstance(spec, Forecaster)]
    for spec in candidates:
        if canonical_json(spec.model_dump(mode="json")) == canonical_json(document):
            return spec
    for spec in candidates:
        if spec.kind == document.get("kind"):
            return type(spec).model_validate(document)
    try:
        found: Forecaster = TypeAdapter(Model).validate_python(document)
    except ValidationError as error:
        raise UsageError(
            "a fitted model names a forecaster that is not installed",
            expected="a kind of the engine's or of an installed package",
            found=str(document.get("kind")),
            fix="install the package that offers it, or give the model that was fitted",
        ) from error
    return found


def _read_transform(document: Mapping[str, Any], archive: Arrays, prefix: str) -> InputTransform:
    columns = [
        ScaledColumns(
            names=tuple(each["names"]),
            groups=tuple(tuple(group) for group in each["groups"]),
            scaler=scaler_from_arrays(_with_prefix(archive, f"{prefix}columns_{place}_scaler_")),
            build_quantiles=partial(np.asarray, archive[f"{prefix}columns_{place}_quantiles"]),
        )
        for place, each in enumerate(document["columns"])
    ]
    return InputTransform(
        document["symbol"],
        tuple(document["horizons"]),
        recursive=document["recursive"],
        columns=columns[0],
        coarse=tuple(columns[1:]),
        symbols=tuple(document.get("symbols", ())),
        embedded=tuple(document.get("embedded", ())),
    )


def _with_prefix(archive: Arrays, prefix: str) -> dict[str, npt.NDArray[Any]]:
    return {
        name.removeprefix(prefix): archive[name] for name in archive if name.startswith(prefix)
    }


def save_model(path: Path | str, fitted: FittedModel, label: str = "") -> None:
    """Writes a model to a file, which is complete or as it was before.

    Args:
        path: The file; its folder is created where there is none.
        fitted: The model.
        label: Name of the fit, for listings.

    Raises:
        StorageError: The file cannot be written, or the disk is full.
    """
    file = Path(path)
    with translate_disk_faults("a fitted model cannot be stored", file, "choose another folder"):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replace_atomically(file) as draft:
            draft.write_bytes(encode_model(label, fitted))


def load_model(path: Path | str, known: Forecaster | None = None) -> FittedModel:
    """Reads a model that `save_model` wrote, or one of the store of fits.

    Args:
        path: The file.
        known: The forecaster that was fitted, where its class is not of an installed package.

    Raises:
        DataError: There is no such file, or it is damaged, or of another format.
        UsageError: The file names a forecaster that is not installed.
    """
    try:
        raw = read_bytes(
            Path(path), max_bytes=MAX_MODEL_FILE_BYTES, what="a fitted model", error=DataError
        )
        return decode_model(raw, known)
    except (OSError, DamagedFitError) as error:
        raise DataError(
            "a fitted model cannot be read",
            expected="a file that `save_model` wrote",
            found=str(error) or "a file that is damaged, or of another format",
            where=str(path),
            fix="fit the model again",
        ) from error
