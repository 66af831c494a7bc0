"""Files of returns and of equity curves: what is read, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.auditing.readers import open_table, read_matrix, read_returns
from engine.core.errors import BacktestError, UsageError
from tests.auditing.tables import days, noise, write, write_csv

if TYPE_CHECKING:
    from pathlib import Path


def lines(*rows: str) -> str:
    return "\n".join(("date,returns", *rows)) + "\n"


def test_csv_and_parquet_hold_the_same_returns(tmp_path: Path) -> None:
    returns = noise()
    returns.to_frame().to_parquet(tmp_path / "r.parquet")

    from_csv = read_returns(open_table(write_csv(returns, tmp_path / "r.csv")))
    from_parquet = read_returns(open_table(tmp_path / "r.parquet"))

    pd.testing.assert_series_equal(from_csv.returns, returns, check_freq=False, check_names=False)
    pd.testing.assert_series_equal(from_parquet.returns, from_csv.returns, check_names=False)


def test_a_series_without_a_name_is_the_only_column(tmp_path: Path) -> None:
    path = write_csv(noise().rename(None).rename_axis(None), tmp_path / "r.csv")

    assert len(read_returns(open_table(path)).returns) == 400


def test_changes_of_an_equity_are_its_returns(tmp_path: Path) -> None:
    equity = (10_000 * (1 + noise()).cumprod()).rename("Equity")

    read = read_returns(open_table(write_csv(equity, tmp_path / "e.csv")))

    assert read.returns.to_numpy() == pytest.approx(noise().to_numpy()[1:])
    assert read.notes == ("returns are the changes of the column Equity, an equity",)


def test_per_cent_signs_and_decimal_commas_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "date;returns\n2020-01-01;1,5%\n2020-01-02;-0,25%\n")

    read = read_returns(open_table(path))

    assert read.returns.tolist() == pytest.approx([0.015, -0.0025])
    assert len(read.notes) == 2


def test_the_newest_bar_may_come_first(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", lines("2020-01-03,0.03", "2020-01-02,0.02"))

    read = read_returns(open_table(path))

    assert read.returns.tolist() == [0.02, 0.03]
    assert read.notes == ("the file has its newest bar first",)


def test_a_first_row_without_a_change_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", lines("2020-01-01,", "2020-01-02,0.02", "2020-01-03,0"))

    assert read_returns(open_table(path)).returns.tolist() == [0.02, 0.0]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (("2020-01-01,0.1",), "too few bars"),
        (("2020-01-01,0.1", "2020-01-01,0.2", "2020-01-02,0"), "timestamps repeat"),
        (("2020-01-01,0.1", "2020-01-03,0.2", "2020-01-02,0"), "out of order"),
        (("2020-01-01,0.1", "2020-01-02,", "2020-01-03,0.1"), "missing or infinite"),
        (("2020-01-01,0.1", "2020-01-02,inf", "2020-01-03,0.1"), "missing or infinite"),
        (("2020-01-01,0.1", "2020-01-02,-1.5", "2020-01-03,0.1"), "below -100 %"),
        (("2020-01-01,1.5", "2020-01-02,-2.5", "2020-01-03,1.1"), "not simple returns"),
        (("2020-01-01,100", "2020-01-02,101", "2020-01-03,99"), "not simple returns"),
        (("2020-01-01,0.1", "2020-01-02,x1", "2020-01-03,0.1"), "cannot be"),
        (("01/02/2020,0.1", "02/02/2020,0.2", "03/02/2020,0.1"), "cannot be read"),
        ((), "is empty"),
    ],
)
def test_what_is_no_series_of_returns_is_refused(
    tmp_path: Path, rows: tuple[str, ...], problem: str
) -> None:
    path = write(tmp_path / "r.csv", lines(*rows))

    with pytest.raises(UsageError, match=problem) as caught:
        read_returns(open_table(path))

    assert caught.value.expected
    assert caught.value.found
    assert caught.value.fix


def test_a_declared_order_reads_ambiguous_dates(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", lines("01/02/2020,0.1", "02/02/2020,0.2"))

    read = read_returns(open_table(path, "day_first"))

    assert str(read.returns.index[0].date()) == "2020-02-01"


def test_declared_per_cent_is_divided(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", lines("2020-01-01,1.5", "2020-01-02,-2.5"))

    assert read_returns(open_table(path), kind="percent").returns.tolist() == [0.015, -0.025]


def test_several_columns_ask_for_one(tmp_path: Path) -> None:
    frame = pd.DataFrame({"fast": noise(), "slow": noise(seed=1)})
    path = write_csv(frame, tmp_path / "m.csv")

    with pytest.raises(UsageError, match="cannot be told") as caught:
        read_returns(open_table(path))

    assert "--column fast or --column slow" in caught.value.fix
    assert read_returns(open_table(path), "slow").returns.iloc[0] == frame["slow"].iloc[0]


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    noise().to_pickle(tmp_path / "r.pkl")

    with pytest.raises(BacktestError, match="cannot be read"):
        open_table(tmp_path / "r.pkl")


def test_an_empty_file_and_a_missing_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is empty"):
        open_table(write(tmp_path / "e.csv", ""))
    with pytest.raises(UsageError, match="cannot be read"):
        open_table(tmp_path / "none.csv")


def test_a_matrix_audits_its_best_variant_or_the_one_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"poor": noise(-0.001), "good": noise(0.001, seed=1)}, index=days())
    path = write_csv(frame, tmp_path / "m.csv")

    best, named = (read_matrix(open_table(path), each) for each in (None, "poor"))

    assert best.returns.mean() == pytest.approx(0.001)
    assert best.variants is not None
    assert list(best.variants) == ["poor"]
    assert named.returns.mean() == pytest.approx(-0.001)


def test_a_matrix_needs_two_variants(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a column for each variant"):
        read_matrix(open_table(write_csv(noise(), tmp_path / "r.csv")))
