"""Many symbols from Yahoo: batches, the time limit, what came, what did not, and going on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest

from engine.core.errors import PartlyUnreachableError, SourceError, UnreachableError
from tests.data.datasets import COUNT, FIRST, NOW
from tests.servers.candles import candles
from tests.servers.local import Answer
from tests.servers.yahoo import Chart

SHARES = ("ADA", "BOB", "CAT", "DOG", "ELK")
MANY = f"""name: shares
interval: 1d
calendar: 24/7
symbols: [{", ".join(SHARES)}]
start: 2023-03-01
sources:
"""
SOURCE = "  - {kind: yahoo, adjust: splits}\n"
BUSY = Answer(429, "Too Many Requests", "text/plain")


@pytest.fixture
def shares(yahoo):
    for scale, name in enumerate(SHARES, start=1):
        yahoo.site.charts[name] = Chart(candles(FIRST, COUNT, scale=100.0 * scale))
    return yahoo


@pytest.fixture
def paused(clients):
    def options(seconds):
        return {"clients": replace(clients, batch_pause_s=seconds)}

    return options


def asked(shares):
    """Symbols whose history was asked for, in their order."""
    return [line.partition("chart/")[2][:3] for line in shares.requests("?period1")]


class TestWhatCame:
    @pytest.mark.usefixtures("shares")
    def test_one_line_a_symbol_tells_what_came(self, load, told):
        load(MANY + SOURCE)
        assert told.lines[0] == ("ADA (1 of 5) from yahoo: 375 bars, 2023-03-01 to 2024-03-09")
        assert [line.split()[0] for line in told.lines] == list(SHARES)
        assert told.notices == []

    def test_a_symbol_that_yahoo_does_not_know_stops_no_other(self, shares, load, told):
        del shares.site.charts["BOB"]
        with pytest.raises(SourceError) as error:
            load(MANY + SOURCE)
        assert error.value.exit_code == 3
        assert "4 of 5 symbols received" in error.value.found
        assert "BOB: no bars of BOB" in error.value.found
        assert "received and stored: ADA, CAT, DOG, ELK" in error.value.found
        assert "map it under `symbols`" in error.value.fix
        assert [line.split()[0] for line in told.lines] == list(SHARES)
        assert told.lines[1].startswith("BOB (2 of 5) from yahoo: no bars of BOB")

    def test_a_symbol_whose_answer_is_broken_stops_no_other(self, shares, load):
        shares.faulty, shares.faults = "/chart/CAT", ["half"] * 60
        with pytest.raises(SourceError) as error:
            load(MANY + SOURCE)
        assert not isinstance(error.value, UnreachableError)
        assert "CAT: the server gave no usable answer" in error.value.found
        assert "received and stored: ADA, BOB, DOG, ELK" in error.value.found

    def test_symbols_that_are_missing_for_one_reason_are_named_together(self, shares, load):
        with pytest.raises(SourceError) as error:
            load(MANY.replace("1d", "4h") + SOURCE)
        assert "ADA, BOB, CAT, DOG, ELK: no 4h bars (4h)" in error.value.found
        assert asked(shares) == []

    def test_the_offline_dataset_does_not_stand_in_for_half_a_dataset(self, shares, load):
        shares.faulty, shares.faults = "/chart/ELK", [500] * 60
        with pytest.raises(SourceError, match="no source delivers"):
            load(MANY + SOURCE, stand_in="us-indices")


class TestGoingOn:
    def test_what_came_is_kept_and_only_the_others_are_asked_for(self, shares, load, told):
        shares.faulty, shares.faults = "/chart/CAT", ["half"] * 60
        with pytest.raises(SourceError):
            load(MANY + SOURCE)
        shares.faults.clear()
        shares.log.clear()
        told.lines.clear()
        market = load(MANY + SOURCE)
        assert asked(shares) == ["CAT"]
        assert [line.split()[0] for line in told.lines] == ["CAT"]
        assert set(market.bars["symbol"]) == set(SHARES)

    def test_older_bars_of_all_symbols_serve_where_only_some_are_renewed(self, shares, load, told):
        load(MANY + SOURCE)
        shares.faulty, shares.faults = "/chart/ELK", [500] * 60
        later = load(MANY + SOURCE, now=NOW + pd.Timedelta(days=1))
        assert later.provenance["symbols"]["ELK"]["last"] == "2024-03-09"
        assert any("cached bars are used, pulled at 2024-03-10" in text for text in told.notices)

    @pytest.mark.slow
    def test_a_pull_that_was_killed_goes_on_where_it_was(self, shares, load, tmp_path):
        (tmp_path / "coins.yaml").write_text(MANY + SOURCE)
        shares.faulty, shares.faults = "/chart/DOG", ["hang"]
        process = subprocess.Popen(
            [sys.executable, "-c", PULL, str(tmp_path / "home"), shares.url, str(NOW)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        end = time.monotonic() + 60
        while not shares.requests("/chart/DOG") and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        shares.log.clear()
        market = load(MANY + SOURCE)
        assert asked(shares) == ["DOG", "ELK"]
        assert set(market.bars["symbol"]) == set(SHARES)


PULL = """
import sys
from pathlib import Path
import pandas as pd
from engine.data.load import load_market
from engine.data.sources.client_settings import ClientSettings
from engine.data.config import DataSpec
from engine.core.progress import NullProgress

home, url, now = sys.argv[1:]
load_market(DataSpec(dataset="coins.yaml"), home=Path(home), offline=False, override=None,
            progress=NullProgress(), clients=ClientSettings(yahoo_url=url), now=pd.Timestamp(now))
"""


def pull(folder, url, *, first):
    """A process of its own that loads some libraries first."""
    (folder / "coins.yaml").write_text(MANY + SOURCE)
    return subprocess.run(
        [sys.executable, "-c", f"import {first}\n{PULL}", "home", url, str(NOW)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
class TestOtherLibraries:
    def test_a_process_that_has_loaded_tensorflow_can_ask_too(self, shares, tmp_path):
        assert pull(tmp_path, shares.url, first="tensorflow").returncode == 0
        assert asked(shares) == list(SHARES)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux mixes symbols of libraries")
    def test_one_in_which_curl_found_tensorflows_tls_is_told_so(self, shares, tmp_path):
        failed = pull(tmp_path, shares.url, first="tensorflow, curl_cffi").stderr
        assert "this process can make no connection to Yahoo" in failed
        assert "put `import curl_cffi` first" in failed
        assert asked(shares) == []


class TestGivingUp:
    def test_a_server_that_throttles_to_the_end_is_left_alone(self, shares, load):
        shares.faulty = "/chart/"
        load(MANY.replace("BOB, CAT, DOG, ELK", "BOB") + SOURCE)
        shares.faults = [BUSY] * 60
        with pytest.raises(SourceError) as error:
            load(MANY + SOURCE)
        told = error.value.found
        assert "CAT: the server throttles (429 Too Many Requests" in told
        assert "DOG: the server was not asked (it throttled to the end before)" in told
        assert "ELK: not requested any more" in told
        assert "received and stored: ADA, BOB" in told
        assert not shares.requests("/chart/DOG")

    def test_two_symbols_in_a_row_without_an_answer_are_a_server_that_is_gone(self, shares, load):
        load(MANY.replace("BOB, CAT, DOG, ELK", "BOB") + SOURCE)
        shares.faulty, shares.faults = "/chart/", [500] * 600
        with pytest.raises(SourceError) as error:
            load(MANY + SOURCE)
        assert "ELK: not requested any more" in error.value.found
        assert shares.requests("/chart/DOG")
        assert not shares.requests("/chart/ELK")

    def test_the_first_symbol_that_gets_no_answer_speaks_for_a_server_that_gives_none(
        self, shares, load
    ):
        shares.faults = [BUSY] * 600
        with pytest.raises(UnreachableError) as error:
            load(MANY + SOURCE)
        assert not isinstance(error.value, PartlyUnreachableError)
        assert "yahoo: the server throttles" in error.value.found

    @pytest.mark.slow
    def test_after_the_time_limit_no_symbol_is_asked_for(self, shares, load, paused):
        limited = SOURCE.replace("}", ", time_limit_s: 1, batch: 1}")
        with pytest.raises(SourceError) as error:
            load(MANY + limited, **paused(30.0))
        assert "the time limit of 1 s is over" in error.value.found
        assert "raise time_limit_s" in error.value.fix
        assert "ADA" in error.value.found.rpartition("received and stored")[2]
        assert "ELK" not in asked(shares)


@pytest.mark.usefixtures("shares")
class TestBatches:
    def test_a_full_batch_is_followed_by_a_pause(self, load, paused):
        began = time.monotonic()
        batches = SOURCE.replace("}", ", batch: 2}")
        load(MANY + batches, **paused(0.05))
        # Five symbols, two at a time: two pauses.
        assert time.monotonic() - began >= 0.1

    def test_a_batch_that_holds_all_symbols_knows_no_pause(self, load, paused):
        began = time.monotonic()
        load(MANY + SOURCE, **paused(30.0))
        assert time.monotonic() - began < 30.0
