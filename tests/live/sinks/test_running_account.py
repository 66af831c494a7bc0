"""What a sink is told of a running account is what its journal has, and what then happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.live.journal.rows import format_instant
from engine.live.paper.settings import PaperSettings
from engine.live.paper.status import paper_status
from tests.live.paper.accounts import NAME, make_bars, start_paper

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.paper.accounts import PaperMarket


pytestmark = pytest.mark.slow


@pytest.fixture
def signals(tmp_path) -> Path:
    return tmp_path / "signals.jsonl"


def start(folder: Path, signals: Path, events: tuple[str, ...], **settings: object) -> PaperMarket:
    sink = {"kind": "file", "path": str(signals), "events": events}
    chosen = PaperSettings.model_validate({"sinks": [sink], **settings})
    # Sessions of an exchange: what is due after a Friday is due on a Monday.
    bars = make_bars(interval="1d", calendar="XNYS", first="2023-01-02")
    return start_paper(folder, bars, settings=chosen)


def read(signals: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in signals.read_text().splitlines()]


def test_every_decision_is_told_as_it_is_in_the_journal(tmp_path, signals) -> None:
    market = start(tmp_path, signals, ("decision",))
    market.play(25)
    told = read(signals)
    with market.journal() as journal:
        decisions, equity = journal.decisions(NAME), journal.equity(NAME)
    assert [each["bar"] for each in told] == [format_instant(row.bar) for row in decisions]
    for message, decision, close in zip(told, decisions, equity, strict=True):
        symbols = {each["symbol"]: each for each in message["symbols"]}
        assert {name: each["target_weight"] for name, each in symbols.items()} == decision.targets
        assert message["equity"] == 100_000.0 * close.equity
        assert message["decided_at"] == format_instant(decision.decided_at)
        for name, each in close.holdings.items():
            assert symbols[name]["held_weight"] == each["weight"]


def test_an_order_is_filled_at_the_bar_and_price_that_were_told(tmp_path, signals) -> None:
    market = start(tmp_path, signals, ("order",))
    market.play(25)
    told = {
        (message["bar"], order["symbol"]): order
        for message in read(signals)
        for order in message["orders"]
    }
    opens = market.bars.table.set_index(["timestamp", "symbol"])["open"]
    with market.journal() as journal:
        fills = [fill for fill in journal.fills(NAME) if fill.decided_on is not None]
    assert len(fills) > 3
    for fill in fills:
        order = told[format_instant(fill.decided_on), fill.symbol]
        assert (order["due"], order["price"]) == (format_instant(fill.bar), "open")
        assert fill.price == pytest.approx(opens[fill.bar, fill.symbol], rel=0.01)


def test_an_order_that_comes_too_late_is_told_as_missed_and_as_an_alert(tmp_path, signals) -> None:
    market = start(tmp_path, signals, ("order", "alert"), missed="skip")
    market.play(6)
    before = len(read(signals))
    for bar in market.coming[6:16]:
        market.feed.delay(bar, "30h")
    market.look(market.bars.end(market.coming[16]) + 3 * market.second)
    told = read(signals)[before:]
    missed = [
        order
        for message in told
        if message["kind"] == "decision"
        for order in message["orders"]
        if order["status"] == "missed"
    ]
    assert missed
    alerts = [message for message in told if message["kind"] == "alert"]
    assert "missed" in {alert["event"] for alert in alerts}
    assert all(alert["text"].endswith("No order is sent to a market.") for alert in alerts)


def test_the_status_shows_of_an_address_the_host_alone(tmp_path) -> None:
    hook = {"kind": "webhook", "url": "https://example.com/private-path", "secret_env": "KEY"}
    market = start_paper(tmp_path, settings=PaperSettings.model_validate({"sinks": [hook]}))
    with market.journal() as journal:
        status = paper_status(journal, market.account, market.home, market.clock)
    assert "private-path" not in status.to_json()
    assert status.sinks[0].target == "webhook https://example.com/..."
    assert status.events[-1].detail["settings"]["sinks"] == ["webhook https://example.com/..."]
