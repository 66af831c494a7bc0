"""The command as a process: imports, pipes, interrupts, encodings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from engine.cli.errors import INTERRUPTED_FITS_STORED

COMMAND = "from engine.cli.main import main; main()"
HEAVY = {
    *("arch", "ccxt", "jax", "keras", "numpy", "pandas", "plotly", "quantstats", "rich"),
    *("ruamel", "scipy", "sklearn", "tensorflow", "vectorbt", "yfinance"),
}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["--version"], ["run"], ["rnu"]]
)
def test_help_and_usage_errors_load_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from engine.cli.main import main\n"
        "try:\n    main()\n"
        f"finally:\n    print(sorted({HEAVY} & set(sys.modules)), file=sys.stderr)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )

    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_a_closed_pipe_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


@pytest.mark.slow
def test_an_interrupt_ends_with_130_and_one_line() -> None:
    waiting = (
        "import time\n"
        "from engine.cli.main import app\n"
        "def pipeline(*_, **__):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "app(obj=pipeline)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", waiting, "run", "s.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)

    assert (process.returncode, stderr) == (130, f"{INTERRUPTED_FITS_STORED}\n")


def test_a_terminal_without_utf8_gets_question_marks() -> None:
    script = "from engine.cli.main import main\ntry:\n    main()\nfinally:\n    print('\\u2212 1')"

    done = subprocess.run(
        [sys.executable, "-c", script, "--version"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )

    assert done.stdout.splitlines()[-1] == b"? 1"
