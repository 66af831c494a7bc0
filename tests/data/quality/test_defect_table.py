"""The rules on real files: every defect that is known of them is found, and clean ones pass.

`pytest -s` on this file prints the table.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from engine.data.bars import normalise_bars
from engine.data.check import check_dataset
from engine.data.quality import CheckSettings, check_bars
from tests.data.datasets import RecordingProgress

NOW = pd.Timestamp("2026-06-01", tz="UTC")
CAPITALS = {name: name.capitalize() for name in ("open", "high", "low", "close", "volume")}
CAPITALS["timestamp"] = "Date"


@dataclass(frozen=True, eq=False)
class Case:
    """A file, its known defects, and rules that it must not break."""

    symbol: str
    known: tuple[str, ...]
    calendar: str = "24/7"
    interval: str = "1d"
    folder: str = "defects"
    ending: str = ".csv"
    not_said: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)


SPLIT = ("missed_splits",)
LATEST_FIRST = ("order",)
DEFECTS = (
    Case("lean_USO_ticker_reuse", ("ticker_reuse", *SPLIT, "gaps"), "XNYS"),
    Case("yahoo2021_BTC-USD_null_days", ("missing_values",)),
    Case(
        "cmc_BTC_excel_locale_corrupted", ("damaged_numbers", "ambiguous_dates"), columns=CAPITALS
    ),
    Case("cmc_ETH_date_formats", ("off_grid",), columns=CAPITALS),
    Case("binance_XRP_descending", LATEST_FIRST),
    Case("bitfinex_BTC_1m_2013_bad_ticks", ("bad_ticks", "gaps"), interval="1m", ending=".csv.gz"),
    Case("yf_4063-T-1d-bad-stock-split", (*SPLIT, *LATEST_FIRST), "XTKS"),
    Case("yf_4063-T-1d-bad-stock-split-fixed", LATEST_FIRST, "XTKS", not_said=SPLIT),
    Case("yf_CNE-L-1d-bad-stock-split", (*SPLIT, *LATEST_FIRST), "XLON"),
    Case("yf_CNE-L-1d-bad-stock-split-fixed", LATEST_FIRST, "XLON", not_said=SPLIT),
    Case("yf_LA-V-1d-bad-stock-split", (*SPLIT, *LATEST_FIRST), "XTSE"),
    Case("yf_LA-V-1d-bad-stock-split-fixed", LATEST_FIRST, "XTSE", not_said=SPLIT),
    Case("yf_AV-L-1wk-bad-stock-split", SPLIT, "XLON", "1w"),
    Case("yf_AV-L-1wk-bad-stock-split-fixed", (), "XLON", "1w", not_said=SPLIT),
    Case("yf_AET-L-1d-100x-error", ("unit_errors", *LATEST_FIRST, "stale"), "XLON"),
    Case("yf_AET-L-1d-100x-error-fixed", LATEST_FIRST, "XLON", not_said=("unit_errors",)),
    Case("yf_8TRA-DE-1d-missing-div-adjust", ("missed_dividends",), "XETR"),
    Case("yf_8TRA-DE-1d-missing-div-adjust-fixed", (), "XETR", not_said=("missed_dividends",)),
    Case("yf_REL-L-1d-bad-div", ("missed_dividends", "missing_values", "price_range"), "XLON"),
    Case(
        "yf_REL-L-1d-bad-div-fixed",
        ("missing_values", "price_range"),
        "XLON",
        not_said=("missed_dividends",),
    ),
    Case(
        "gemini_BTC_1h_zero_prices",
        ("nonpositive_prices", "stale", "gaps"),
        interval="1h",
        ending=".csv.gz",
    ),
    Case("yahoo2018_ETH-USD_dst_duplicates", ("daylight_saving", "price_range", "gaps")),
    Case(
        "binance_BTCUSDT_1h_page_duplicates",
        ("duplicates", "conflicting_duplicates"),
        interval="1h",
        ending=".csv.gz",
    ),
    Case("XOM", ("missing_open", "price_range"), "XNYS", folder="us_daily", ending=".csv.gz"),
    Case("JPM", ("missing_open",), "XNYS", folder="us_daily", ending=".csv.gz"),
)
CLEAN = (
    *(Case(symbol, (), folder="crypto_daily") for symbol in ("BTC", "ETH", "XRP", "LTC", "DOGE")),
    *(
        Case(symbol, (), interval="1h", folder="crypto_1h", ending=".csv.gz")
        for symbol in ("BTCUSDT", "ETHUSDT")
    ),
    *(
        Case(symbol, (), "XNYS", folder="us_daily", ending=".csv.gz")
        for symbol in ("AAPL", "MSFT", "SPY", "QQQ")
    ),
    *(Case(symbol, (), "XNYS", folder="us_daily") for symbol in ("TLT", "GLD")),
)


@pytest.fixture(scope="module")
def check(market_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")

    def checked(case, **quality):
        source = {
            "kind": "files",
            "path": str(market_data / case.folder),
            "pattern": "{symbol}" + case.ending,
            "columns": case.columns,
        }
        manifest = {
            "name": case.symbol,
            "interval": case.interval,
            "calendar": case.calendar,
            "symbols": [case.symbol],
            "sources": [source],
            "quality": quality,
        }
        path = folder / f"{case.symbol}.yaml"
        path.write_text(json.dumps(manifest))
        return check_dataset(
            str(path), home=folder, offline=True, progress=RecordingProgress(), now=NOW
        )

    return checked


@pytest.fixture(scope="module")
def found(check):
    return {case: check(case).findings for case in (*DEFECTS, *CLEAN)}


def named(case):
    return case.symbol


def test_the_table(found):
    lines = [f"{'file':<39} {'rule':<23} {'severity':<8} {'bars':>6}  {'repair'}"]
    for case, findings in found.items():
        lines += [
            f"{case.symbol:<39} {finding.rule:<23} {finding.severity:<8} {finding.count:>6}  "
            f"{finding.repair or '-'}"
            for finding in findings
        ] or [f"{case.symbol:<39} nothing"]
    sys.stdout.write("\n".join(["", *lines, ""]))
    assert len(lines) > len(DEFECTS) + len(CLEAN)


@pytest.mark.parametrize("case", DEFECTS, ids=named)
def test_exactly_the_known_defects_are_found(case, found):
    rules = {finding.rule for finding in found[case]}
    assert set(case.known) <= rules
    assert not rules & set(case.not_said)
    errors = {finding.rule for finding in found[case] if finding.severity == "error"}
    assert errors == set(case.known) - {"gaps", "stale"} | (
        {"unit_errors"} if "bitfinex" in case.symbol else set()
    )


@pytest.mark.parametrize("case", CLEAN, ids=named)
def test_real_crashes_and_jumps_are_not_errors(case, found):
    assert [finding for finding in found[case] if finding.severity == "error"] == []


@pytest.mark.parametrize(
    ("symbol", "count", "first", "last"),
    [
        ("XOM", 1_987, "1962-01-02", "1969-12-31"),
        ("JPM", 959, "1980-03-17", "1983-12-29"),
    ],
)
def test_missing_opens_are_errors_that_the_repair_resolves(
    symbol, count, first, last, found, check
):
    case = next(case for case in DEFECTS if case.symbol == symbol)
    finding = next(finding for finding in found[case] if finding.rule == "missing_open")
    assert (finding.severity, finding.count) == ("error", count)
    assert (finding.first, finding.last) == (first, last)
    assert finding.repair == "open_from_previous_close"
    # Five closes of XOM lie outside low to high besides.
    repaired = check(case, missing_open="repair", price_range="repair")
    assert repaired.is_usable
    done = next(done for done in repaired.applied_repairs if done.rule == "missing_open")
    assert (done.repair, done.count) == (finding.repair, count)


@pytest.mark.parametrize(
    ("symbol", "count"),
    [
        ("binance_BTCUSDT_1h_page_duplicates", 8),
        ("yahoo2018_ETH-USD_dst_duplicates", 3),
        ("yahoo2021_BTC-USD_null_days", 4),
        ("yf_4063-T-1d-bad-stock-split", 9),
        ("yf_CNE-L-1d-bad-stock-split", 1),
        ("yf_LA-V-1d-bad-stock-split", 1),
        ("yf_AV-L-1wk-bad-stock-split", 1),
        ("yf_AET-L-1d-100x-error", 14),
        ("lean_USO_ticker_reuse", 140),
        ("gemini_BTC_1h_zero_prices", 1),
    ],
)
def test_only_wrong_bars_are_counted(symbol, count, found):
    case = next(case for case in DEFECTS if case.symbol == symbol)
    rules = {
        "missing_values",
        "duplicates",
        "conflicting_duplicates",
        "daylight_saving",
        "nonpositive_prices",
        "unit_errors",
        "ticker_reuse",
    }
    rules |= set() if "USO" in symbol else set(SPLIT)
    assert sum(finding.count for finding in found[case] if finding.rule in rules) == count


@pytest.mark.parametrize(
    ("symbol", "rule"),
    [
        ("yf_4063-T-1d-bad-stock-split", "missed_splits"),
        ("yf_CNE-L-1d-bad-stock-split", "missed_splits"),
        ("yf_LA-V-1d-bad-stock-split", "missed_splits"),
        ("yf_AV-L-1wk-bad-stock-split", "missed_splits"),
        ("yf_AET-L-1d-100x-error", "unit_errors"),
    ],
)
def test_the_repaired_file_equals_the_corrected_file(symbol, rule, market_data):
    bad, twin = (
        pd.read_csv(market_data / "defects" / f"{name}.csv")
        for name in (symbol, f"{symbol}-fixed")
    )
    interval = "1w" if "1wk" in symbol else "1d"
    terms = CheckSettings(interval, NOW, policy={"order": "repair", rule: "repair"})
    repaired = check_bars(normalise_bars(bad, "X"), terms).bars
    corrected = twin.sort_values("timestamp")
    for column in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(
            repaired[column].to_numpy(), corrected[column].to_numpy(), rtol=1e-4, err_msg=column
        )
