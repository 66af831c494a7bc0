"""A fit that fails ends the run, or is left out loudly; it is never a forecast of zero."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import pytest

import engine
from engine.core.errors import TrainingError
from engine.core.progress import NullProgress
from engine.models import FittedForecaster, Forecaster, Prediction, Ridge, TrainingSpec
from engine.reporting.tearsheet import render_tearsheet
from engine.strategy import load_strategy
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import IntVector
    from engine.models import ModelInputs, TrainingSet
    from engine.strategy import Strategy

# The failing forecaster is no member of the union that the strategy is written down with.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

FAILING = 1
TEST_BARS = 80


class Flaky(Forecaster):
    """Ridge, but for one window, which it knows by its arrays."""

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    lookback: ClassVar[int] = 5

    kind: Literal["flaky"] = "flaky"
    fails_at: float = 0.0

    def fit(
        self, training_set: TrainingSet, training: TrainingSpec, seed: int
    ) -> FittedForecaster:
        if float(training_set.target[training_set.train[0]]) == self.fails_at:
            raise TrainingError("the loss is not a number", found="nan", fix="lower the rate")
        fitted = Ridge(lookback=5).fit(training_set, training, seed)
        return FittedForecaster(self, members=(fitted,))

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        return fitted.members[0].predict(inputs, rows)


class CostlyFlaky(Flaky):
    """The same in a worker, whose fits are stored."""

    costly: ClassVar[bool] = True

    kind: Literal["costly_flaky"] = "costly_flaky"


@dataclass
class Notices(NullProgress):
    """Keeps the notices."""

    notices: list[str] = field(default_factory=list)

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture(scope="module")
def flaky(tmp_path_factory) -> Strategy:
    place: Path = tmp_path_factory.mktemp("flaky")
    strategy = load_strategy(write_strategy(place, market(place / "market")))
    whole = engine.run(strategy, out=place, home=place, pages=False)
    first = whole.manifest["windows"][FAILING]["train"][0]
    close = whole.bars.query("symbol == 'AAA'").set_index("timestamp")["close"]
    ahead = float((close.shift(-1) / close - 1).loc[first])
    return strategy.model_copy(update={"model": Flaky(fails_at=ahead), "name": "flaky"})


@pytest.mark.slow
def test_a_failed_fit_ends_the_run_with_5_and_names_the_window(flaky, tmp_path) -> None:
    with pytest.raises(TrainingError, match="strategy AAA window 1 seed 0") as caught:
        engine.run(flaky, out=tmp_path, home=tmp_path, pages=False)
    assert caught.value.exit_code == 5
    assert not list(tmp_path.glob("flaky/*"))


@pytest.mark.slow
def test_left_out_it_holds_nothing_in_that_window_and_the_report_says_so(flaky, tmp_path) -> None:
    lenient = flaky.model_copy(update={"on_failure": "skip"})
    run = engine.run(lenient, out=tmp_path, home=tmp_path, pages=False)
    window = run.manifest["windows"][FAILING]
    assert run.manifest["left_out"] == ["strategy AAA window 1 seed 0: the loss is not a number"]
    assert window["threshold_enter_bps"] is None
    own = run.positions.query("book == 'strategy'").set_index("timestamp")["weight"]
    skipped = own.loc[window["test"][0] : window["test"][1]]
    assert len(skipped) == TEST_BARS
    assert (skipped == 0).all()
    assert own.abs().sum() > 0
    assert FAILING not in set(run.predictions["window"])
    assert run.metrics["forecasts"]["strategy"]["bars"] == len(run.returns) - TEST_BARS - 1
    page = render_tearsheet(run)
    assert "Fits left out" in page
    assert "strategy AAA window 1 seed 0: the loss is not a number" in page


@pytest.mark.slow
def test_the_next_run_tells_it_again_and_trains_nothing(flaky, tmp_path) -> None:
    model = CostlyFlaky(fails_at=flaky.model.fails_at)
    lenient = flaky.model_copy(update={"on_failure": "skip", "model": model})
    runs, told = [], []
    for _ in range(2):
        progress = Notices()
        runs.append(
            engine.run(
                lenient, out=tmp_path, home=tmp_path, pages=False, workers=1, progress=progress
            )
        )
        told.append([text for text in progress.notices if "is left out" in text])
    first, again = runs
    assert told == [
        ["strategy AAA window 1 seed 0 is left out: the loss is not a number"],
        [
            "strategy AAA window 1 seed 0 is left out: the loss is not a number, as before; "
            "`backtest fits prune --failed` has it tried again"
        ],
    ]
    assert first.manifest["left_out"] == again.manifest["left_out"]
    assert again.manifest["fits"]["trained"] == 0
    assert first.run_id == again.run_id
    assert first.predictions.equals(again.predictions)
    assert first.metrics == again.metrics
