"""A strategy with coarser intervals, from its file to what every model is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import engine
from engine.core.errors import StrategyError, UsageError
from engine.core.progress import NullProgress
from engine.data.load import load_market
from engine.pipeline.feature_history import make_feature_stream
from engine.pipeline.prepare import prepare_data
from engine.reporting.tearsheet import render_tearsheet
from engine.strategy import Strategy, load_strategy
from engine.training.jobs import make_fit_tasks
from tests.pipeline.markets import bars, changed_after, market, write_market, write_strategy

if TYPE_CHECKING:
    from engine.pipeline.prepared_data import PreparedData
    from engine.training.task import FitTask

STRATEGIES = Path(__file__).parents[2] / "strategies"
COINS = """
name: coins
interval: 1d
calendar: 24/7
symbols: [BTC, ETH, XRP]
sources: [{{kind: files, path: "{folder}"}}]
"""


@pytest.fixture(scope="module")
def file(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market"))


def ground_of(spec: Strategy, home: Path, data: Path | None = None) -> PreparedData:
    override = str(data) if data else None
    loaded = load_market(
        spec.data, home=home, offline=False, override=override, progress=NullProgress()
    )
    return prepare_data(spec, loaded)


def tasks_of(spec: Strategy, ground: PreparedData, until: int) -> list[FitTask]:
    """Of the windows that end at or before a bar."""
    windows = [window for window in ground.windows if window.test.stop <= until]
    books, training = spec.forecasters(), spec.training
    return make_fit_tasks(
        *(books, ground.feature_history, windows, ground.targets),
        training=training,
        seeds=1,
        seed=0,
    )


def weekly(file: Path, **overrides: object) -> Strategy:
    return load_strategy(file, {"resolutions": ["1w"], **overrides})


@pytest.mark.parametrize("inputs", ["all", "target"])
def test_the_stream_of_a_strategy_gives_the_features_of_its_run(
    file: Path, tmp_path: Path, inputs: str
) -> None:
    ground = ground_of(weekly(file, inputs=inputs), tmp_path)
    stream = make_feature_stream(weekly(file, inputs=inputs), ground.market)
    stamps, state = ground.market.bars["timestamp"], None
    for cut in (stamps < stamps.iloc[-6], stamps >= stamps.iloc[-6]):
        state, streamed = stream.update(state, ground.market.bars[cut])
    history, count = ground.feature_history, len(streamed.features.values)
    names = (name for part in streamed.coarse for name in part.features.names)
    assert (*streamed.features.names, *names) == history.feature_names
    np.testing.assert_array_equal(streamed.features.values, history.features.values[-count:])
    assert streamed.features.symbol_columns == history.features.symbol_columns
    np.testing.assert_array_equal(streamed.coarse[0].latest, history.coarse[0].latest[-count:])


@pytest.mark.parametrize(
    ("resolutions", "expected"),
    [
        (["1w", "4h"], "from the finest to the coarsest, each once"),
        (["1w", "1w"], "from the finest to the coarsest, each once"),
        (["2w"], "1w"),
    ],
)
def test_intervals_are_known_ones_and_ascend(
    file: Path, resolutions: list[str], expected: str
) -> None:
    with pytest.raises(StrategyError) as caught:
        load_strategy(file, {"resolutions": resolutions})
    (mistake,) = caught.value.mistakes
    assert mistake.path.startswith("resolutions")
    assert expected in mistake.expected


@pytest.mark.parametrize("interval", ["1h", "1d"])
def test_an_interval_that_is_not_coarser_than_the_bars_is_told(
    file: Path, module_folder: Path, interval: str
) -> None:
    with pytest.raises(UsageError, match="resolutions") as caught:
        engine.run(
            file, overrides={"resolutions": [interval]}, out=module_folder, home=module_folder
        )
    assert caught.value.found == interval
    assert caught.value.exit_code == 2


@pytest.mark.slow
def test_what_the_run_saw_of_weeks_stands_in_its_manifest_and_on_its_page(
    file, module_folder
) -> None:
    run = engine.run(
        file, overrides={"resolutions": ["1w"]}, out=module_folder, home=module_folder, pages=False
    )
    own = ["log_return_1", "bollinger_percent_10_2", "volume_zscore_10"]
    names = [f"{symbol}:{name}" for symbol in ("AAA", "BBB") for name in own]
    names += [f"{symbol}:1w:{name}" for symbol in ("AAA", "BBB") for name in own]
    assert run.manifest["inputs"] == names
    assert "1w:volume_zscore_10 of each of 2 symbols" in render_tearsheet(run)
    assert run.manifest["strategy"]["resolutions"] == ["1w"]
    assert np.isfinite(run.predictions["predicted"]).all()


@pytest.mark.parametrize(
    ("scaling", "weeks"), [("standard", 0), ("minmax", 0), ("rolling_zscore", 20 - 1)]
)
def test_the_first_train_row_has_a_whole_warm_lookback_of_weeks_and_the_row_before_has_not(
    file, module_folder, scaling: str, weeks: int
) -> None:
    overrides: dict[str, object] = {"windows.kind": "expanding", "scaling": {"kind": scaling}}
    if weeks:
        overrides["scaling"] = {"kind": scaling, "window": 20}
    spec = weekly(file, **overrides)
    ground = ground_of(spec, module_folder)
    (coarse,) = ground.feature_history.coarse
    first = ground.windows[0].train.start
    needed = coarse.features.warmup + weeks + spec.model.lookback
    assert coarse.latest[first] + 1 == needed
    assert coarse.latest[first - 1] + 1 < needed


def test_too_few_weeks_are_told_with_what_is_needed(file, module_folder) -> None:
    short = write_market(
        module_folder / "short", {"AAA": bars(0).head(60), "BBB": bars(1).head(60)}
    )
    with pytest.raises(UsageError) as caught:
        ground_of(weekly(file, **{"model.lookback": 4}), module_folder, short)
    told = caught.value
    assert told.problem == "There are too few 1w bars"
    # Ridge among the opponents looks back 5 bars, longer than the strategy's own 4.
    assert told.expected.startswith("at least 14 complete ones: 9 to warm up the features")
    assert told.found == "8 in 60 bars"
    assert told.where == "resolutions"


def test_weeks_that_leave_no_room_for_a_window_are_told_as_warm_up(file, module_folder) -> None:
    with pytest.raises(UsageError, match="No window fits") as caught:
        ground_of(weekly(file, features=[{"kind": "rsi", "window": 6}]), module_folder)
    assert "454 to warm up" in caught.value.expected


def test_every_model_is_given_the_same_coarse_inputs_of_the_chosen_symbols(
    file, module_folder
) -> None:
    spec = weekly(file, inputs="target", benchmarks=[{"kind": "gradient_boosting"}])
    ground = ground_of(spec, module_folder)
    tasks = tasks_of(spec, ground, until=700)
    assert {task.book for task in tasks} == {"strategy", "gradient_boosting"}
    for task in tasks:
        (coarse,) = task.training_set.coarse
        assert coarse.groups == ((0, 1, 2),)
        assert len(coarse.latest) == len(task.training_set.inputs)
    first, second = tasks[:2]
    assert first.training_set is second.training_set


@pytest.mark.parametrize("more", range(7))
def test_bars_after_a_window_change_nothing_of_what_it_is_given(
    file, module_folder, more: int
) -> None:
    """Whatever weekday the window ends on."""
    spec = weekly(file, **{"windows.test": 80 + more})
    ground = ground_of(spec, module_folder)
    end = ground.windows[1].test.stop
    other = ground_of(spec, module_folder, changed_after(module_folder / f"changed{end}", end - 1))
    before, after = tasks_of(spec, ground, end), tasks_of(spec, other, end)
    assert {task.window for task in before} == {0, 1}
    for one, two in zip(before, after, strict=True):
        (left,), (right,) = one.training_set.coarse, two.training_set.coarse
        np.testing.assert_array_equal(left.inputs, right.inputs)
        np.testing.assert_array_equal(left.latest, right.latest)
        np.testing.assert_array_equal(one.training_set.inputs, two.training_set.inputs)
    last, changed = (
        made.feature_history.coarse[0].features.values[-1] for made in (ground, other)
    )
    assert not np.array_equal(last, changed), "other bars must make other weeks after the window"


def test_the_shipped_example_leaves_several_windows_of_real_coins(market_data, tmp_path) -> None:
    manifest = tmp_path / "coins.yaml"
    manifest.write_text(COINS.format(folder=market_data / "crypto_daily"))
    spec = load_strategy(STRATEGIES / "multi_resolution.yaml")
    ground = ground_of(spec, tmp_path, manifest)
    (weeks,) = ground.feature_history.coarse
    assert weeks.interval == "1w"
    assert weeks.features.symbol_columns[2][0] == "XRP"
    assert len(ground.windows) > 2
