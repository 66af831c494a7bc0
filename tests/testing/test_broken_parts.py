"""A part that breaks a rule is told which, by the public checks."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pytest

from engine.data.bar_rows import bars_to_rows
from engine.features.base import Indicator, WindowIndicator
from engine.features.config import LogReturn
from engine.testing import (
    ContractError,
    check_benchmark,
    check_costs,
    check_feature,
    check_model,
    check_sizing,
)
from tests.parts.own_parts import OwnBenchmark, OwnCosts, OwnFeature, OwnModel, OwnSizing

BROKEN = [
    (check_model, OwnModel, "type", "fit returns a FittedForecaster"),
    (check_model, OwnModel, "weights", "`weights` holds NumPy arrays of numbers"),
    (check_model, OwnModel, "state", "`state` is JSON"),
    (check_model, OwnModel, "shape", "a Prediction whose `returns` have the shape"),
    (check_model, OwnModel, "finite", "`returns` is finite"),
    (check_model, OwnModel, "seed", "not stochastic predicts the same from every seed"),
    (check_model, OwnModel, "chance", "the same seed gives the same bytes"),
    (check_model, OwnModel, "future", "later bars do not change the prediction of a row"),
    (check_model, OwnModel, "past", "depends on no bar before its sequence"),
    (check_model, OwnModel, "others", "the same alone and among others"),
    (check_model, OwnModel, "order", "the same alone and among others"),
    (check_model, OwnModel, "file", "written to a file and read predicts the same"),
    (check_model, OwnModel, "training_set", "fit leaves the training set as it is"),
    (check_model, OwnModel, "inputs", "predict leaves the inputs as they are"),
    (check_feature, OwnFeature, "shape", "a Series with the index of the bars"),
    (check_feature, OwnFeature, "future", "later bars do not change a value"),
    (check_feature, OwnFeature, "warmup", "finite from the row `warmup`"),
    (check_feature, OwnFeature, "unit", "the unit of prices does not change"),
    (check_feature, OwnFeature, "column", "`required_columns` names every column"),
    (check_feature, OwnFeature, "first", "the first bar does not change a value"),
    (check_feature, OwnFeature, "bars", "leaves the bars as they are"),
    (check_sizing, OwnSizing, "shape", "the timestamps and symbols of the predictions"),
    (check_sizing, OwnSizing, "sign", "sizes of at least 0"),
    (check_sizing, OwnSizing, "missing", "a size wherever there is a prediction"),
    (check_sizing, OwnSizing, "future", "later bars do not change a size"),
    (check_sizing, OwnSizing, "closes", "a bar alone, with its last closes_needed closes"),
    (check_benchmark, OwnBenchmark, "range", "a position between -1 and 1"),
    (check_benchmark, OwnBenchmark, "nan", "a position between -1 and 1"),
    (check_benchmark, OwnBenchmark, "shape", "the timestamps and symbols of the closes"),
    (check_benchmark, OwnBenchmark, "future", "later closes do not change a position"),
    (check_costs, OwnCosts, "sign", "slippage is at least 0 and below 1"),
    (check_costs, OwnCosts, "size", "slippage is at least 0 and below 1"),
    (check_costs, OwnCosts, "shape", "the timestamps and the symbols of the market"),
    (check_costs, OwnCosts, "future", "later bars do not change a rate"),
]


@pytest.mark.parametrize(
    ("check", "part"),
    [
        (check_model, OwnModel()),
        (check_feature, OwnFeature()),
        (check_sizing, OwnSizing()),
        (check_benchmark, OwnBenchmark()),
        (check_benchmark, OwnModel()),
        (check_costs, OwnCosts()),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_part_that_keeps_every_rule_passes(check, part) -> None:
    check(part)


@pytest.mark.parametrize(
    ("check", "part", "breaks", "rule"), BROKEN, ids=[f"{p.__name__}-{b}" for _, p, b, _ in BROKEN]
)
def test_a_part_that_breaks_a_rule_is_told_which(check, part, breaks: str, rule: str) -> None:
    with pytest.raises(ContractError) as caught:
        check(part(breaks=breaks))
    assert rule in caught.value.rule
    assert caught.value.part == part().kind
    assert caught.value.exit_code == 2
    assert isinstance(caught.value, AssertionError)


class Thawed(LogReturn, frozen=False):
    kind: Literal["thawed"] = "thawed"


class Forgetful(LogReturn):
    kind: Literal["forgetful"] = "forgetful"

    def model_dump_json(self, **_: object) -> str:
        return '{"periods": 7}'


@pytest.mark.parametrize(("part", "rule"), [(Thawed(), "frozen"), (Forgetful(), "JSON")])
def test_the_rules_of_every_part_are_checked(part, rule: str) -> None:
    with pytest.raises(ContractError) as caught:
        check_feature(part)
    assert rule in str(caught.value)


class RunningMean(Indicator):
    """Close over pandas' mean, whose last bits depend on earlier bars."""

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["running_mean"] = "running_mean"

    @property
    def warmup(self) -> int:
        return 9

    def compute_values(self, bars):
        return bars["close"] / bars["close"].rolling(10).mean() - 1


class AcrossSymbols(WindowIndicator):
    """The last return, of arrays of several symbols along the wrong axis."""

    required_columns: ClassVar[tuple[str, ...]] = ("close",)

    kind: Literal["across_symbols"] = "across_symbols"

    @property
    def warmup(self) -> int:
        return 1

    def compute_array(self, columns):
        close = columns["close"]
        return np.diff(close, prepend=np.nan) / close


class Hoarder(LogReturn):
    kind: Literal["hoarder"] = "hoarder"

    def update(self, state, bars):
        _, values = super().update(None if state is None else state[-1:], bars)
        rows = bars_to_rows([bars], ["close"])
        return rows if state is None else np.vstack([state, rows]), values


class Scribbler(LogReturn):
    kind: Literal["scribbler"] = "scribbler"

    def update(self, state, bars):
        following, values = super().update(state, bars)
        if state is not None:
            state[:] = 1.0
        return following, values


class Glancer(LogReturn):
    kind: Literal["glancer"] = "glancer"

    def compute_values(self, bars):
        return super().compute_values(bars) + 0 * bars["volume"]


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        (RunningMean(), "the streaming form gives the bits of the batch form"),
        (AcrossSymbols(), "computed along their first axis"),
        (Hoarder(), "the state of the streaming form does not grow"),
        (Scribbler(), "leaves the state before as it is"),
        (Glancer(), "`required_columns` names every column"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_feature_whose_streaming_form_breaks_a_rule_is_told_which(part, rule: str) -> None:
    with pytest.raises(ContractError) as caught:
        check_feature(part)
    assert rule in caught.value.rule
    assert caught.value.part == part.kind
