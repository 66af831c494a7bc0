"""The quantstats process: how it fails, how it is stopped, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import ReportError
from engine.reporting.quantstats_process import open_quantstats_process

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("new_processes")]

RETURNS = pd.DataFrame(
    {"strategy": np.random.default_rng(0).normal(0, 0.01, 60)},
    index=pd.bdate_range("2020-01-01", periods=60, tz="UTC"),
)
WAITS = (
    "import pandas as pd, sys, time\n"
    "from engine.reporting.quantstats_process import open_quantstats_process\n"
    "days = pd.bdate_range('2020-01-01', periods=60, tz='UTC')\n"
    "with open_quantstats_process() as quantstats:\n"
    "    quantstats.submit(pd.DataFrame({'strategy': range(60)}, index=days), 252.0)\n"
    "    quantstats.wait_for_report()\n"
)
HANGS = (
    "import os, time, types\n"
    "from pathlib import Path\n"
    "def html(*_, **__):\n"
    "    Path(os.environ['TMPDIR'], 'pid').write_text(str(os.getpid()))\n"
    "    time.sleep(60)\n"
    "reports = types.SimpleNamespace(html=html)\n"
)


@pytest.fixture
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a fake quantstats in front of the installed one."""

    def put(source: str) -> None:
        (tmp_path / "quantstats.py").write_text(source)
        (tmp_path / "temporary").mkdir()
        before = os.environ.get("PYTHONPATH", str(Path.cwd()))
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{before}")
        monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))

    return put


def ask() -> None:
    with open_quantstats_process() as quantstats:
        quantstats.submit(RETURNS, 252.0)
        quantstats.wait_for_report()


def gone(pid: int) -> bool:
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()[:1] in {"", "Z"}


def until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("where", ["at the import", "at the report"])
def test_an_error_in_quantstats_is_reported_with_its_traceback(instead, where: str) -> None:
    body = "def html(*_, **__):\n    raise OSError('no font')\n"
    late = f"import types\n{body}reports = types.SimpleNamespace(html=html)\n"
    instead("raise OSError('no font')\n" if where == "at the import" else late)

    with pytest.raises(ReportError, match="quantstats failed") as caught:
        ask()

    assert caught.value.found == "OSError: no font"
    assert "quantstats.py" in "".join(caught.value.__notes__)


def test_a_process_that_dies_is_reported_with_its_last_output(instead) -> None:
    instead("import os\nprint('out of memory', flush=True)\nos._exit(3)\n")

    with pytest.raises(ReportError, match="died") as caught:
        ask()

    assert caught.value.found == "exit status 3\n    out of memory"
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_within_two_seconds_of_its_parent(instead, tmp_path: Path, signal_number) -> None:
    instead(HANGS if signal_number == signal.SIGINT else HANGS.replace("sleep(60)", "sleep(1)"))
    pid_file = tmp_path / "temporary" / "pid"
    asking = subprocess.Popen([sys.executable, "-c", WAITS], stderr=subprocess.PIPE)
    until(lambda: pid_file.exists() and pid_file.read_text() != "", 30)
    asking.send_signal(signal_number)
    began = time.monotonic()
    _, words = asking.communicate(timeout=30)

    until(lambda: gone(int(pid_file.read_text())), 2 - (time.monotonic() - began))
    if signal_number == signal.SIGINT:
        assert words.splitlines()[-1] == b"KeyboardInterrupt"
        assert [path.name for path in pid_file.parent.iterdir()] == ["pid"]


def test_it_works_without_an_importable_main_module() -> None:
    """As from a notebook or from `python -c`: nothing of the caller's program is run again."""
    once = WAITS.replace("    quantstats.wait_for_report()\n", "") + "print('once')\n"

    done = subprocess.run(
        [sys.executable, "-c", once], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "once\n", "")
