#!/usr/bin/env bash
# ccxt 4.5.90 (ccxt.pro): a late message about a candle is answered by watch_ohlcv with another candle,
# and the lists that it gave before change in place.
#
# Expected: by default (`newUpdates`) a call gives the candles that the messages since the last call
#   were about; and a list that was given stays what it was.
# Seen:     it counts the candles that were updated, and gives so many from the end of its cache. The
#   last message about minute 11, which comes after the first about minute 12, gives minute 12, which
#   has not changed; the final close of minute 11 is given by no call. But it is written into the list
#   that an earlier call gave: the rows are those of the cache, so a program that compares the candle
#   with what it kept finds no correction.
# To do:    set `newUpdates: False` and a limit, look at the last several candles after each call, and
#   copy the rows.
#
# Exit status: 0 it is still so, 1 it has changed, 2 the packages could not be installed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ccxt==4.5.90 2> "$work/pip.log" ||
  { cat "$work/pip.log" >&2; exit 2; }

"$work/venv/bin/python" - <<'PY'
import asyncio
import json

import ccxt.pro
from aiohttp import web

MINUTE = 60_000
connections: list[web.WebSocketResponse] = []
MARKET = {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT"}
MARKET |= {"filters": [], "isSpotTradingAllowed": True, "permissions": ["SPOT"]}


async def exchange_info(_: web.Request) -> web.Response:
    return web.json_response({"symbols": [MARKET]})


async def stream(request: web.Request) -> web.WebSocketResponse:
    connection = web.WebSocketResponse()
    await connection.prepare(request)
    async for message in connection:
        await connection.send_json({"result": None, "id": json.loads(message.data)["id"]})
        connections.append(connection)
    return connection


def candle(minute: int, close: float) -> dict:
    """A message about the candle of a minute."""
    values = {"o": "1.0", "h": str(close), "l": "1.0", "c": str(close), "v": "1.0", "x": False}
    times = {"t": minute * MINUTE, "T": minute * MINUTE + 59_999}
    return {"e": "kline", "E": 0, "s": "BTCUSDT", "k": {"s": "BTCUSDT", "i": "1m", **times, **values}}


async def main() -> None:
    app = web.Application()
    app.router.add_get("/api/v3/exchangeInfo", exchange_info)
    app.router.add_get("/ws/{stream}", stream)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    api = {"public": f"http://{host}/api/v3", "ws": {"spot": f"ws://{host}/ws"}}
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}
    exchange = ccxt.pro.binance({"urls": {"api": api}, "options": options})
    await exchange.load_markets()

    async def watch(message: dict) -> list:
        """The candles that a call gives, during which the server sends a message."""
        waiting = asyncio.create_task(exchange.watch_ohlcv("BTC/USDT", "1m"))
        while not connections:
            await asyncio.sleep(0.01)
        await connections[-1].send_json(message)
        return await asyncio.wait_for(waiting, 10)

    first = await watch(candle(11, 7.0))
    print("minute 11, while it is open:       ", first)
    await watch(candle(12, 1.0))
    late = await watch(candle(11, 8.0))
    print("a last message, close 8.0, gives:  ", late)
    print("the list that the first call gave: ", first)
    cache = {row[0] // MINUTE: row[4] for row in exchange.ohlcvs["BTC/USDT"]["1m"]}
    print("closes that ccxt has:              ", cache)
    await exchange.close()
    await runner.cleanup()
    assert [row[0] // MINUTE for row in late] == [12], "the candle of the message is given now"
    assert first[0][4] == 8.0, "the list that a call gave is a copy now"
    assert cache == {11: 8.0, 12: 1.0}, "the cache differs"


print(f"ccxt {ccxt.__version__}")
asyncio.run(main())
PY
