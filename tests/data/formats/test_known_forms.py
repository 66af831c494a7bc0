"""Known forms of files by name: each is read right to the last digit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError
from engine.core.progress import NullProgress
from engine.data.files_config import FileFormatName, FilesSourceSpec
from engine.data.sources.base import BarRequest
from engine.data.sources.files import FilesBarSource
from engine.data.sources.files.formats import FILE_FORMATS
from tests.data.datasets import NOW
from tests.data.formats.samples import SAMPLES, Sample

VALUES = ["open", "high", "low", "close", "volume"]


def read(folder: Path, sample: Sample, **keys: object) -> tuple[pd.DataFrame, list[str]]:
    """The bars of a sample and the notices about them."""
    (folder / sample.name).write_bytes(sample.data)
    spec = FilesSourceSpec.model_validate({"path": ".", **sample.keys, **keys})
    notices: list[str] = []
    request = BarRequest("X", sample.interval, None, NOW, NullProgress(), notices.append)
    return FilesBarSource(spec, folder).fetch(request), notices


def expected(sample: Sample) -> pd.DataFrame:
    frame = pd.DataFrame(sample.bars, columns=["timestamp", *VALUES])
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True, format="ISO8601")
    return frame.astype(dict.fromkeys(VALUES, "float64"))


def assert_same(bars: pd.DataFrame, sample: Sample) -> None:
    wanted = expected(sample)
    assert [str(stamp) for stamp in bars["timestamp"]] == [str(s) for s in wanted["timestamp"]]
    pd.testing.assert_frame_equal(bars[VALUES].astype("float64"), wanted[VALUES], check_exact=True)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_named_form_is_read_to_the_last_digit(tmp_path: Path, name: str) -> None:
    sample = SAMPLES[name]
    bars, _ = read(tmp_path, sample, format=sample.form)
    assert_same(bars, sample)


@pytest.mark.parametrize("name", [name for name in SAMPLES if SAMPLES[name].recognised])
def test_auto_recognises_a_form_and_says_what_it_implies(tmp_path: Path, name: str) -> None:
    sample = SAMPLES[name]
    bars, notices = read(tmp_path, sample, format="auto")
    assert_same(bars, sample)
    (said,) = [notice for notice in notices if "is recognised" in notice]
    assert f"the form {sample.form} is recognised" in said
    assert "zone " in said
    assert "label " in said


@pytest.mark.parametrize(
    "name",
    [name for name in SAMPLES if SAMPLES[name].keys.get("timezone") and "investing" not in name],
)
def test_a_zone_that_no_file_tells_must_be_declared(tmp_path: Path, name: str) -> None:
    sample = SAMPLES[name]
    with pytest.raises(InvalidBarsError) as error:
        read(tmp_path, sample, format=sample.form, timezone=None)
    assert "`timezone: UTC` keeps the times as they stand" in error.value.fix


def test_every_name_has_a_form_and_a_sample() -> None:
    assert sorted(FILE_FORMATS) == sorted(get_args(FileFormatName))
    assert {sample.form for sample in SAMPLES.values()} == set(FILE_FORMATS)


def test_every_form_says_what_a_user_must_know() -> None:
    for file_format in FILE_FORMATS.values():
        assert file_format.writer
        assert file_format.zone
        assert file_format.label.startswith(("open", "close"))
        assert file_format.units


def test_a_key_of_the_source_replaces_that_of_the_form(tmp_path: Path) -> None:
    sample = SAMPLES["cryptodatadownload"]
    bars, _ = read(tmp_path, sample, format=sample.form, columns={"volume": "Volume USDT"})
    assert bars["volume"].tolist() == [71000000.5, 55000000.5, 26000000.5]
    assert bars["open"].tolist() == [row[1] for row in sample.bars]
    bars, _ = read(tmp_path, sample, format=sample.form, volume="none")
    assert bars["volume"].isna().all()
    sample = SAMPLES["nasdaq, an index"]
    with pytest.raises(InvalidBarsError, match="the column of volumes is empty"):
        read(tmp_path, sample, format=sample.form, columns={"volume": "Volume"})


def test_a_file_labelled_by_the_start_overrides_the_label_of_ninjatrader(tmp_path: Path) -> None:
    sample = SAMPLES["ninjatrader, minutes by their end"]
    bars, _ = read(tmp_path, sample, format="ninjatrader", label="open")
    assert str(bars["timestamp"].iloc[0]) == "2024-03-08 14:31:00+00:00"
    bars, _ = read(tmp_path, sample, format="ninjatrader", timezone="America/New_York")
    assert str(bars["timestamp"].iloc[0]) == "2024-03-08 19:30:00+00:00"


def test_the_rows_of_a_form_with_the_newest_bar_first_are_turned(tmp_path: Path) -> None:
    sample = SAMPLES["investing"]
    bars, _ = read(tmp_path, sample, format="investing")
    assert bars["timestamp"].is_monotonic_increasing


def test_a_file_of_another_form_is_refused_with_the_one_it_looks_like(tmp_path: Path) -> None:
    with pytest.raises(InvalidBarsError) as error:
        read(tmp_path, SAMPLES["kraken"], format="binance")
    assert str(error.value.problem) == "this file is not of the form binance"
    assert "1735682400;93576.0" in error.value.found
    assert "`format: kraken`" in error.value.fix


def test_an_ordinary_header_needs_no_form(tmp_path: Path) -> None:
    text = "timestamp,open,high,low,close,volume\n2024-03-04,10,12,9,11,5\n2024-03-05,1,2,1,2,5\n"
    sample = Sample("ordinary", "1d", (), text)
    bars, notices = read(tmp_path, sample, format="auto")
    assert len(bars) == 2
    assert any("no form is applied" in notice for notice in notices)
    with pytest.raises(InvalidBarsError, match="not of the form kraken") as error:
        read(tmp_path, sample, format="kraken")
    assert error.value.fix == "leave `format` out: the file has an ordinary header"


def test_auto_refuses_a_file_that_two_forms_read_differently(tmp_path: Path) -> None:
    # Volumes of 0 without the file name of HistData: New York or UTC, start or end of the minute.
    text = "20120201 000000;1.3066;1.3067;1.3065;1.3066;0\n20120201 000100;1.3;1.4;1.2;1.3;0\n"
    with pytest.raises(InvalidBarsError) as error:
        read(tmp_path, Sample("", "1m", (), text), format="auto")
    assert "several forms" in error.value.problem
    assert "`format: histdata` or `format: ninjatrader`" in error.value.fix
    # Only the order of the rows tells Alpha Vantage from any other program.
    with pytest.raises(InvalidBarsError) as error:
        read(tmp_path, SAMPLES["alphavantage, minutes"], format="auto")
    assert "leave `format` out or `format: alphavantage`" in error.value.fix


def test_auto_refuses_an_unknown_form_and_shows_its_first_line(tmp_path: Path) -> None:
    text = "a;b;c\n1;2;3\n"
    with pytest.raises(InvalidBarsError) as error:
        read(tmp_path, Sample("", "1d", (), text), format="auto")
    assert error.value.problem == "the form of this file is not known"
    assert "`a;b;c`" in error.value.found
    assert "binance" in error.value.expected


def test_cells_alone_do_not_tell_a_form_that_needs_its_file_name(tmp_path: Path) -> None:
    sample = SAMPLES["kibot"]
    with pytest.raises(InvalidBarsError, match="form of this file is not known"):
        read(tmp_path, sample, format="auto")


def test_a_price_that_is_no_whole_number_is_not_divided(tmp_path: Path) -> None:
    text = "20240304 00:00,1002500,1035000,991250,1027500,1200\n" * 30
    text += "20240305 00:00,100.25,103.5,99.1,102.75,1200\n"
    with pytest.raises(InvalidBarsError) as error:
        read(tmp_path, Sample("lean", "1d", (), text), format="lean")
    assert "`price_divisor: 1`" in error.value.fix


def test_a_zone_in_a_cell_that_does_not_exist_is_named(tmp_path: Path) -> None:
    text = SAMPLES["interactive brokers, a zone in each cell"].content
    assert isinstance(text, str)
    sample = Sample("interactive_brokers", "1m", (), text.replace("US/Eastern", "XYZ"))
    with pytest.raises(InvalidBarsError) as error:
        read(tmp_path, sample, format="interactive_brokers")
    assert "XYZ" in error.value.found


def test_the_docs_have_a_row_for_every_form() -> None:
    page = (Path(__file__).parents[3] / "docs" / "data-sources.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|(?:[^|\n]+\|){4}$", page, re.MULTILINE)
    assert rows[1:] == sorted(FILE_FORMATS)  # after the header
