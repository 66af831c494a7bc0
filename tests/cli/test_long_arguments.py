"""Arguments that are longer than a path can be are told as what they are, by every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command_tree import COMMANDS, invoke, parameters

if TYPE_CHECKING:
    from pathlib import Path

LONG = "q" * 300
DEEP = "q/" * 3_000


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_name_that_no_file_can_have_is_no_fault_of_the_engine(path: tuple[str, ...]) -> None:
    for value in (LONG, DEEP, f"{LONG}.yaml"):
        required = [
            part
            for each in parameters(path)
            if each.required
            for part in ([value] if each.is_argument else [each.flag, value])
        ]
        optional = [
            part
            for each in parameters(path)
            if not each.required and not each.is_argument and each.metavar in {"DIR", "FILE"}
            for part in (each.flag, value)
        ]
        if required or optional:
            result = invoke(path, *required, *optional)
            assert result.exit_code in {0, 2, 3}
            assert "fault of the engine" not in result.output
