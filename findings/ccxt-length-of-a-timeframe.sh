#!/usr/bin/env bash
# ccxt 4.5.90: candles asked for as "1w" of Bitstamp, "2w" of Kraken and "1M" of NDAX have other lengths.
#
# Expected: ccxt's names of timeframes mean the same on every exchange. What an exchange is asked for
#   has the length that parse_timeframe(name) says.
# Seen:     Bitstamp's "1w" is asked for with a step of 259200 seconds: three days. Kraken's "2w" is
#   21600 minutes: 15 days. NDAX' "1M" is 28 days, whereas parse_timeframe("1M") says 30. Paging by
#   parse_timeframe, and 52 periods a year, are then wrong: by a factor of 2.3 on Bitstamp.
# To do:    measure the distance between the stamps that come and refuse another one than was asked
#   for; make weeks and months from "1d".
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
import ccxt

print(f"ccxt {ccxt.__version__}")
DAY = 86_400


def asked_of_bitstamp(timeframe: str) -> int:
    """The step, in seconds, of the request that fetch_ohlcv makes."""
    exchange = ccxt.bitstamp()
    market = {"id": "btcusd", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "spot": True}
    exchange.set_markets([exchange.safe_market_structure(market)])
    caught = []
    exchange.publicGetOhlcPair = lambda request: caught.append(request) or {"data": {"ohlc": []}}
    exchange.fetch_ohlcv("BTC/USD", timeframe, limit=10)
    return int(caught[0]["step"])


found = {
    "bitstamp 1d": (asked_of_bitstamp("1d"), "1d"),
    "bitstamp 1w": (asked_of_bitstamp("1w"), "1w"),
    "kraken 1w": (int(ccxt.kraken().timeframes["1w"]) * 60, "1w"),
    "kraken 2w": (int(ccxt.kraken().timeframes["2w"]) * 60, "2w"),
    "ndax 1M": (int(ccxt.ndax().timeframes["1M"]), "1M"),
}
days = {}
for name, (asked, timeframe) in found.items():
    days[name] = (asked / DAY, ccxt.Exchange.parse_timeframe(timeframe) / DAY)
    print(f"{name}: asked for {days[name][0]:g} days, parse_timeframe says {days[name][1]:g}")

assert days == {
    "bitstamp 1d": (1, 1),
    "bitstamp 1w": (3, 7),
    "kraken 1w": (7, 7),
    "kraken 2w": (15, 14),
    "ndax 1M": (28, 30),
}, "the lengths are other ones now"
print("as described: three names have other lengths")
PY
