"""Symbols in a file of many symbols that look like something else than text."""

from __future__ import annotations

import pytest

from engine.core.errors import StrategyError
from tests.data.sources.file_reader import FileReader

SYMBOLS = ("007", "7", "NA", "NULL", "nan", "n/a", "1e5", "true", "NO", "1.0", "-")


def write(folder, symbols) -> FileReader:
    lines = [
        f"{symbol},2020-01-0{day},10,12,9,{price},5"
        for price, symbol in enumerate(symbols, start=9)
        for day in (1, 2)
    ]
    text = "Name,timestamp,open,high,low,close,volume\n" + "\n".join(lines) + "\n"
    (folder / "X.csv").write_text(text)
    return FileReader(folder)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_each_symbol_has_its_own_rows(tmp_path, symbol: str) -> None:
    bars = write(tmp_path, SYMBOLS).bars(where={"Name": symbol})
    assert bars["close"].tolist() == [9.0 + SYMBOLS.index(symbol)] * 2


def where(folder, text: str) -> dict[str, str]:
    """What a manifest says that has this text without quotes."""
    line = f"{{kind: files, path: ., pattern: X.csv, where: {{Name: {text}}}}}"
    return dict(write(folder, SYMBOLS).dataset(line).sources[0].where)


@pytest.mark.parametrize("symbol", ["007", "NULL", "1e5", "true", "1.0"])
def test_a_symbol_that_yaml_rewrites_is_told_and_never_another_symbol(tmp_path, symbol) -> None:
    with pytest.raises(StrategyError, match=f'put it in quotes: "{symbol}"'):
        where(tmp_path, symbol)
    assert where(tmp_path, f'"{symbol}"') == {"Name": symbol}


@pytest.mark.parametrize("symbol", ["7", "NA", "nan", "n/a", "NO"])
def test_other_symbols_need_no_quotes(tmp_path, symbol) -> None:
    assert where(tmp_path, symbol) == {"Name": symbol}
