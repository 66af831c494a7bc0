"""What `backtest data check` prints, and its exit codes."""

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


def test_json_lists_findings_and_an_error_exits_with_3(check):
    result = check("--json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert document["bars"] == {"GOOD": 400, "BAD": None}
    findings = {finding["rule"]: finding for finding in document["findings"]}
    assert set(findings) == {"bad_ticks", "gaps"}
    for key in ("rule", "symbol", "severity", "first", "last", "count", "repair"):
        assert key in findings["bad_ticks"]
    assert findings["bad_ticks"]["repair"] == "drop_bad_tick"


def test_the_table_fits_80_columns(check):
    result = check()
    assert result.exit_code == 3
    assert "GOOD: 400 bars, no findings" in result.stdout
    assert "two: 1 error, 1 warning" in result.stdout
    assert max(map(len, result.stdout.splitlines())) < 80


def test_repairs_are_listed_and_no_error_is_left(check):
    result = check("--json", quality="quality: {bad_ticks: repair}\n")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [repair["repair"] for repair in document["repairs"]] == ["drop_bad_tick"]
    assert document["bars"]["BAD"] == 398


def test_an_unreadable_file_is_a_finding_among_the_others(check, tmp_path):
    (tmp_path / "bars" / "BAD.csv").write_text(
        "timestamp,open,high,low,close,volume\n2020-01-01,1.234.567,2,1,1,1\n"
    )
    result = check("--json")
    assert result.exit_code == 3
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["rule"], finding["symbol"]) == ("damaged_numbers", "BAD")


def test_a_file_unreadable_for_two_reasons_is_two_findings(check, tmp_path):
    (tmp_path / "bars" / "BAD.csv").write_text(
        "timestamp,open,high,low,close,volume\n13/01/2020,1.234.567,2.345.678,1,1,x\n"
    )
    result = check("--json")
    findings = json.loads(result.stdout)["findings"]
    assert [finding["rule"] for finding in findings] == [
        *("damaged_numbers", "unreadable", "ambiguous_dates"),
    ]
    assert "1.234.567" in findings[0]["sentence"]


@pytest.mark.parametrize("quality", ["quality: {gap: warn}\n", "quality: {gaps: repair}\n"])
def test_an_unknown_rule_or_repair_is_a_mistake_in_the_manifest(check, quality):
    assert check(quality=quality).exit_code == 2


DAYS = "".join(f"2020-01-{day:02},10,12,9,11,5\n" for day in range(1, 21))
NAMES = "timestamp,open,high,low,close,volume\n"


class TestExitCodesOfFiles:
    """0 for bars that a run could use, 3 for a file that is unfit, 2 for a wrong manifest."""

    @pytest.fixture
    def exit_code(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        def run(content, keys=""):
            (tmp_path / "X.csv").write_bytes(content)
            source = f"{{kind: files, path: .{keys}}}"
            manifest = MANIFEST.replace("{kind: files, path: bars}", source)
            (tmp_path / "x.yaml").write_text(manifest.replace("[GOOD, BAD]", "[X]"))
            result = CliRunner().invoke(app, ["data", "check", "x.yaml", "--quiet"])
            assert len(result.output.splitlines()) <= 20
            return result.exit_code

        return run

    @pytest.mark.parametrize(
        ("content", "keys"),
        [
            (NAMES + DAYS, ""),
            ("# bars of X\n" + NAMES + DAYS, ""),
            (DAYS, ", header: [timestamp, open, high, low, close, volume]"),
            (
                "title\n" + DAYS,
                ", skip: 1, header: none, columns: "
                "{timestamp: 1, open: 2, high: 3, low: 4, close: 5, volume: 6}",
            ),
            (NAMES + DAYS + "Total,,,,,5\n", ", rows_without_bars: drop"),
        ],
    )
    def test_bars_that_are_read_exit_with_0(self, exit_code, content, keys):
        assert exit_code(content.encode(), keys) == 0

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", DAYS.encode(), b"<html>", b"PK\x03\x04", b"PAR1", b"ARROW1", b"BZh", b"[1, 2]"),
            *(
                b"\x1f\x8b",
                b"\xff\xfe",
                b"\x00" * 9,
                b"title\n" + DAYS.encode(),
                b"{",
                b"7z\xbc\xaf",
            ),
            *((NAMES + DAYS + "Total,,,,,5\n").encode(), NAMES.replace("volume", "Vol.").encode()),
            *(
                (NAMES + DAYS).replace(",volume", "").encode(),
                (NAMES + DAYS + DAYS + "x").encode(),
            ),
        ],
    )
    def test_files_that_are_unfit_exit_with_3(self, exit_code, content):
        assert exit_code(content) == 3

    @pytest.mark.parametrize(
        "keys", [", dates: '%Y-%m-%d GMT+0800'", ", header: [a, a]", ", volume: some", ", skip: x"]
    )
    def test_wrong_keys_exit_with_2(self, exit_code, keys):
        assert exit_code((NAMES + DAYS).encode(), keys) == 2
