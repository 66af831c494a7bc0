"""`backtest features`: the table, its JSON, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import ks_2samp
from typer.testing import CliRunner

from engine.cli.features import render_features_text
from engine.cli.main import app
from tests.features.two_symbols import with_defaults
from tests.pipeline.markets import bars, market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(scope="module")
def strategy(tmp_path_factory) -> str:
    folder: Path = tmp_path_factory.mktemp("features")
    return str(write_strategy(folder, market(folder / "market")))


def invoke(strategy: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["features", strategy, "--quiet", *arguments])


def features_json(strategy: str, *arguments: str) -> dict[str, Any]:
    result = invoke(strategy, "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_one_table_per_symbol_lists_its_features(strategy: str) -> None:
    result = invoke(strategy)

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "small on made-up"
    assert lines[1] == "700 bars of 1d, 2018-01-01 to 2019-12-01"
    row = lines.index("AAA, 1d")
    heading = "Feature Inputs Warm-up NaN Low High Drift Worst"
    assert lines[row + 1].split() == heading.split()
    assert [line.split()[:4] for line in lines[row + 2 : row + 5]] == [
        ["log_return_1", "C", "1", "1"],
        ["bollinger_percent_10_2", "C", "9", "9"],
        ["volume_zscore_10", "V", "9", "9"],
    ]
    assert "BBB, 1d" in lines
    assert "Kolmogorov-Smirnov" in result.stdout


def test_json_has_the_range_over_all_bars_and_the_drift_per_window(strategy: str) -> None:
    document = features_json(strategy)
    first = document["features"][0]
    close = bars(0)["close"].to_numpy()
    moves = np.log(close[1:] / close[:-1])
    assert (first["symbol"], first["interval"]) == ("AAA", "1d")
    assert first["name"] == "log_return_1"
    assert first["inputs"] == ["close"]
    assert [first["low"], first["high"]] == pytest.approx([moves.min(), moves.max()])
    stamps = bars(0)["timestamp"].dt.strftime("%Y-%m-%dT00:00:00+00:00").tolist()
    for window, drift in zip(document["windows"], first["drift_ks"], strict=True):
        train, test = (
            moves[stamps.index(window[part][0]) - 1 : stamps.index(window[part][1])]
            for part in ("train", "test")
        )
        theirs = ks_2samp(train, test, method="asymp").statistic
        assert drift == pytest.approx(theirs, abs=1e-12)
    assert len(document["windows"]) > 3
    assert first["drift_ks_median"] == pytest.approx(np.median(first["drift_ks"]))
    assert first["drift_ks_worst"] == max(first["drift_ks"])


def test_features_of_coarser_intervals_follow_those_of_the_bars(strategy: str) -> None:
    document = features_json(
        strategy, "--set", "resolutions=[1w]", "--set", "model={kind: mlp, lookback: 2}"
    )
    order = [(row["symbol"], row["interval"]) for row in document["features"]]
    assert list(dict.fromkeys(order)) == [
        *(("AAA", "1d"), ("BBB", "1d"), ("AAA", "1w"), ("BBB", "1w")),
    ]
    lengths = {len(row["drift_ks"]) for row in document["features"]}
    assert lengths == {len(document["windows"])}


def test_every_built_in_feature_fits_80_columns(strategy: str) -> None:
    every = [feature.model_dump(mode="json") for feature in with_defaults("BBB")]
    result = invoke(strategy, "--set", f"features={json.dumps(every)}")

    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    for feature in with_defaults("BBB"):
        assert f"\n{feature.name} " in result.stdout
    (line,) = [row for row in result.stdout.splitlines() if row.startswith("beta_BBB_60")][:1]
    assert line.split()[1] == "C/BBB"


def test_long_names_stand_on_a_line_of_their_own(strategy: str) -> None:
    document = features_json(strategy)
    row = document["features"][0]
    row["name"], row["inputs"] = "relative_strength_BTC-USD-PERP_200", ["close", "BTC:close"]
    lines = render_features_text(document, width=80).splitlines()
    index = lines.index("relative_strength_BTC-USD-PERP_200 C/BTC")
    assert lines[index + 1].split()[0] == "1"
    assert max(map(len, lines)) <= 80
    wide = render_features_text(document, width=100).splitlines()
    (line,) = (line for line in wide if line.startswith(row["name"]))
    assert line.split()[1:4] == ["C/BTC", "1", "1"]


def test_an_unknown_symbol_is_refused(strategy: str) -> None:
    result = invoke(strategy, "--set", "features=[{kind: beta, symbol: CCC}]")

    assert result.exit_code == 2
    assert "expected: one of AAA, BBB" in result.stderr
    assert "where: features: beta_CCC_60" in result.stderr
    assert result.stdout == ""


def test_a_feature_summary_does_not_count_as_a_trial(strategy: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    features_json(strategy)
    assert not (tmp_path / "home" / "ledger.sqlite").exists()
