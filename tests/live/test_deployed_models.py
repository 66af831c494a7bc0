"""A deployed network is what the run judged, what the signal says, and needs no Keras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import engine
from engine.reporting.significance import render_significance
from engine.strategy import load_strategy
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine import Run, Strategy

pytestmark = pytest.mark.slow

DEPLOY = {"distil": {"kind": "lstm", "units": 4}, "precision": "int8", "max_change": 100}


class Deployed:
    """A run of a network, then one of the same with a deployment, in one home."""

    def __init__(self, folder: Path) -> None:
        model = "{kind: lstm, lookback: 5, units: [8]}"
        self.file = write_strategy(folder, market(folder / "market", edge=0.3), model)
        self.home = folder / "home"
        settings = {"training.epochs": 2}
        self.full = self.run_of(settings)
        self.settings = {**settings, "deploy": DEPLOY}
        self.spec: Strategy = load_strategy(self.file, self.settings)
        self.run = self.run_of(self.settings)

    def run_of(self, settings: dict[str, object]) -> Run:
        out = self.home.parent / "out"
        return engine.run(
            self.file, overrides=settings, home=self.home, out=out, pages=False, workers=1
        )


@pytest.fixture(scope="module")
def deployed(module_folder: Path) -> Deployed:
    return Deployed(module_folder)


def test_the_full_models_are_not_trained_again(deployed: Deployed) -> None:
    windows = len(deployed.full.manifest.windows)
    assert (deployed.full.manifest.fits.trained, deployed.full.manifest.fits.stored) == (
        windows,
        0,
    )
    assert (deployed.run.manifest.fits.trained, deployed.run.manifest.fits.stored) == (
        windows,
        windows,
    )


def test_it_is_another_run_and_another_look(deployed: Deployed) -> None:
    assert deployed.run.run_id != deployed.full.run_id
    assert deployed.full.significance.trials.distinct == 1
    assert deployed.run.significance.trials.distinct == 2


def test_both_models_stand_side_by_side(deployed: Deployed) -> None:
    figures = deployed.run.significance.deployment
    own, full = deployed.run.metrics, deployed.full.metrics
    for model, metrics in ((figures.deployed, own), (figures.full, full)):
        assert model.rmse_bps == metrics.forecasts["strategy"].rmse_bps
        assert model.sharpe == pytest.approx(metrics.books["strategy"].sharpe)
    assert figures.deployed.size_bytes < figures.full.size_bytes / 4
    assert set(deployed.run.manifest.forecast_ms) == {"full", "deployed"}
    assert "deployment" not in deployed.full.significance
    page = render_significance(deployed.run)
    assert "What does the deployed model cost?" in page
    assert "What does the deployed model cost?" not in render_significance(deployed.full)


def test_the_signal_is_that_of_the_deployed_model_without_keras(deployed: Deployed) -> None:
    predicted = deployed.run.predictions.set_index("timestamp")["predicted"]
    day = predicted.index[-1]
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "import pandas as pd\n"
        "import engine\n"
        "from engine.strategy import load_strategy\n"
        "file, settings, as_of, home = sys.argv[1:]\n"
        "spec = load_strategy(Path(file), json.loads(settings))\n"
        "said = engine.signal(spec, as_of=pd.Timestamp(as_of), home=home, workers=1)\n"
        "assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)\n"
        "print(said.symbols[0].predicted.hex(), said.trained)\n"
    )
    as_of = day + pd.Timedelta(days=1, minutes=1)
    settings = json.dumps(deployed.settings)
    done = subprocess.run(
        [sys.executable, "-c", script, deployed.file, settings, as_of.isoformat(), deployed.home],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.stdout.split() == [predicted[day].hex(), "0"], done.stderr


def test_the_bar_by_bar_forecast_is_that_of_the_deployed_model(deployed: Deployed) -> None:
    predicted = deployed.run.predictions.set_index("timestamp")["predicted"]
    day = predicted.index[-1]
    bars = engine.load_market(deployed.spec, home=deployed.home).until(day)
    fitted = engine.fit(deployed.spec, bars, home=deployed.home, workers=1)
    row = engine.predict(fitted, bars)
    assert (fitted.trained, list(row.predicted.values())) == (0, [predicted[day]])
