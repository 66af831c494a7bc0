"""Numbers that change without a new version of their stage would be taken for stored ones."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine.core.stage_versions import FIT_STAGES, STAGE_VERSIONS
from tests.golden.figures import (
    FORECASTERS,
    GOLDEN_FILE,
    compute_fit_figures,
    compute_run_figures,
)

GOLDEN = json.loads(GOLDEN_FILE.read_text(encoding="utf-8"))
TOLERANCES = {"lstm": 1e-3}
"""Of the largest figure in a list; 1e-6 for what no network computes. A real change exceeds it."""

REWRITE = "write golden.json anew with `python -m tests.golden.figures`"


def differences(found: Any, golden: Any, tolerance: float, path: str = "") -> list[str]:
    """Where two trees of figures differ by more than rounding."""
    if isinstance(golden, dict):
        if set(found) != set(golden):
            return [f"{path}: {sorted(set(found) ^ set(golden))}"]
        return [
            each
            for key in golden
            for each in differences(found[key], golden[key], tolerance, f"{path}.{key}")
        ]
    if isinstance(golden, str):
        return [] if found == golden else [f"{path}: {found}, was {golden}"]
    scale = max(float(np.max(np.abs(golden))), 1e-12)
    same = np.shape(found) == np.shape(golden) and np.allclose(
        found, golden, rtol=0, atol=tolerance * scale
    )
    return [] if same else [f"{path}: {found}, was {golden}"]


def complaint(stages: tuple[str, ...], changed: list[str]) -> str:
    names = " or ".join(f'STAGE_VERSIONS["{stage}"]' for stage in stages)
    return (
        f"the numbers changed and {names} in engine/core/stage_versions.py did not: if the change "
        f"is meant, raise the version and {REWRITE}; stored fits and run ids of the version "
        f"before would be taken for these.\n" + "\n".join(changed)
    )


def test_the_golden_figures_are_those_of_todays_versions() -> None:
    assert GOLDEN["stages"] == dict(STAGE_VERSIONS), REWRITE


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n == "lstm" else n for n in FORECASTERS],
)
def test_the_numbers_of_a_fit_change_with_a_version_alone(name: str) -> None:
    tolerance = TOLERANCES.get(name, 1e-6)
    changed = differences(compute_fit_figures(name), GOLDEN["fits"][name], tolerance)
    assert not changed, complaint(FIT_STAGES, changed)


@pytest.mark.slow
def test_the_numbers_of_a_run_change_with_a_version_alone() -> None:
    found = compute_run_figures()
    changed = {
        stage: differences(found[stage], golden, 1e-6) for stage, golden in GOLDEN["run"].items()
    }
    first = next((stage for stage in changed if changed[stage]), None)
    assert first is None, complaint((first,), changed[first])


def test_every_stage_of_a_version_has_golden_figures() -> None:
    held = {*GOLDEN["run"], *FIT_STAGES}
    assert set(STAGE_VERSIONS) - held == {"comparison"}  # is no part of a run


@pytest.mark.parametrize("name", ["ridge", "lstm"])
def test_a_real_change_exceeds_the_tolerance(name: str) -> None:
    golden = GOLDEN["fits"][name]
    other = golden | {"test": [1.01 * value for value in golden["test"]]}
    assert differences(other, golden, TOLERANCES.get(name, 1e-6))
