"""Instances of a user's classes in a strategy: accepted, serialized, distinguished and run."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, ClassVar, Literal

import pytest
from pydantic import ValidationError

import engine
from engine.core.errors import ContractError, UsageError
from engine.core.part_origin import describe_parts, find_origins, require_importable
from engine.features.config import LogReturn
from engine.models import Ensemble, Lstm, Ridge, TrainingSpec
from engine.signals.config import BuyAndHold
from engine.strategy import Strategy
from engine.training.task import FitTask
from tests.models.planted_data import planted
from tests.parts.own_parts import (
    CostlyModel,
    OwnBenchmark,
    OwnCosts,
    OwnFeature,
    OwnModel,
    OwnSizing,
)
from tests.pipeline.markets import market

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = {
    "features": (LogReturn(), OwnFeature()),
    "model": OwnModel(),
    "sizing": OwnSizing(),
    "costs": OwnCosts(),
    "benchmarks": (BuyAndHold(), OwnBenchmark(), OwnModel()),
}


def strategy(**keys: object) -> Strategy:
    base = {"name": "own", "data": {"dataset": "us-indices"}, "model": Ridge()}
    return Strategy(**base | keys)


def test_a_strategy_takes_instances_and_keeps_them() -> None:
    spec = strategy(**OWN)
    assert all(getattr(spec, key) == value for key, value in OWN.items())
    assert spec.model is OWN["model"]
    assert list(spec.books()) == ["strategy", "buy_and_hold", "own_benchmark", "own_model"]
    assert set(spec.forecasters()) == {"strategy", "own_model"}


@pytest.mark.parametrize("mode", ["json", "python"])
def test_a_strategy_serializes_every_field_of_an_instance(mode: str) -> None:
    tree = strategy(**OWN).model_dump(mode=mode)
    assert tree["model"] == {"kind": "own_model", "breaks": ""}
    assert tree["costs"] == {"kind": "own_costs", "fee_bps": 5.0, "breaks": ""}
    assert tree["features"][1] == {"kind": "own_feature", "breaks": ""}
    assert tree["benchmarks"][1] == {"kind": "own_benchmark", "breaks": ""}


def test_an_ensemble_takes_an_instance_as_a_member() -> None:
    assert strategy(model=Ensemble(members=(Ridge(), OwnModel()))).model.members[1] == OwnModel()


class Posing(Ridge):
    """Has the kind of what it derives from."""


class Thawed(OwnModel, frozen=False):
    kind: Literal["thawed"] = "thawed"


class Nameless(OwnModel):
    kind: str = "nameless"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Posing(), "a kind that the engine does not have"),
        (Thawed(), "a frozen class"),
        (Nameless(), "a field `kind: Literal"),
    ],
    ids=["kind", "frozen", "literal"],
)
def test_an_instance_of_a_class_that_breaks_a_rule_is_refused(model, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        strategy(model=model)


@pytest.mark.parametrize("wrong", [LogReturn(), "ridge", object()])
def test_an_object_of_another_class_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        strategy(model=wrong)


def test_a_network_of_the_engine_is_still_no_benchmark() -> None:
    with pytest.raises(ValidationError, match="lstm"):
        strategy(benchmarks=(Lstm(),))


def test_costs_without_a_kind_are_the_engines_own() -> None:
    with_kind, without = (
        strategy(costs=costs) for costs in ({"kind": "fixed", "fee_bps": 3}, {"fee_bps": 3})
    )
    assert with_kind == without
    assert without.model_dump(mode="json")["costs"] == {
        "fee_bps": 3.0,
        "slippage_bps": 5.0,
        "borrow_bps_per_year": 0.0,
    }


def key(model: object) -> str:
    task = FitTask("strategy", "X", 0, 0, 0, model, TrainingSpec(), planted().training_set)
    return task.key("tensorflow", {})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of a user's, beside the script."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "beside.py"
    sys.modules.pop("beside", None)


SOURCE = """
from typing import ClassVar, Literal
import numpy as np
from engine.models import FittedForecaster, Forecaster, Prediction

LEVEL = 0.0

def level():
    return LEVEL

def unused():
    return 1

class Level(Forecaster):
    costly: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1
    kind: Literal["level"] = "level"

    def fit(self, training_set, training, seed):
        return FittedForecaster(self)

    def predict(self, fitted, inputs, rows):
        return Prediction(np.full(len(rows), level()))
"""


def load(file: Path, source: str) -> type:
    file.write_text(source)
    sys.modules.pop("beside", None)
    importlib.invalidate_caches()
    return importlib.import_module("beside").Level


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("level()))", "2 * level()))", True),
        ("return LEVEL", "return 3 * LEVEL", True),
        ("LEVEL = 0.0", "LEVEL = 0.5", True),
        ("return 1", "return 2", False),
    ],
    ids=["class", "function", "constant", "unused"],
)
def test_the_source_that_a_class_uses_is_part_of_its_keys(
    module: Path, old: str, new: str, differs: bool
) -> None:
    before = key(load(module, SOURCE)())
    assert key(load(module, SOURCE)()) == before
    assert (key(load(module, SOURCE.replace(old, new))()) != before) is differs


def test_the_origin_of_a_class_without_a_distribution_names_none(module: Path) -> None:
    (origin,) = find_origins(strategy(model=load(module, SOURCE)()))
    assert (origin.kind, origin.name, origin.distribution) == ("level", "beside.Level", "")
    assert len(origin.source_sha256) == 16


def test_parts_of_the_engine_add_nothing_to_a_key() -> None:
    assert find_origins(strategy()) == []
    assert describe_parts(Ensemble(members=(Ridge(), OwnModel()))).keys() == {
        "tests.parts.own_parts.OwnModel"
    }


def test_a_class_that_a_worker_cannot_import_is_refused_before_training() -> None:
    class Local(OwnModel):
        kind: Literal["local"] = "local"

    require_importable(CostlyModel(), "strategy")
    with pytest.raises(UsageError, match="cannot be trained in another process") as caught:
        require_importable(Ensemble(members=(Ridge(), Local())), "strategy")
    assert "<locals>" in caught.value.found
    assert "costly = False" in caught.value.fix


@pytest.fixture(scope="module")
def small(module_folder: Path) -> Strategy:
    return strategy(
        **OWN,
        data={"dataset": str(market(module_folder / "market"))},
        windows={"train": 300, "validation": 50, "test": 150},
        evaluation={"resamples": 200},
    )


def run(spec: Strategy, module_folder: Path) -> engine.Run:
    return engine.run(
        spec, out=module_folder / "out", home=module_folder / "home", pages=False, workers=1
    )


@pytest.fixture(scope="module")
def finished(small: Strategy, module_folder: Path) -> engine.Run:
    return run(small, module_folder)


@pytest.mark.slow
def test_a_run_of_own_parts_passes_the_leakage_test(finished: engine.Run) -> None:
    assert finished.certificate.result == "passed"
    assert list(finished.returns) == ["strategy", "buy_and_hold", "own_benchmark", "own_model"]
    assert finished.trades["slippage_cost"].gt(0).all()
    assert finished.significance.sensitivity is not None


@pytest.mark.slow
def test_the_manifest_lists_where_each_part_came_from(finished: engine.Run) -> None:
    names = {part.kind: part.name.rpartition(".")[2] for part in finished.manifest.parts}
    assert names == {
        "own_model": "OwnModel",
        "own_feature": "OwnFeature",
        "own_sizing": "OwnSizing",
        "own_costs": "OwnCosts",
        "own_benchmark": "OwnBenchmark",
    }


@pytest.mark.slow
def test_costs_of_a_users_own_are_paid_bar_by_bar(finished: engine.Run) -> None:
    bars = finished.bars.pivot(index="timestamp", columns="symbol", values="close")
    rate = 0.1 * bars.pct_change().abs().shift(1)["AAA"]
    opens = finished.bars.query("symbol == 'AAA'").set_index("timestamp")["open"]
    fills = finished.trades.query("book == 'buy_and_hold'")
    for fill in fills.itertuples():
        sign = 1 if fill.side == "buy" else -1
        expected = opens[fill.timestamp] * (1 + sign * rate[fill.timestamp])
        assert fill.price == pytest.approx(expected)
        assert fill.fee == pytest.approx(5e-4 * fill.size * fill.price)


@pytest.mark.slow
def test_a_costly_model_of_a_file_of_its_own_is_trained_in_a_worker_once(
    small: Strategy, module_folder: Path
) -> None:
    spec = small.model_copy(update={"model": CostlyModel(), "name": "costly"})
    first = run(spec, module_folder)
    assert first.manifest.fits.trained == len(first.manifest.windows)
    assert run(spec, module_folder).manifest.fits.trained == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"model": OwnModel(breaks="shape")}, "own_model"),
        ({"model": CostlyModel(breaks="finite")}, "costly_model"),
        ({"features": (OwnFeature(breaks="shape"),)}, "own_feature"),
        ({"sizing": OwnSizing(breaks="sign")}, "own_sizing"),
        ({"costs": OwnCosts(breaks="sign")}, "own_costs"),
        ({"benchmarks": (OwnBenchmark(breaks="range"),)}, "own_benchmark"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_part_that_breaks_its_contract_ends_the_run_with_2(
    small: Strategy, tmp_path: Path, change: dict[str, object], part: str
) -> None:
    with pytest.raises(ContractError) as caught:
        run(small.model_copy(update=change | {"name": "broken"}), tmp_path)
    assert caught.value.part == part
    assert caught.value.exit_code == 2
    assert not list((tmp_path / "out").glob("broken/*"))


def test_a_tuned_model_of_a_users_own_keeps_its_class() -> None:
    from engine.models.tuning.search_space import apply_params

    class Sloped(OwnModel):
        kind: Literal["sloped"] = "sloped"
        tilt: int = 2

    made = apply_params(Sloped(), TrainingSpec(), {"model.tilt": 7})
    assert made.model == Sloped(tilt=7)
    assert isinstance(made.model, Sloped)


def test_the_libraries_of_members_are_those_of_the_ensemble() -> None:
    class Needy(OwnModel):
        libraries: ClassVar[tuple[str, ...]] = ("some-library",)
        kind: Literal["needy"] = "needy"

    assert Ensemble(members=(Ridge(), Needy())).libraries == ("some-library",)
