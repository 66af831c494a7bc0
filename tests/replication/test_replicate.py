"""A replication with small networks: interrupted, resumed and repeated."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from engine.cli.errors import INTERRUPTED_FITS_STORED
from engine.replication.livieris2021 import render_replication, replicate
from engine.training.store import FitStore
from tests.faults.runs import wait_for
from tests.replication.papers import small_protocol, write_paper

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

FITS = 6
SMALL = """
from functools import partial
from engine.cli.main import app
from engine.replication.livieris2021 import replicate
from tests.replication.papers import small_protocol
app(obj=partial(replicate, protocol=small_protocol()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_paper(tmp_path_factory.mktemp("small"), small_protocol())


def test_an_interrupted_replication_resumes(folder, tmp_path) -> None:
    store = FitStore(tmp_path / "fits")
    arguments = ["livieris2021", "--data", str(folder), "--runs", "1", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-c", SMALL, "replicate", *arguments],
        env={**os.environ, "BACKTEST_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(store, 1)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - begun < 2
    assert (process.returncode, stdout) == (130, "")
    assert stderr.endswith(f"{INTERRUPTED_FITS_STORED}\n")
    stored = len(store.entries())
    assert stored < FITS

    def again(runs: int):
        return replicate(folder, runs=runs, home=tmp_path, workers=2, protocol=small_protocol())

    whole = again(1)
    assert (whole.trained, whole.stored) == (FITS - stored, stored)
    repeated = again(1)
    assert (repeated.trained, repeated.stored) == (0, FITS)
    figures = [found.as_json() | {"fits": None} for found in (whole, repeated)]
    assert json.dumps(figures[0]) == json.dumps(figures[1])
    row = whole.forecasts[0]
    assert (row.model, row.lag, len(row.runs["mae"])) == ("Model1", 5, 1)
    assert max(map(len, render_replication(whole).splitlines())) <= 80
