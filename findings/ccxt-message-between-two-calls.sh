#!/usr/bin/env bash
# ccxt 4.5.90 (ccxt.pro): watch_ohlcv does not return for a message that came since the call before.
#
# Expected: a call returns at once where candles came since the last one, since ccxt receives in the
#   background all the time and keeps count of what is new.
# Seen:     a message is told to the call that waits when it comes. One that comes while the program
#   awaits anything else goes into the cache alone, and the next call waits for the message after it: on
#   a market without a trade in the next minutes that is as long, and the candle that began meanwhile,
#   which shows that the one before has closed, is not seen until then.
# To do:    await nothing between two calls, or look at `exchange.ohlcvs` before each.
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
WAIT_S = 5
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

    print("minute 10:", await watch(candle(10, 5.0)))
    await connections[-1].send_json(candle(11, 7.0))
    await asyncio.sleep(0.5)  # the program works on minute 10
    cache = [row[0] // MINUTE for row in exchange.ohlcvs["BTC/USDT"]["1m"]]
    print("minutes that ccxt has before the second call:", cache)
    waiting = asyncio.create_task(exchange.watch_ohlcv("BTC/USDT", "1m"))
    done, _ = await asyncio.wait([waiting], timeout=WAIT_S)
    print(f"the second call after {WAIT_S} s:", "has an answer" if done else "waits")
    await connections[-1].send_json(candle(12, 8.0))
    answer = await asyncio.wait_for(waiting, 10)
    print("its answer after a message about minute 12:", [row[0] // MINUTE for row in answer])
    await exchange.close()
    await runner.cleanup()
    assert cache == [10, 11], "the message did not come"
    assert not done, "a message that came between two calls is answered at once now"


print(f"ccxt {ccxt.__version__}")
asyncio.run(main())
PY
