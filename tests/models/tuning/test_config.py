"""A search space is validated at its corners when the strategy is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter, ValidationError

from engine.core.errors import Mistake, StrategyError
from engine.models import (
    AdamW,
    CosineSchedule,
    Model,
    QuantileLoss,
    Ridge,
    TrainingSpec,
    TuningSpec,
)
from engine.models.tuning.config import Dimension
from engine.models.tuning.search_space import apply_params, grid_corners
from engine.strategy import Strategy, load_strategy

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """name: tuned
data: {dataset: crypto-majors}
model: {kind: transformer, width: 32, heads: 4}
training: {early_stopping: null}
tune:
  space:
"""
FIRST = 7
"""Line of the first parameter in the space."""


def load(folder: Path, *dimensions: str, head: str = HEAD) -> Strategy:
    file = folder / "tuned.yaml"
    file.write_text(head + "".join(f"    {line}\n" for line in dimensions))
    return load_strategy(file)


def mistakes(folder: Path, *dimensions: str, head: str = HEAD) -> tuple[Mistake, ...]:
    with pytest.raises(StrategyError) as caught:
        load(folder, *dimensions, head=head)
    return caught.value.mistakes


def test_every_kind_of_parameter_can_be_tuned(tmp_path) -> None:
    strategy = load(
        tmp_path,
        "model.lookback: {kind: integer, low: 10, high: 60, step: 10}",
        "model.heads: {kind: choice, values: [2, 4, 8]}",
        "model.dropout: {kind: uniform, low: 0.0, high: 0.5}",
        "training.optimizer.learning_rate: {kind: log_uniform, low: 1.0e-4, high: 1.0e-2}",
        "training.loss: {kind: choice, values: [{kind: mse}, {kind: huber, delta: 2.0}]}",
        "training.early_stopping.patience: {kind: integer, low: 2, high: 9}",
    )
    assert strategy.forecasters()["strategy"].lookback == 60
    assert strategy.forecasters()["ridge"] == Ridge()
    assert strategy.libraries == ("optuna",)


def test_without_tune_the_model_is_not_wrapped(tmp_path) -> None:
    file = tmp_path / "plain.yaml"
    file.write_text("name: plain\ndata: {dataset: x}\nmodel: {kind: ridge}\n")
    strategy = load_strategy(file)
    assert strategy.forecasters()["strategy"] == Ridge()
    assert strategy.libraries == ()


def test_all_mistakes_are_reported_at_once_with_their_lines(tmp_path) -> None:
    errors = mistakes(
        tmp_path,
        "model.heds: {kind: choice, values: [2, 4]}",
        "model.dropout: {kind: uniform, low: -0.1, high: 0.5}",
        'model.layers: {kind: choice, values: [2, 0, "x"]}',
        "model.width.x: {kind: choice, values: [1]}",
        "training.epochs: {kind: integer, low: 5, high: 100000, step: 5}",
        "training.batch_size: {kind: uniform, low: 16, high: 64}",
        "windows.train: {kind: choice, values: [1y]}",
    )
    reported = [(m.path.removeprefix("tune.space."), m.line - FIRST, m.expected) for m in errors]
    whole = "a whole number, at least"
    assert reported == [
        (
            "model.heds",
            0,
            "at model.heds one of the keys lookback, symbol_embedding, kind, width, heads, "
            "layers, feed_forward or dropout; did you mean `heads`?",
        ),
        ("model.dropout.low", 1, "at model.dropout a number, at least 0, below 1"),
        ("model.layers.values.1", 2, f"at model.layers {whole} 1, at most 12"),
        ("model.layers.values.2", 2, f"at model.layers {whole} 1, at most 12"),
        ("model.width.x", 3, "at model.width.x a mapping or a list to set a value in"),
        ("training.epochs.high", 4, f"at training.epochs {whole} 1, at most 10000"),
        ("training.batch_size", 5, f"at training.batch_size {whole} 2, at most 8192"),
        ("windows.train", 6, "at windows one of the keys model or training"),
    ]
    assert [m.found for m in errors[1:4]] == ["-0.1", "0", '"x"']


def test_conflicting_values_are_reported(tmp_path) -> None:
    (clash,) = mistakes(
        tmp_path,
        "model.width: {kind: integer, low: 30, high: 36, step: 6}",
        "model.heads: {kind: choice, values: [3, 4, 6]}",
    )
    assert clash.path == "tune.space"
    assert clash.expected == (
        "values that are valid together: width is 30 and heads is 4; "
        "make width a multiple of heads"
    )
    assert clash.found == '"model.heads 4, model.width 30"'


def test_conflicts_with_the_rest_of_the_strategy_are_reported(tmp_path) -> None:
    head = HEAD.replace("tune:\n", "target: {horizons: [1, 5], strategy: recursive}\ntune:\n")
    models = "model: {kind: choice, values: [{kind: lstm}, {kind: ridge}]}"
    losses = "training.loss: {kind: choice, values: [{kind: mse}, {kind: sharpe}]}"
    (model,) = mistakes(tmp_path, models, head=head)
    assert model.path == "tune.space.model.values.1"
    assert "a network for `target.strategy: recursive`" in model.expected
    (loss,) = mistakes(tmp_path, losses, head=head)
    assert loss.path == "tune.space"
    assert "another loss than sharpe" in loss.expected


def test_integers_between_the_ends_are_validated(tmp_path) -> None:
    (clash,) = mistakes(tmp_path, "model.width: {kind: integer, low: 8, high: 16, step: 2}")
    assert "width is 10 and heads is 4" in clash.expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "model.width: {kind: integer, low: 8, high: 17, step: 2}",
            "high (17) must be low (8) plus",
        ),
        ("model.dropout: {kind: uniform, low: 0.5, high: 0.5}", "low (0.5) must be below high"),
        ("model.dropout: {kind: log_uniform, low: 0, high: 0.5}", "above 0"),
        ("model.dropout: {kind: uniforme, low: 0, high: 0.5}", "choice, integer, log_uniform or"),
        ("model.dropout: {kind: choice, values: []}", "a list, at least 1"),
        (
            "training.warm_start: {kind: choice, values: [previous_window]}",
            "no warm start with `tune`",
        ),
        ("model.width: {kind: log_uniform, low: 8.0, high: 64.0}", "a whole number, at least 2"),
    ],
)
def test_the_error_of_a_path_names_the_expected_values(tmp_path, line: str, expected: str) -> None:
    (mistake,) = mistakes(tmp_path, line)
    assert mistake.path.startswith(f"tune.space.{line.split(':')[0]}")
    assert mistake.line == FIRST
    assert expected in mistake.expected


def test_a_warm_start_with_tuning_is_an_error(tmp_path) -> None:
    head = HEAD.replace("early_stopping: null", "warm_start: previous_window")
    (mistake,) = mistakes(tmp_path, "model.heads: {kind: choice, values: [2]}", head=head)
    assert (mistake.path, mistake.line) == ("training.warm_start", 4)
    assert "no warm start with `tune`" in mistake.expected


def test_a_preset_cannot_be_tuned(tmp_path) -> None:
    head = HEAD.replace("{kind: transformer, width: 32, heads: 4}", "{kind: cnn_lstm}")
    line = "model.preset: {kind: choice, values: [model1, model2]}"
    (mistake,) = mistakes(tmp_path, line, head=head)
    assert mistake.path == "tune.space.model.preset"
    models = "[{kind: cnn_lstm, preset: model1}, {kind: cnn_lstm, preset: model2}]"
    assert load(tmp_path, f"model: {{kind: choice, values: {models}}}", head=head)


def test_nested_paths_are_errors(tmp_path) -> None:
    (mistake,) = mistakes(
        tmp_path,
        "training.optimizer.learning_rate: {kind: log_uniform, low: 1.0e-4, high: 1.0e-2}",
        "training.loss: {kind: choice, values: [{kind: mse}]}",
        "training.optimizer: {kind: choice, values: [{kind: adam}]}",
    )
    assert "training.optimizer and, inside it, training.optimizer.learning_rate" in str(mistake)


def test_a_tuned_model_is_no_kind_of_a_strategy(tmp_path) -> None:
    file = tmp_path / "nested.yaml"
    file.write_text("name: nested\ndata: {dataset: x}\nmodel: {kind: tuned}\n")
    with pytest.raises(StrategyError, match=r"model\.kind"):
        load_strategy(file)


def test_a_strategy_built_in_python_has_the_same_checks(tmp_path) -> None:
    good = load(tmp_path, "model.heads: {kind: choice, values: [2]}")
    tree = good.model_dump(mode="json")
    tree["tune"]["space"]["model.heads"]["values"] = [0]
    with pytest.raises(ValidationError, match="at least 1"):
        Strategy.model_validate(tree)


def test_params_are_applied_like_overrides_of_set() -> None:
    values = {"model.lookback": 9, "training.optimizer.learning_rate": 0.5}
    config = apply_params(Ridge(), TrainingSpec(), values)
    assert config.model == Ridge(lookback=9)
    assert config.training.optimizer.learning_rate == 0.5
    with pytest.raises(StrategyError):
        apply_params(Ridge(), TrainingSpec(), {"model.lookback": 0})


MODELS = TypeAdapter(Model).json_schema()["discriminator"]["mapping"]


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_model_and_training_round_trips(kind: str) -> None:
    values = {"kind": kind} | ({"members": [{"kind": "lstm"}]} if kind == "ensemble" else {})
    model = TypeAdapter(Model).validate_python(values)
    training = TrainingSpec(loss=QuantileLoss(), optimizer=AdamW(), schedule=CosineSchedule())
    config = apply_params(model, training, {})
    assert (config.model, config.training) == (model, training)


def dimension(**values: object) -> Dimension:
    return TypeAdapter(Dimension).validate_python(values)


def test_few_corners_are_all_validated_and_many_one_parameter_at_a_time() -> None:
    few = {
        "a": dimension(kind="uniform", low=0, high=1),
        "b": dimension(kind="choice", values=[1]),
    }
    assert [tuple(v for _, v in c.values()) for c in grid_corners(few)] == [(0.0, 1), (1.0, 1)]
    many = {name: dimension(kind="uniform", low=0, high=1) for name in "abcdefghijkl"}
    seen = list(grid_corners(many))
    assert len(seen) == 13
    assert all(any(corner[name][1] == 1.0 for corner in seen) for name in many)


def test_the_defaults_equal_the_documented_ones() -> None:
    tune = TuningSpec(space={"model.lookback": dimension(kind="integer", low=1, high=2)})
    dumped = tune.model_dump(exclude={"space"})
    assert dumped == {
        "trials": 20,
        "metric": "mse",
        "sampler": "tpe",
        "pruner": "median",
        "splits": {"kind": "purged_kfold", "folds": 3, "embargo": 0},
    }
