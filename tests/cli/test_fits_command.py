"""`backtest fits`: listing, showing and pruning the store."""

from __future__ import annotations

import os
import re
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import TrainingError
from engine.models import Ensemble, FittedForecaster, Ridge, TrainingHistory
from engine.models.fitted_model import FittedModel, InputTransform, ScaledColumns
from engine.splits.scaling import StandardScaling
from engine.training.store import FitStore

DAY = 86_400


def model_of(forecaster: FittedForecaster) -> FittedModel:
    """With the transform of three features of two intervals."""
    scaler = StandardScaling().fit(np.arange(6.0).reshape(3, 2))
    columns = ScaledColumns(
        ("BTC:rsi_14", "ETH:rsi_14"), ((0,), (1,)), scaler, lambda: np.zeros((101, 2))
    )
    weekly = ScaledColumns(("BTC:1w:rsi_14",), ((0,),), scaler, lambda: np.zeros((101, 1)))
    return FittedModel(
        forecaster,
        train=np.zeros(1_300),
        validation=np.zeros(50),
        realised=np.zeros((50, 1)),
        transform=InputTransform(
            "BTC", (1, 5), recursive=False, columns=columns, coarse=(weekly,)
        ),
        spans={
            "train": ("2020-01-01T00:00:00+00:00", "2023-07-23T00:00:00+00:00"),
            "validation": ("2023-07-25T00:00:00+00:00", "2023-09-12T00:00:00+00:00"),
        },
    )


@pytest.fixture
def store(tmp_path, monkeypatch) -> FitStore:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path))
    store = FitStore(tmp_path / "fits")
    for age, key in ((40, "aa11"), (20, "bb22"), (1, "cc33")):
        history = TrainingHistory((0.9, 0.8), (1.0, 1.1), 0)
        fitted = FittedForecaster(Ridge(lookback=7), (np.ones((10, 5)),), history=history)
        store.put(key, f"strategy BTC window {age} seed 0", model_of(fitted))
        (file,) = store.folder.glob(f"*/{key}.fit")
        os.utime(file, (time.time() - age * DAY, time.time() - age * DAY))
    return store


def run(*arguments: str):
    return CliRunner().invoke(app, ["fits", *arguments])


def keys(store: FitStore) -> list[str]:
    return [entry.key for entry in store.entries()]


@pytest.mark.usefixtures("store")
def test_the_list_shows_each_fit_and_the_total_size() -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["Key", "Used", "Size", "Fit"]
    assert [line.split()[0] for line in lines[1:4]] == ["aa11", "bb22", "cc33"]
    assert lines[1].endswith("strategy BTC window 40 seed 0")
    assert re.match(r"3 fits, \d+\.\d KB, in ", lines[4])


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("width", [40, 60])
def test_a_narrow_terminal_keeps_keys_and_labels(monkeypatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run("list").stdout.splitlines()[:4]
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines[1:]] == ["aa11", "bb22", "cc33"]
    assert all(
        line.endswith(f"window {age} seed 0")
        for line, age in zip(lines[1:], (40, 20, 1), strict=True)
    )


def test_an_empty_store_lists_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path))
    assert run("list").stdout.startswith("0 fits, 0 B")


def test_failed_fits_are_counted_and_can_be_forgotten(store: FitStore) -> None:
    store.put_failure("dd44", TrainingError("the loss is not a number", where="strategy X"))
    assert run("list").stdout.splitlines()[-1] == (
        "1 fit that failed is not tried again, until `backtest fits prune --failed`"
    )
    assert "forgot 1 fits that failed\nremoved 0 of 3 fits" in run("prune", "--failed").stdout
    assert "not tried again" not in run("list").stdout
    assert keys(store) == ["aa11", "bb22", "cc33"]


def test_a_tuned_fit_is_shown_with_its_chosen_parameters(store: FitStore) -> None:
    history = TrainingHistory(
        trials=20, chosen={"model.units": [32], "training.loss": {"kind": "mse"}}
    )
    store.put("dd44", "x", model_of(FittedForecaster(Ridge(), history=history)))
    shown = run("show", "dd").stdout
    assert "trials    20\nchosen    model.units [32]\nchosen    training.loss" in shown


@pytest.mark.usefixtures("store")
def test_a_fit_is_shown_with_its_losses() -> None:
    shown = run("show", "bb").stdout
    assert "trials" not in shown
    assert "epochs    2, best 1" in shown
    assert "weights   50" in shown
    assert shown.splitlines()[-1].split() == ["2", "0.8000", "1.1000"]


@pytest.mark.usefixtures("store")
def test_a_fit_is_shown_with_what_it_learnt_from_and_what_it_needs_to_serve() -> None:
    lines = run("show", "bb").stdout.splitlines()
    assert "model     ridge, lookback 7" in lines
    assert "forecasts BTC, horizon 1, 5" in lines
    assert "features  3: BTC:rsi_14, ETH:rsi_14, BTC:1w:rsi_14" in lines
    assert "train     2020-01-01T00:00:00+00:00 to 2023-07-23T00:00:00+00:00" in lines
    assert "rows      1,300 train, 50 validation" in lines


def test_an_ensembles_fit_is_shown_member_by_member(store: FitStore) -> None:
    course = TrainingHistory((0.9, 0.8), (1.0, 1.1), 1, warm=True)
    member = FittedForecaster(Ridge(), (np.ones(4),), history=course)
    whole = FittedForecaster(
        Ensemble(members=(Ridge(), Ridge(lookback=2))),
        history=TrainingHistory(warm=True),
        members=(member, member),
    )
    store.put("dd44", "x", model_of(whole))
    shown = run("show", "dd").stdout
    assert "start     weights of the window before" in shown
    assert "members   2" in shown
    assert shown.count("epochs    2, best 2") == 2
    assert shown.count("0.8000") == 2


@pytest.mark.usefixtures("store")
def test_an_ambiguous_key_ends_with_2() -> None:
    result = run("show", "zz")
    assert result.exit_code == 2
    assert "0 keys begin" in result.stderr


def test_prune_removes_fits_not_used_for_long(store: FitStore) -> None:
    assert "removed 2 of 3 fits" in run("prune", "--older-than", "2w").stdout
    assert keys(store) == ["cc33"]


def test_prune_keeps_the_most_recently_used_within_the_size(store: FitStore) -> None:
    one = store.entries()[0].size
    run("prune", "--keep-bytes", f"{2 * one}B")
    assert keys(store) == ["bb22", "cc33"]
    run("prune", "--keep-bytes", "0KB")
    assert keys(store) == []


def test_prune_applies_both_limits_together(store: FitStore) -> None:
    run("prune", "--older-than", "30d", "--keep-bytes", f"{store.entries()[0].size}")
    assert keys(store) == ["cc33"]


def test_fits_of_an_earlier_format_are_shown_as_such_and_removed_alone(store: FitStore) -> None:
    (file,) = store.folder.glob("*/bb22.fit")
    file.write_bytes(re.sub(rb"^backtest fit \d", b"backtest fit 3", file.read_bytes()))
    assert "window 20 seed 0 (earlier format)" in run("list").stdout
    assert "format    earlier: not used" in run("show", "bb22").stdout
    assert "removed 1 of 3 fits" in run("prune", "--earlier-formats").stdout
    assert keys(store) == ["aa11", "cc33"]


@pytest.mark.parametrize("arguments", [(), ("--older-than", "soon"), ("--keep-bytes", "2 apples")])
def test_an_invalid_prune_ends_with_2_and_removes_nothing(
    store: FitStore, arguments: tuple[str, ...]
) -> None:
    result = run("prune", *arguments)
    assert result.exit_code == 2
    assert "expected" in result.stderr
    assert len(keys(store)) == 3
