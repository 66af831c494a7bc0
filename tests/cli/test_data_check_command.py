from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from tests.data.quality.tables import scaled, walk

MANIFEST = """name: two
interval: 1d
calendar: 24/7
symbols: [GOOD, BAD]
sources:
  - {kind: files, path: bars}
"""


@pytest.fixture
def check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bars").mkdir()
    walk().to_csv("bars/GOOD.csv", index=False)
    scaled(walk().drop(index=[40]), [100], 3.0).to_csv("bars/BAD.csv", index=False)

    def run(*options, quality=""):
        (tmp_path / "two.yaml").write_text(MANIFEST + quality)
        return CliRunner().invoke(app, ["data", "check", "two.yaml", "--quiet", *options])

    return run


def test_findings_are_json_and_an_error_ends_with_3(check):
    answer = check("--json")
    assert answer.exit_code == 3
    told = json.loads(answer.stdout)
    assert told["bars"] == {"GOOD": 400, "BAD": None}
    found = {finding["rule"]: finding for finding in told["findings"]}
    assert set(found) == {"bad_ticks", "gaps"}
    for key in ("rule", "symbol", "severity", "first", "last", "count", "repair"):
        assert key in found["bad_ticks"]
    assert found["bad_ticks"]["repair"] == "drop_bad_tick"


def test_the_table_fits_80_columns(check):
    answer = check()
    assert answer.exit_code == 3
    assert "GOOD: 400 bars, no findings" in answer.stdout
    assert "two: 1 error, 1 warning" in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) < 80


def test_what_is_repaired_is_told_and_no_error_is_left(check):
    answer = check("--json", quality="quality: {bad_ticks: repair}\n")
    assert answer.exit_code == 0
    told = json.loads(answer.stdout)
    assert [done["repair"] for done in told["repairs"]] == ["drop_bad_tick"]
    assert told["bars"]["BAD"] == 398


def test_a_file_that_cannot_be_read_is_a_finding_beside_the_others(check, tmp_path):
    (tmp_path / "bars" / "BAD.csv").write_text(
        "timestamp,open,high,low,close,volume\n2020-01-01,1.234.567,2,1,1,1\n"
    )
    answer = check("--json")
    assert answer.exit_code == 3
    (finding,) = json.loads(answer.stdout)["findings"]
    assert (finding["rule"], finding["symbol"]) == ("damaged_numbers", "BAD")


def test_a_file_that_cannot_be_read_for_two_reasons_is_two_findings(check, tmp_path):
    (tmp_path / "bars" / "BAD.csv").write_text(
        "timestamp,open,high,low,close,volume\n13/01/2020,1.234.567,2.345.678,1,1,x\n"
    )
    answer = check("--json")
    found = json.loads(answer.stdout)["findings"]
    assert [finding["rule"] for finding in found] == [
        *("damaged_numbers", "unreadable", "ambiguous_dates"),
    ]
    assert "1.234.567" in found[0]["sentence"]


@pytest.mark.parametrize("quality", ["quality: {gap: warn}\n", "quality: {gaps: repair}\n"])
def test_a_rule_or_a_repair_that_does_not_exist_is_a_mistake_in_the_manifest(check, quality):
    assert check(quality=quality).exit_code == 2
