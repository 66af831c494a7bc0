#!/usr/bin/env bash
# ccxt 4.5.90: `features` of three exchanges name larger pages of candles than fetch_ohlcv asks for.
#
# Expected: exchange.features["..."]["fetchOHLCV"]["limit"] is the number of candles that one request
#   can bring, so that the next request may start so many candles later.
# Seen:     Bitget's swaps say 200 and ask for a window of 90 days (13 weeks); MEXC's spot says 1,000
#   and asks for 500; Bullish says 1,000 and asks for 100. Eleven markets of ten exchanges are asked
#   without any time: `since` drops candles after they have come. Paging by `features` skips whole
#   stretches where a page is empty, around every pause and before every listing.
# To do:    read the window from the request that ccxt sends, and ask again where a page begins late.
#
# No exchange is contacted: the request is caught before it would be sent.
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ccxt==4.5.90 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" - <<'PY'
import re
from datetime import datetime
from urllib.parse import unquote

import ccxt

print(f"ccxt {ccxt.__version__}")
SINCE = 1_577_836_800_000  # 2020-01-01
LENGTH = {"1h": 3_600_000, "1d": 86_400_000, "1w": 604_800_000}


class Caught(BaseException):
    """Carries the address of a request."""


def request(name: str, kind: str, timeframe: str) -> tuple[str, int | None]:
    """The address that fetch_ohlcv asks for, and the page size that `features` name."""
    exchange = getattr(ccxt, name)({"enableRateLimit": False})
    market = {
        "id": "BTCUSDT",
        "lowercaseId": "btcusdt",
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "type": "spot",
        "spot": True,
        "info": {"symbolId": "1"},
    }
    if kind != "spot":
        market |= {"symbol": "BTC/USDT:USDT", "settle": "USDT", "settleId": "USDT"}
        market |= {"type": "swap", "spot": False, "swap": True, "contract": True}
        market |= {"linear": kind == "linear", "inverse": kind == "inverse", "contractSize": 1.0}
    if kind == "inverse":
        market |= {"symbol": "BTC/USD:BTC", "quote": "USD", "settle": "BTC", "settleId": "BTC"}
    exchange.set_markets([exchange.safe_market_structure(market)])
    limit = exchange.feature_value(market["symbol"], "fetchOHLCV", "limit")

    def catch(url, *_, **__):
        raise Caught(url)

    exchange.fetch = catch
    try:
        exchange.fetch_ohlcv(market["symbol"], timeframe, SINCE, limit)
    except Caught as caught:
        return unquote(str(caught)), limit
    raise AssertionError("nothing was asked for")


def times(url: str) -> list[int]:
    found = [int(x) * (1_000 if len(x) == 10 else 1) for x in re.findall(r"\b\d{10}(?:\d{3})?\b", url)]
    found += [
        int(datetime.fromisoformat(x).timestamp() * 1_000)
        for x in re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", url)
    ]
    return sorted(found)


windows = {}
for name, kind, timeframe in [
    ("bitget", "linear", "1d"),
    ("bitget", "linear", "1w"),
    ("mexc", "spot", "1h"),
    ("bullish", "spot", "1h"),
]:
    url, limit = request(name, kind, timeframe)
    window = (times(url)[-1] - times(url)[0]) / LENGTH[timeframe]
    windows[name, timeframe] = (limit, round(window))
    print(f"{name} {kind} {timeframe}: features say {limit}, the request asks for {window:g} candles")

silent = []
for name, kind in [
    ("bithumb", "spot"),
    ("bitrue", "spot"),
    ("bitteam", "spot"),
    ("bittrade", "spot"),
    ("deepcoin", "spot"),
    ("digifinex", "linear"),
    ("gemini", "spot"),
    ("p2b", "spot"),
    ("phemex", "spot"),
    ("phemex", "inverse"),
    ("weex", "spot"),
]:
    url, _ = request(name, kind, "1h")
    if not times(url):
        silent.append(f"{name} {kind}")
print(f"no time is sent by {', '.join(silent)}")

assert windows == {
    ("bitget", "1d"): (200, 90),
    ("bitget", "1w"): (200, 13),
    ("mexc", "1h"): (1_000, 500),
    ("bullish", "1h"): (1_000, 100),
}, "the windows are other ones now"
assert len(silent) == 11, "some of them send a time now"
print("as described: pages are smaller than features say, and eleven markets are asked without a time")
PY
