"""The section `rates` of a strategy file: what it takes, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import StrategyError
from engine.strategy import load_strategy
from engine.trials import hash_configuration

if TYPE_CHECKING:
    from pathlib import Path

    from engine.strategy import Strategy

TEXT = "name: mine\ndata: {dataset: us-indices}\nmodel: {kind: ridge}\n"


def load(folder: Path, rates: str = "") -> Strategy:
    file = folder / "mine.yaml"
    file.write_text(TEXT + (f"rates: {rates}\n" if rates else ""))
    return load_strategy(file)


def refused(folder: Path, rates: str) -> tuple[str, str, str]:
    with pytest.raises(StrategyError) as caught:
        load(folder, rates)
    (mistake,) = caught.value.mistakes
    return mistake.path, mistake.expected, mistake.found


def test_without_the_section_both_rates_are_zero(tmp_path: Path) -> None:
    rates = load(tmp_path).rates
    assert (rates.risk_free, rates.cash) == (0.0, 0.0)


def test_a_rate_is_a_number_or_a_series_and_cash_may_name_the_other(tmp_path: Path) -> None:
    series = "{file: tbill.csv, column: DTB3, unit: percent, lag_days: 4}"
    rates = load(tmp_path, f"{{risk_free: {series}, cash: risk_free}}").rates
    assert rates.risk_free.file == str(tmp_path / "tbill.csv")
    assert (rates.risk_free.column, rates.risk_free.lag_days) == ("DTB3", 4)
    assert rates.cash == "risk_free"
    assert load(tmp_path, "{risk_free: 0.03, cash: 0}").rates.cash == 0.0


def test_an_absolute_path_stays_what_it_is(tmp_path: Path) -> None:
    series = "{file: /rates/tbill.csv, column: rate, unit: percent}"
    assert load(tmp_path, f"{{cash: {series}}}").rates.cash.file == "/rates/tbill.csv"


@pytest.mark.parametrize(
    ("rates", "key", "found"),
    [
        ("{risk_free: 3}", "rates.risk_free", "3"),
        ("{cash: 5.25}", "rates.cash", "5.25"),
        ("{risk_free: -0.2}", "rates.risk_free", "-0.2"),
    ],
)
def test_a_percentage_is_told_with_the_fraction_that_is_meant(
    tmp_path: Path, rates: str, key: str, found: str
) -> None:
    path, expected, seen = refused(tmp_path, rates)
    assert (path, seen) == (key, found)
    assert "0.03 is 3 % a year" in expected
    if found in {"3", "5.25"}:
        assert f"{found} % is {float(found) / 100:g}" in expected


@pytest.mark.parametrize(
    ("rates", "key"),
    [
        ("{risk_free: {file: t.csv, column: rate}}", "unit"),
        ("{risk_free: {file: t.csv, column: rate, unit: bps}}", "unit"),
        ("{risk_free: {file: t.csv, column: rate, unit: percent, lag_days: -1}}", "lag_days"),
        ("{riskfree: 0.03}", "riskfree"),
        ("{cash: libor}", "cash"),
        ("{risk_free: true}", "risk_free"),
    ],
)
def test_what_is_no_rate_is_named_where_it_stands(tmp_path: Path, rates: str, key: str) -> None:
    path, expected, found = refused(tmp_path, rates)
    assert path.startswith("rates")
    assert expected
    assert found
    assert key in f"{path} {expected} {found}"


SERIES = "file: t.csv, column: rate"


@pytest.mark.parametrize(
    ("series", "key", "expected", "found", "hint"),
    [
        (
            SERIES,
            "unit",
            "the key `unit`: percent or fraction",
            "nothing",
            "write `unit: percent` or `unit: fraction`",
        ),
        (
            f"{SERIES}, unit: bps",
            "unit",
            "percent or fraction",
            '"bps"',
            "write `unit: percent` or `unit: fraction`",
        ),
        (
            f"{SERIES}, unit: percent, lag_days: -1",
            "lag_days",
            "a number, at least 0, at most 366",
            "-1",
            "leave it out for the default, 1",
        ),
        (
            f"{SERIES}, unit: percent, lags: 1",
            "lags",
            "one of the keys file, column, unit, date or lag_days",
            "`lags`",
            "did you mean `lag_days`?",
        ),
    ],
)
def test_a_wrong_key_of_a_series_is_named_with_its_values_and_a_fix(
    tmp_path: Path, series: str, key: str, expected: str, found: str, hint: str
) -> None:
    with pytest.raises(StrategyError) as caught:
        load(tmp_path, f"{{risk_free: {{{series}}}}}")
    (mistake,) = caught.value.mistakes
    assert mistake.path == f"rates.risk_free.{key}"
    assert (mistake.expected, mistake.found, mistake.hint) == (expected, found, hint)

    load(tmp_path)
    result = CliRunner().invoke(
        app, ["check", str(tmp_path / "mine.yaml"), "--set", f"rates.risk_free={{{series}}}"]
    )
    assert result.exit_code == 2
    for part in (f"rates.risk_free.{key}", expected, f"{found} (--set or --grid)", hint):
        assert part in result.stderr


def test_a_key_of_a_series_is_set_where_the_rate_is_a_series_and_else_with_all_of_it(
    tmp_path: Path,
) -> None:
    load(tmp_path, f"{{risk_free: {{{SERIES}, unit: percent}}}}")
    file = tmp_path / "mine.yaml"
    chosen = load_strategy(file, {"rates.risk_free.unit": "fraction"})
    assert chosen.rates.risk_free.unit == "fraction"
    load(tmp_path)
    with pytest.raises(StrategyError) as caught:
        load_strategy(file, {"rates.risk_free.unit": "fraction"})
    (mistake,) = caught.value.mistakes
    assert "'rates.risk_free={unit: …}'" in mistake.hint


def test_rates_that_are_written_out_as_zero_are_the_same_configuration(tmp_path: Path) -> None:
    without, written = load(tmp_path), load(tmp_path, "{risk_free: 0, cash: 0}")
    assert without.identity() == written.identity()
    assert "rates" not in without.identity()
    before = {key: value for key, value in dump(without).items() if key != "rates"}
    assert hash_configuration(before) == hash_configuration(dump(without))


def test_another_rate_is_another_configuration_and_the_place_of_its_file_is_not(
    tmp_path: Path,
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    series = "{risk_free: {file: tbill.csv, column: rate, unit: percent}}"
    here, there = load(tmp_path, series), load(other, series)
    assert hash_configuration(dump(here)) == hash_configuration(dump(there))
    assert here.identity() == there.identity()
    assert hash_configuration(dump(here)) != hash_configuration(dump(load(tmp_path)))
    constant = load(tmp_path, "{risk_free: 0.03}")
    assert hash_configuration(dump(constant)) != hash_configuration(dump(load(tmp_path)))


def dump(strategy: Strategy) -> dict:
    return strategy.model_dump(mode="json")


@pytest.mark.parametrize(
    ("rates", "told"),
    [
        ("{risk_free: 3}", "3 % is 0.03"),
        ("{risk_free: {file: none.csv, column: rate, unit: percent}}", "none.csv"),
    ],
)
def test_the_command_line_ends_with_2_and_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rates: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    load_text = TEXT + f"rates: {rates}\n"
    (tmp_path / "mine.yaml").write_text(load_text)
    result = CliRunner().invoke(app, ["run", "mine.yaml"])
    assert result.exit_code == 2
    assert told in result.stderr
    assert "expected" in result.stderr
    assert result.stdout == ""


def test_a_rate_can_be_set_for_one_run(tmp_path: Path) -> None:
    load(tmp_path)
    chosen = load_strategy(
        tmp_path / "mine.yaml", {"rates.risk_free": 0.04, "rates.cash": "risk_free"}
    )
    assert (chosen.rates.risk_free, chosen.rates.cash) == (0.04, "risk_free")


def test_the_reference_explains_the_keys() -> None:
    result = CliRunner().invoke(app, ["explain", "rates"])
    assert result.exit_code == 0
    for word in ("risk_free", "cash", "0.03 is 3 %"):
        assert word in result.stdout


@pytest.mark.parametrize("rate", ["risk_free", "cash"])
def test_the_reference_explains_the_keys_of_a_series(rate: str) -> None:
    result = CliRunner().invoke(app, ["explain", f"rates.{rate}.unit"])
    assert result.exit_code == 0
    assert "percent or fraction" in result.stdout
