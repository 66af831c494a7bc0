from __future__ import annotations

from pathlib import Path

from engine.core.home import backtest_home


def test_a_given_home_comes_before_the_environment(monkeypatch):
    monkeypatch.setenv("BACKTEST_HOME", "elsewhere")
    assert backtest_home("given") == backtest_home(Path("given")) == Path("given")


def test_the_environment_comes_before_the_default(monkeypatch):
    monkeypatch.setenv("BACKTEST_HOME", "elsewhere")
    assert backtest_home() == Path("elsewhere")


def test_without_both_the_home_is_a_folder_of_the_working_directory(monkeypatch):
    monkeypatch.delenv("BACKTEST_HOME", raising=False)
    assert backtest_home() == Path(".backtest")
    monkeypatch.setenv("BACKTEST_HOME", "")
    assert backtest_home() == Path(".backtest")
