"""Many symbols from Yahoo: batches, time limit, missing symbols, and resuming."""

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


def requested_symbols(shares):
    """Symbols whose history was requested, in order."""
    return [line.partition("chart/")[2][:3] for line in shares.requests("?period1")]


class TestPartialFetches:
    @pytest.mark.usefixtures("shares")
    def test_each_symbol_has_a_line_of_progress(self, load, progress):
        load(MANY + SOURCE)
        assert progress.lines[0] == ("ADA (1 of 5) from yahoo: 375 bars, 2023-03-01 to 2024-03-09")
        assert [line.split()[0] for line in progress.lines] == list(SHARES)
        assert [text for text in progress.notices if not text.startswith("survivors: ")] == []

    def test_an_unknown_symbol_does_not_stop_the_others(self, shares, load, progress):
        del shares.site.charts["BOB"]
        with pytest.raises(SourceError) as error:
            load(MANY + SOURCE)
        assert error.value.exit_code == 3
        assert "4 of 5 symbols received" in error.value.found
        assert "BOB: no bars of BOB" in error.value.found
        assert "received and stored: ADA, CAT, DOG, ELK" in error.value.found
        assert "map it under `symbols`" in error.value.fix
        assert [line.split()[0] for line in progress.lines] == list(SHARES)
        assert progress.lines[1].startswith("BOB (2 of 5) from yahoo: no bars of BOB")

    def test_a_broken_answer_does_not_stop_the_other_symbols(self, shares, load):
        shares.faulty, shares.faults = "/chart/CAT", ["half"] * 60
        with pytest.raises(SourceError) as error:
            load(MANY + SOURCE)
        assert not isinstance(error.value, UnreachableError)
        assert "CAT: the server gave no usable answer" in error.value.found
        assert "received and stored: ADA, BOB, DOG, ELK" in error.value.found

    def test_symbols_missing_for_one_reason_share_a_line(self, shares, load):
        with pytest.raises(SourceError) as error:
            load(MANY.replace("1d", "4h") + SOURCE)
        assert "ADA, BOB, CAT, DOG, ELK: no 4h bars (4h)" in error.value.found
        assert requested_symbols(shares) == []

    def test_a_partial_fetch_does_not_use_the_offline_dataset(self, shares, load):
        shares.faulty, shares.faults = "/chart/ELK", [500] * 60
        with pytest.raises(SourceError, match="no source delivers"):
            load(MANY + SOURCE, fallback="us-indices")


class TestResuming:
    def test_a_second_run_requests_only_missing_symbols(self, shares, load, progress):
        shares.faulty, shares.faults = "/chart/CAT", ["half"] * 60
        with pytest.raises(SourceError):
            load(MANY + SOURCE)
        shares.faults.clear()
        shares.log.clear()
        progress.lines.clear()
        market = load(MANY + SOURCE)
        assert requested_symbols(shares) == ["CAT"]
        assert [line.split()[0] for line in progress.lines] == ["CAT"]
        assert set(market.bars["symbol"]) == set(SHARES)

    def test_cached_bars_serve_if_a_symbol_cannot_be_renewed(self, shares, load, progress):
        load(MANY + SOURCE)
        shares.faulty, shares.faults = "/chart/ELK", [500] * 60
        later = load(MANY + SOURCE, now=NOW + pd.Timedelta(days=1))
        assert later.provenance["symbols"]["ELK"]["last"] == "2024-03-09"
        assert any(
            "cached bars are used, pulled at 2024-03-10" in text for text in progress.notices
        )

    @pytest.mark.slow
    def test_a_killed_fetch_resumes(self, shares, load, tmp_path):
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
        assert requested_symbols(shares) == ["DOG", "ELK"]
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
    """Fetches in a separate process that imports some libraries first."""
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
    def test_tensorflow_does_not_prevent_requests(self, shares, tmp_path):
        assert pull(tmp_path, shares.url, first="tensorflow").returncode == 0
        assert requested_symbols(shares) == list(SHARES)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux mixes symbols of libraries")
    def test_a_tls_conflict_with_tensorflow_is_explained(self, shares, tmp_path):
        failed = pull(tmp_path, shares.url, first="tensorflow, curl_cffi").stderr
        assert "this process cannot connect to Yahoo" in failed
        assert "import curl_cffi first" in failed
        assert requested_symbols(shares) == []


class TestEndingEarly:
    def test_persistent_throttling_ends_the_fetch(self, shares, load):
        shares.faulty = "/chart/"
        load(MANY.replace("BOB, CAT, DOG, ELK", "BOB") + SOURCE)
        shares.faults = [BUSY] * 60
        with pytest.raises(SourceError) as error:
            load(MANY + SOURCE)
        found = error.value.found
        assert "CAT: the server throttles (429 Too Many Requests" in found
        assert "DOG: the server was not requested (it throttled until the last retry)" in found
        assert "ELK: not requested any more" in found
        assert "received and stored: ADA, BOB" in found
        assert not shares.requests("/chart/DOG")

    def test_two_unanswered_symbols_end_the_fetch(self, shares, load):
        load(MANY.replace("BOB, CAT, DOG, ELK", "BOB") + SOURCE)
        shares.faulty, shares.faults = "/chart/", [500] * 600
        with pytest.raises(SourceError) as error:
            load(MANY + SOURCE)
        assert "ELK: not requested any more" in error.value.found
        assert shares.requests("/chart/DOG")
        assert not shares.requests("/chart/ELK")

    def test_an_unanswered_first_symbol_ends_the_fetch(self, shares, load):
        shares.faults = [BUSY] * 600
        with pytest.raises(UnreachableError) as error:
            load(MANY + SOURCE)
        assert not isinstance(error.value, PartlyUnreachableError)
        assert "yahoo: the server throttles" in error.value.found

    @pytest.mark.slow
    def test_after_the_time_limit_no_symbol_is_requested(self, shares, load, paused):
        limited = SOURCE.replace("}", ", time_limit_s: 1, batch: 1}")
        with pytest.raises(SourceError) as error:
            load(MANY + limited, **paused(30.0))
        assert "the time limit of 1 s is reached" in error.value.found
        assert "raise time_limit_s" in error.value.fix
        assert "ADA" in error.value.found.rpartition("received and stored")[2]
        assert "ELK" not in requested_symbols(shares)


@pytest.mark.usefixtures("shares")
class TestBatches:
    def test_a_full_batch_is_followed_by_a_pause(self, load, paused):
        began = time.monotonic()
        batches = SOURCE.replace("}", ", batch: 2}")
        load(MANY + batches, **paused(0.05))
        # Five symbols, two at a time: two pauses.
        assert time.monotonic() - began >= 0.1

    def test_a_single_batch_has_no_pause(self, load, paused):
        began = time.monotonic()
        load(MANY + SOURCE, **paused(30.0))
        assert time.monotonic() - began < 30.0
