# ruff: noqa: E501 - a row of a table stays on one line
"""Entry points of installed packages: what can be used, and why the others cannot."""

from __future__ import annotations

import importlib.metadata as metadata
import json
import sys
from typing import TYPE_CHECKING

import pytest

from engine.core.installed_kinds import load_kinds
from engine.models import MODEL_KINDS, Forecaster
from tests.parts.distribution import install, project, run_cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUP = "backtest.models"
MODULE = '''
from typing import ClassVar, Literal
import numpy as np
from engine.models import FittedForecaster, Forecaster, Prediction

class Zero(Forecaster):
    """y = `level`.

    Attributes:
        level: The forecast of every row.
    """
    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1
    kind: Literal["zero"] = "zero"
    level: float = 0.0

    def fit(self, training_set, training, seed):
        return FittedForecaster(self)

    def predict(self, fitted, inputs, rows):
        return Prediction(np.full(len(rows), self.level))

class Renamed(Zero):
    kind: Literal["another"] = "another"

class NoKind(Forecaster):
    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 1

    def fit(self, training_set, training, seed):
        return FittedForecaster(self)

    def predict(self, fitted, inputs, rows):
        return Prediction(np.zeros(len(rows)))

class Thawed(Zero, frozen=False):
    kind: Literal["thawed"] = "thawed"

class Abstract(Forecaster):
    kind: Literal["abstract"] = "abstract"

class Stranger:
    kind = "stranger"
'''
STRATEGY = "name: x\ndata: {{dataset: us-indices}}\nmodel: {{kind: {kind}}}\n"


@pytest.fixture
def zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A distribution of the module above, on the path of this process."""
    folder = install(
        tmp_path / "site", project("acme-zero", GROUP, zero="acme_zero.m:Zero"), {"m": MODULE}
    )
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_zero"]:
        del sys.modules[name]


def entry(kind: str, value: str) -> metadata.EntryPoint:
    """As the distribution would have it."""
    found = metadata.distribution("acme-zero")
    return metadata.EntryPoint(kind, value, GROUP)._for(found)


def load(*entries: metadata.EntryPoint):
    return load_kinds(entries, (Forecaster,), frozenset({"ridge"}))


@pytest.mark.usefixtures("zero")
def test_a_kind_is_a_class_with_the_distribution_that_offers_it() -> None:
    found = load(entry("zero", "acme_zero.m:Zero"))
    kind = found.usable["zero"]
    assert (kind.part.__name__, kind.distribution, kind.version) == ("Zero", "acme-zero", "1.2")
    assert found.faults == []


@pytest.mark.usefixtures("zero")
@pytest.mark.parametrize(
    ("kind", "value", "problem", "expected", "found"),
    [
        ("gone", "acme_zero.gone:Zero", "cannot be imported", "that can be imported", "ModuleNotFoundError"),
        ("lost", "acme_zero.m:Lost", "cannot be imported", "that can be imported", "AttributeError"),
        ("stranger", "acme_zero.m:Stranger", "breaks a rule", "a subclass of Forecaster", "Stranger"),
        ("text", "acme_zero.m:__doc__", "breaks a rule", "a subclass of Forecaster", "None"),
        ("abstract", "acme_zero.m:Abstract", "breaks a rule", "every abstract method", "without costly"),
        ("no_kind", "acme_zero.m:NoKind", "breaks a rule", "a field `kind", "NoKind without"),
        ("thawed", "acme_zero.m:Thawed", "breaks a rule", "a frozen class", "Thawed"),
        ("mine", "acme_zero.m:Renamed", "breaks a rule", "named as the kind", "`another`"),
    ],
    ids=lambda value: value if value.isidentifier() else "",
)  # fmt: skip
def test_an_unusable_entry_point_has_an_error_of_four_parts(
    kind: str, value: str, problem: str, expected: str, found: str
) -> None:
    loaded = load(entry(kind, value), entry("zero", "acme_zero.m:Zero"))
    error = loaded.unusable[kind]
    assert problem in error.problem
    assert expected in error.expected
    assert found in error.found
    assert error.where == (
        f"acme-zero 1.2, entry point `{kind} = {value}` of the group backtest.models"
    )
    assert "acme-zero 1.2" in error.fix
    assert list(loaded.usable) == ["zero"]


@pytest.mark.usefixtures("zero")
def test_no_package_replaces_a_kind_of_the_engine() -> None:
    loaded = load(entry("ridge", "acme_zero.m:Zero"))
    assert "the engine's own" in loaded.ignored["ridge"].problem
    assert (loaded.usable, loaded.unusable) == ({}, {})


@pytest.mark.usefixtures("zero")
def test_a_kind_that_two_distributions_offer_is_unusable() -> None:
    other = metadata.EntryPoint("zero", "elsewhere:Zero", GROUP)
    loaded = load(entry("zero", "acme_zero.m:Zero"), other)
    assert "offered twice" in loaded.unusable["zero"].problem
    assert "acme-zero 1.2" in loaded.unusable["zero"].found
    assert loaded.usable == {}


@pytest.mark.usefixtures("zero")
def test_one_distribution_found_twice_on_the_path_counts_once() -> None:
    twice = entry("zero", "acme_zero.m:Zero")
    assert list(load(twice, twice).usable) == ["zero"]


def test_the_test_environment_has_no_installed_kinds() -> None:
    assert MODEL_KINDS.installed.faults == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good kind, and each way of being bad, as one installed distribution."""
    folder = tmp_path_factory.mktemp("parts")
    kinds = {
        "zero": "acme_zero.m:Zero",
        "broken": "acme_zero.gone:Zero",
        "ridge": "acme_zero.m:Zero",
    }
    install(folder / "site", project("acme-zero", GROUP, **kinds), {"m": MODULE})
    return folder


def strategy(folder: Path, kind: str) -> str:
    file = folder / f"{kind}.yaml"
    file.write_text(STRATEGY.format(kind=kind))
    return str(file)


@pytest.mark.slow
def test_a_file_names_an_installed_kind(site: Path) -> None:
    done = run_cli("check", strategy(site, "zero"), path=(site / "site",), cwd=site)
    assert "zero, level 0.0" in done.stdout


@pytest.mark.slow
def test_a_file_that_names_a_broken_kind_gets_an_error_with_its_distribution(site: Path) -> None:
    done = run_cli("check", strategy(site, "broken"), path=(site / "site",), cwd=site, expect=2)
    assert "model.kind, line 3" in done.stderr
    assert "expected: an entry point that can be imported" in done.stderr
    assert "ModuleNotFoundError: No module named 'acme_zero.gone'" in done.stderr
    assert "acme-zero 1.2, entry point `broken = acme_zero.gone:Zero`" in done.stderr


@pytest.mark.slow
def test_a_wrong_kind_is_compared_with_the_installed_ones(site: Path) -> None:
    done = run_cli("check", strategy(site, "zeero"), path=(site / "site",), cwd=site, expect=2)
    assert "did you mean `zero`?" in done.stderr


@pytest.mark.slow
def test_explain_shows_an_installed_kind_and_says_what_cannot_be_used(site: Path) -> None:
    done = run_cli("explain", "model.zero", path=(site / "site",), cwd=site)
    assert "The forecast of every row." in done.stdout
    assert "`ridge` is the engine's own and is not replaced" in done.stderr
    assert "`broken` cannot be imported" in done.stderr


@pytest.mark.slow
def test_the_schema_of_the_environment_has_the_kind_and_the_built_in_one_has_not(
    site: Path,
) -> None:
    path = (site / "site",)
    both = [
        json.loads(run_cli("schema", *option, path=path, cwd=site).stdout)
        for option in ([], ["--built-in"])
    ]
    whole, built_in = (set(s["properties"]["model"]["discriminator"]["mapping"]) for s in both)
    assert whole - built_in == {"zero"}
    assert "Zero" in both[0]["$defs"]
    assert "Zero" not in both[1]["$defs"]
