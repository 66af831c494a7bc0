"""Every kind of the catalogue is caught at its stage, and leaves the engine as it was."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.leakage.comparison import FIXES
from engine.pipeline.prepare import prepare_data
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.harness import make_strategy
from engine.selftest.leak_cases import GivenCase, default_sources
from engine.selftest.leak_test import adapt_case, run_planted
from engine.selftest.leaks import CATALOGUE, Leak, Plant, select_leaks
from engine.selftest.leaks.fits import load_user_models
from engine.selftest.leaks.planting import find_function

ONE_OF_EACH_STAGE = (
    "join: on dates",
    "window: test result",
    "feature: next bar",
    "week: the next one",
    "scaler: all rows",
    "label: one bar late",
    "rate: of the day itself",
    "rows: like the test",
    "forecast: next row",
    "fit: mean of test, cheap",
    "threshold: test part",
    "position: next forecast",
    "cost: spread of the bar",
    "cost: funding of the next bar",
    "size: next funding",
    "order: no delay",
    "mark: next close",
)


@cache
def small_case() -> GivenCase:
    """Two features of two symbols on 430 bars of weekdays."""
    spec = make_strategy(
        features=[{"kind": "log_return"}, {"kind": "volatility", "window": 5}],
        windows={"train": 130, "validation": 30, "test": 50},
        benchmarks=[{"kind": "ma_crossover", "fast": 3, "slow": 15}],
    )
    bars = generate_market(
        np.random.default_rng(1), 430, BarPattern(symbols=("AAA", "BBB"), weekdays=True)
    )
    return GivenCase("small", spec, bars)


@cache
def small_plant() -> Plant:
    case = small_case().build()
    return Plant(prepare_data(case.spec, case.market), seed=0)


def test_one_kind_of_each_stage_is_in_the_fast_part() -> None:
    chosen = [leak for name in ONE_OF_EACH_STAGE for leak in select_leaks([name])]
    assert {leak.stage for leak in chosen} == {leak.stage for leak in CATALOGUE}
    assert {leak.stage for leak in CATALOGUE} == set(FIXES)


@pytest.mark.parametrize("name", ONE_OF_EACH_STAGE)
def test_a_leak_of_each_stage_is_caught_and_its_stage_is_named(name: str) -> None:
    (leak,) = (each for each in CATALOGUE if each.name == name)
    run = run_planted(name, small_case(), seed=0)
    assert (run.outcome, run.stage) == ("caught", leak.stage), run.message


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("window: test result, once", "windows"),
        ("window: first test bar", "windows"),
        ("window: calm test", "windows"),
        ("rows: by result aside, once", "training arrays"),
        ("fit: sign by test, once", "predictions"),
        ("fit: penalty by test, once", "predictions"),
    ],
)
def test_what_answers_to_the_test_part_of_one_window(name: str, stage: str, seed: int) -> None:
    run = run_planted(name, small_case(), seed)
    assert (run.outcome, run.stage) in {("caught", stage), ("no effect", "")}, run.message


@pytest.mark.slow
def test_a_tiny_look_ahead_is_named_at_its_own_stage_where_coarser_bars_have_it_too() -> None:
    (source,) = (each for each in default_sources(0, 0) if each.name == "multi_resolution")
    run = run_planted("feature: tiny", source, seed=0)
    assert (run.outcome, run.stage) == ("caught", "features"), run.message


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["forecast: next row, 10 %", "fit: late sequence"])
def test_a_model_that_reads_the_next_row_at_any_tenth_of_the_rows(name: str, seed: int) -> None:
    run = run_planted(name, small_case(), seed)
    assert (run.outcome, run.stage) == ("caught", "predictions"), run.message


@pytest.mark.slow
def test_the_same_strategy_without_a_leak_passes() -> None:
    assert run_planted("", small_case(), seed=0).outcome == "missed"


@pytest.mark.slow
@pytest.mark.parametrize(
    "leak",
    [leak for leak in CATALOGUE if leak.name not in ONE_OF_EACH_STAGE],
    ids=lambda leak: leak.name,
)
def test_every_other_kind_is_caught(leak: Leak) -> None:
    run = run_planted(leak.name, small_case(), seed=0)
    assert run.outcome != "error", run.message
    if run.outcome != "no effect":
        assert (run.outcome, run.stage) == ("caught", leak.stage), run.message


def test_there_are_at_least_sixty_kinds_each_with_a_name_of_its_own() -> None:
    names = [leak.name for leak in CATALOGUE]
    assert len(set(names)) == len(names) >= 60
    assert all(len(leak.name) <= 30 and leak.summary for leak in CATALOGUE)


@pytest.mark.parametrize("leak", CATALOGUE, ids=lambda leak: leak.name)
def test_a_leak_replaces_its_function_and_puts_it_back(leak: Leak) -> None:
    load_user_models()
    honest = find_function(leak.function)
    with leak.planted(small_plant()):
        assert find_function(leak.function) is not honest
    assert find_function(leak.function) is honest


def test_a_function_that_fails_is_put_back() -> None:
    (leak,) = select_leaks(["label: one bar late"])
    honest = find_function(leak.function)
    with pytest.raises(ZeroDivisionError), leak.planted(small_plant()):
        raise ZeroDivisionError
    assert find_function(leak.function) is honest


@pytest.mark.slow
def test_a_leak_that_a_strategy_has_no_place_for_has_no_effect() -> None:
    """On bars of every day there is no bar before a gap."""
    market = generate_market(np.random.default_rng(1), 430, BarPattern(symbols=("AAA",)))
    daily = GivenCase("daily", small_case().spec, market)
    assert run_planted("feature: before gaps", daily, seed=0).outcome == "no effect"


def test_a_strategy_gets_what_a_leak_needs() -> None:
    case = small_case().build()
    (week,) = select_leaks(["week: the next one"])
    (rate,) = select_leaks(["rate: history mean"])
    (fit,) = select_leaks(["fit: sign by test, costly"])
    assert adapt_case(case, week).spec.resolutions == ("1w",)
    assert adapt_case(case, rate).rates is not None
    model = adapt_case(case, fit).spec.model
    assert model.costly
    assert not type(model).__module__.startswith("engine")


def test_kinds_are_selected_by_name_by_first_words_and_by_stage() -> None:
    assert [leak.name for leak in select_leaks(["mark: clipped"])] == ["mark: clipped"]
    assert {leak.name.partition(":")[0] for leak in select_leaks(["week", "rate"])} == {
        *("week", "rate")
    }
    assert {leak.stage for leak in select_leaks(["thresholds"])} == {"thresholds"}
    assert select_leaks([]) == CATALOGUE
    with pytest.raises(UsageError, match="no such kind"):
        select_leaks(["tomorrow"])
