"""Commands of the engine as processes of a fork server, on a disk that may fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.faulty_disk import VICTIM_OFFSET, Plan, build_library

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIMIT_S = 100.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Command:
    """A command line, and what replaces the network: see `fork_server.context_object`."""

    arguments: tuple[str, ...]
    context: str = ""
    url: str = ""


@dataclass(frozen=True)
class Disk:
    """All that a command can write: home, run folders, temporary files; and its plans beside."""

    place: Path

    @property
    def folder(self) -> Path:
        return self.place / "disk"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def make(self) -> Disk:
        self.temporary.mkdir(parents=True)
        return self

    def path(self, name: str) -> Path:
        return self.place / name


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, or minus the signal; None where it had to be stopped."""

    code: int | None
    stdout: str
    stderr: str
    plan: Path
    orphans: tuple[str, ...]


@dataclass
class ForkServer:
    """A process that forks for each command."""

    process: subprocess.Popen[str]
    count: int = field(default=0)

    def warm(self, command: Command, disk: Disk) -> None:
        """Runs a command in the server itself, so that its forks compile and import nothing."""
        (code,), _ = self._ask([self._request(command, disk, disk.path("no-plan"), "warm")], True)
        assert code == 0, f"{command.arguments} does not run"

    def run(
        self, disk: Disk, commands: Sequence[Command], plans: Sequence[Plan] = (Plan(),)
    ) -> list[Ended]:
        """Runs commands at the same time, each under a plan of its own."""
        requests = []
        for command, plan in zip(commands, plans, strict=True):
            self.count += 1
            name = f"command-{self.count}"
            plan.write(disk.path(f"{name}.plan"), disk.folder)
            requests.append(self._request(command, disk, disk.path(f"{name}.plan"), name))
        codes, orphans = self._ask(requests, False)
        return [
            Ended(
                code,
                Path(request["stdout"]).read_text(),
                Path(request["stderr"]).read_text(),
                Path(request["plan"]),
                orphans,
            )
            for code, request in zip(codes, requests, strict=True)
        ]

    def _request(self, command: Command, disk: Disk, plan: Path, name: str) -> dict[str, Any]:
        return {
            "arguments": command.arguments,
            "context": command.context,
            "url": command.url,
            "folder": str(disk.place),
            "plan": str(plan),
            "victim_offset": VICTIM_OFFSET,
            "stdout": str(disk.path(f"{name}.out")),
            "stderr": str(disk.path(f"{name}.err")),
            "environment": {"BACKTEST_HOME": str(disk.home), "TMPDIR": str(disk.temporary)},
        }

    def _ask(
        self, requests: list[dict[str, Any]], inside: bool
    ) -> tuple[list[int | None], tuple[str, ...]]:
        request = {"commands": requests, "inside": inside, "limit_s": LIMIT_S}
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(request)}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["codes"], tuple(answer["orphans"])


@contextmanager
def fork_server(folder: Path, worker: Sequence[str]) -> Iterator[ForkServer]:
    """A server with the faulty disk preloaded; skips where it cannot be compiled.

    Args:
        folder: For the library and the log.
        worker: What its commands start as training workers.
    """
    library = build_library(folder)
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    with (folder / "fork-server.err").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fork_server", *worker],
            env={**os.environ, **one_thread, "LD_PRELOAD": str(library)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        yield ForkServer(process)
        assert process.stdin
        process.stdin.close()
        process.wait(timeout=60)
