"""The script of the pages has the same axes as the engine: same labels, same positions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import engine
from engine.reporting.charts.axes import AxisTick, linear_axis, log_axis, time_axis

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

SCRIPTS = Path(engine.__file__).parent / "reporting" / "templates" / "js"


@pytest.fixture(scope="module")
def made(browser: Browser):
    """Axes as the script makes them: calls the function of a name once a list of arguments."""
    script = "".join((SCRIPTS / f"{module}.js").read_text() for module in ("format", "axis"))
    page = browser.new_page()

    def axes(name: str, cases: list[list[float]]) -> list[Any]:
        code = f"(cases) => {{ {script}; return cases.map((one) => {name}(...one).ticks); }}"
        return page.evaluate(code, cases)

    yield axes
    page.close()


def assert_same(found: list[dict], expected: tuple[AxisTick, ...], case: object) -> None:
    assert [tick["label"] for tick in found] == [tick.label for tick in expected], case
    assert [tick["position"] for tick in found] == pytest.approx(
        [tick.position for tick in expected], abs=2e-3
    ), case


def test_linear_axes(made) -> None:
    rng = np.random.default_rng(1)
    cases = [[0.0, 0.0], [3.5, 3.5], [-1.0, 0.0], [0.0, 2.5e7], [-2e-5, 3e-5]]
    for size in (0.01, 1.0, 40.0, 3_000.0):
        cases += np.sort(size * rng.standard_normal((20, 2))).tolist()
    for count in (4, 5):
        found = made("linearAxis", [[*case, count] for case in cases])
        for case, ticks in zip(cases, found, strict=True):
            assert_same(ticks, linear_axis(*case, ticks=count).ticks, case)


def test_log_axes(made) -> None:
    rng = np.random.default_rng(2)
    cases = [[1.0, 1.0], [0.5, 20.0], [0.002, 9000.0], [0.97, 1.02], [2.0, 4e6]]
    for size in (0.1, 1.0, 3.0):
        cases += np.exp(np.sort(size * rng.standard_normal((20, 2)))).tolist()
    for case, ticks in zip(cases, made("logAxis", cases), strict=True):
        assert_same(ticks, log_axis(*case).ticks, case)


@pytest.mark.parametrize(
    "days",
    [0.002, 0.02, 0.06, 0.15, 0.2, 0.9, 2, 6, 13, 40, 100, 200, 700, 2_000, 9_000, 30_000],
)
def test_axes_of_time(made, days: float) -> None:
    starts = ["1999-01-01", "2003-06-02 13:30", "2016-02-29", "2020-12-31 23:00"]
    firsts = pd.to_datetime(starts, format="ISO8601", utc=True)
    seconds = [[int(at.timestamp()), int(at.timestamp() + 86_400 * days)] for at in firsts]
    for case, ticks in zip(seconds, made("timeAxis", seconds), strict=True):
        first, last = (pd.Timestamp(at, unit="s", tz="UTC") for at in case)
        assert_same(ticks, time_axis(first, last).ticks, (first, last))
