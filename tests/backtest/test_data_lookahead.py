"""Look-ahead in the data stage is refused by a run, or told by it and kept in its folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import engine
from engine.core.errors import InvalidBarsError
from engine.core.progress import NullProgress
from tests.pipeline.markets import BARS, bars, write_market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PRICES = ["open", "high", "low", "close"]


class Heard(NullProgress):
    """Keeps the notices."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


def run(folder: Path, data: Path, heard: Heard | None = None) -> engine.Run:
    strategy = write_strategy(folder, data)
    return engine.run(
        strategy,
        overrides={"evaluation.resamples": 200},
        out=folder / "out",
        home=folder / "home",
        workers=1,
        progress=heard,
    )


def document(run: engine.Run, name: str) -> dict[str, object]:
    return json.loads((run.run_dir / name).read_text())


def test_out_of_sample_bars_that_later_ones_repaired_are_named_on_the_page(tmp_path: Path) -> None:
    table = bars(0)
    table.loc[[100, 600], PRICES] *= 3.0
    data = write_market(tmp_path / "ticks", {"AAA": table})
    data.write_text(data.read_text() + "quality: {bad_ticks: repair}\n")
    heard = Heard()
    finished = run(tmp_path, data, heard)
    (notice,) = [text for text in heard.notices if "looks ahead" in text]
    assert "1 out-of-sample bar was repaired" in notice
    assert notice.endswith(f"{table['timestamp'][600]:%Y-%m-%d}")
    dataset = document(finished, "manifest.json")["dataset"]
    assert notice in dataset["notices"]
    assert notice in dataset["quality"]["notices"]
    assert notice in (finished.run_dir / "tearsheet.html").read_text()


def test_bars_made_of_shorter_ones_are_a_stage_of_the_certificate(tmp_path: Path) -> None:
    table = bars(0)
    hours = table.loc[table.index.repeat(6)].reset_index(drop=True)
    hours["timestamp"] = pd.date_range("2018-01-01", periods=6 * BARS, freq="4h")
    hours[PRICES] = hours[PRICES].mul(1.0 + 1e-4 * (hours.index % 6), axis=0)
    hours["volume"] += hours.index % 6
    data = write_market(tmp_path / "hours", {"AAA": hours})
    data.write_text(data.read_text().replace("path: .}", "path: ., interval: 4h}"))
    finished = run(tmp_path, data)
    assert document(finished, "certificate.json")["compared"]["resampled bars"]["columns"] >= 80
    (probe,) = document(finished, "manifest.json")["dataset"]["quality"]["resampling"]
    assert (probe["symbol"], probe["base"], probe["interval"]) == ("AAA", "4h", "1d")
    assert probe["cuts"] >= 16


def test_a_symbol_that_is_early_stops_the_run_unless_it_is_accepted(tmp_path: Path) -> None:
    one = bars(0)
    other = bars(1)
    other[PRICES] = one[PRICES].to_numpy() ** 0.5 * other[PRICES].to_numpy() ** 0.5
    early = other.iloc[1:].assign(timestamp=other["timestamp"].iloc[:-1].to_numpy())
    data = write_market(tmp_path / "early", {"AAA": one, "BBB": early})
    with pytest.raises(InvalidBarsError, match="lagged_returns") as caught:
        run(tmp_path, data)
    assert caught.value.exit_code == 3
    assert "the bars of BBB seem to be labelled 1 bar early" in caught.value.fix
    data.write_text(data.read_text() + "quality: {lagged_returns: warn, clocks_differ: warn}\n")
    heard = Heard()
    finished = run(tmp_path, data, heard)
    (notice,) = [text for text in heard.notices if text.startswith("lagged_returns: BBB ")]
    findings = document(finished, "manifest.json")["dataset"]["quality"]["findings"]
    assert ("lagged_returns", "BBB") in {(one["rule"], one["symbol"]) for one in findings}
    page = (finished.run_dir / "tearsheet.html").read_text()
    assert "lagged_returns" in page
    assert notice in page
