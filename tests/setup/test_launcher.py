"""scripts/backtest and scripts/test with a fake Python that only logs the installation."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
INSTALL = ["venv", "pip", "compile"]
UPDATE = ["pip", "compile"]
SHARED = "-n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder"

PYTHON = """#!/bin/sh
tell() { echo "$1" >>"$CALLS"; }
case "$1 $2" in
"--version ") echo "Python 3.11.9" ;;
"-m venv") tell venv; mkdir -p "$3/bin" "$3/lib"; cp "$0" "$3/bin/python" ;;
"-m pip")
    [ "$3" = install ] || exit 0
    tell pip
    echo "noise on stdout"
    [ ! -e "$CALLS.slow" ] || sleep 2
    [ ! -e "$CALLS.fail" ] || { echo "no such package"; exit 1; }
    printf '#!/bin/sh\\necho "in $PWD: $*"\\n' >"$(dirname "$0")/backtest"
    chmod +x "$(dirname "$0")/backtest" ;;
"-m compileall") tell compile ;;
"-m pytest") shift 2; echo "pytest in $PWD: $*${PYTHONDONTWRITEBYTECODE:+, no bytecode}" ;;
esac
"""


class Clone:
    """A copy of the scripts in a temporary folder, with a fake Python on PATH."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a clone"
        self.elsewhere = folder / "elsewhere"
        self.bin = folder / "bin"
        for directory in (self.root, self.elsewhere, self.bin):
            directory.mkdir()
        shutil.copytree(REPOSITORY / "scripts", self.root / "scripts")
        (self.root / "pyproject.toml").write_text("[project]\n")
        (self.root / "constraints.txt").write_text("numpy==2.4.6\n")
        self.python("python3.11", PYTHON)
        self.log = folder / "calls"

    def python(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def on(self, condition: str) -> None:
        self.log.with_suffix(f".{condition}").touch()

    def off(self, condition: str) -> None:
        self.log.with_suffix(f".{condition}").unlink()

    def calls(self) -> list[str]:
        """The steps since the last call."""
        steps = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return steps

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "scripts" / command[0]), *command[1:]],
            cwd=self.elsewhere,
            env=os.environ
            | {"PATH": f"{self.bin}:/usr/bin:/bin", "CALLS": str(self.log)}
            | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str) -> tuple[int, str, str]:
        with self.start(*command) as process:
            stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_the_first_call_installs_and_the_second_does_not(clone: Clone) -> None:
    first = clone.run("backtest", "run", "s.yaml")
    assert (first[:2], clone.calls()) == ((0, f"in {clone.elsewhere}: run s.yaml\n"), INSTALL)
    assert "installing into .venv with Python 3.11.9" in first[2]

    second = clone.run("backtest", "run", "s.yaml")
    assert (second, clone.calls()) == ((0, first[1], ""), [])


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_updates_the_environment(clone: Clone, file: str) -> None:
    clone.run("backtest")
    clone.calls()
    (clone.root / file).write_text("# changed\n")

    clone.run("backtest")

    assert clone.calls() == UPDATE
    clone.run("backtest")
    assert clone.calls() == []


def test_scripts_test_installs_the_extra_requirements(clone: Clone) -> None:
    clone.run("backtest")
    clone.calls()

    code, stdout, _ = clone.run("test", "-m", "not slow")

    assert (code, stdout) == (0, f"pytest in {clone.root}: {SHARED} -m not slow\n")
    assert clone.calls() == UPDATE
    clone.run("backtest")
    clone.run("test")
    assert clone.calls() == []


def test_a_failed_install_is_reported_and_repeated(clone: Clone) -> None:
    clone.on("fail")
    code, stdout, stderr = clone.run("backtest")
    assert (code, stdout, clone.calls()) == (1, "", ["venv", "pip"])
    assert "no such package\n" in stderr
    assert "the install failed" in stderr

    clone.off("fail")
    assert clone.run("backtest")[0] == 0
    assert clone.calls() == INSTALL


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_install_starts_again(clone: Clone, how: signal.Signals) -> None:
    clone.on("slow")
    process = clone.start("backtest")
    while not clone.log.exists() or "pip" not in clone.log.read_text():
        time.sleep(0.01)
    os.killpg(process.pid, how)
    process.communicate()
    clone.calls()

    clone.off("slow")
    assert clone.run("backtest")[0] == 0
    assert clone.calls() == INSTALL


def test_two_simultaneous_first_calls_install_once(clone: Clone) -> None:
    clone.on("slow")
    processes = [clone.start("backtest") for _ in range(2)]

    outputs = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assert clone.calls() == INSTALL
    assert sorted("waiting for another install" in stderr for _, stderr in outputs) == [
        False,
        True,
    ]


def test_a_moved_environment_is_installed_again(clone: Clone) -> None:
    clone.run("backtest")
    clone.calls()
    clone.root = clone.root.rename(clone.root.with_name("moved"))

    clone.run("backtest")

    assert clone.calls() == INSTALL


def test_an_existing_environment_is_kept(clone: Clone) -> None:
    environment = clone.root / ".venv" / "bin"
    environment.mkdir(parents=True)
    shutil.copy(clone.bin / "python3.11", environment / "python")

    clone.run("backtest")

    assert clone.calls() == UPDATE


def test_a_python_that_does_not_run_is_skipped(clone: Clone) -> None:
    shutil.move(clone.bin / "python3.11", clone.bin / "python3.12")
    clone.python("python3.11", "#!/bin/sh\necho 'pyenv: version not installed' >&2\nexit 127\n")

    assert clone.run("backtest")[0] == 0
    assert clone.calls() == INSTALL


def test_without_a_supported_python_the_message_names_the_versions(clone: Clone) -> None:
    for name in ("python3.11", "python3.12", "python3.13", "python3", "python"):
        clone.python(name, "#!/bin/sh\nexit 1\n")

    code, stdout, stderr = clone.run("backtest")

    assert (code, stdout) == (1, "")
    assert "no Python 3.11, 3.12 or 3.13" in stderr


def test_the_launcher_works_through_symbolic_links(clone: Clone) -> None:
    (clone.bin / "direct").symlink_to(clone.root / "scripts" / "backtest")
    (clone.root / "scripts" / "linked").symlink_to("../../bin/direct")

    assert clone.run("linked", "check")[:2] == (0, f"in {clone.elsewhere}: check\n")
