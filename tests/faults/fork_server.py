"""Commands in forks of one process that has imported everything: a command costs its work alone.

Run as `python -m tests.faults.fork_server WORKER...`, with `faulty_disk.c` preloaded; arguments
are the command line of a training worker. A line of JSON on stdin is one request, see
`tests.faults.commands`; a line on stdout is its answer.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import typer.main

from engine.cli.main import app
from engine.core import programs
from engine.core.lazy_imports import relax_gc
from engine.training.executors.local import WORKER_MODULE
from tests.faults.faulty_disk import PLAN_VARIABLE

PR_SET_CHILD_SUBREAPER = 36
ORPHANS_MAY_TAKE_S = 20.0

COMMAND = typer.main.get_command(app)
PRELOADED = ctypes.CDLL(None)


def context_object(kind: str, url: str) -> object:
    """What replaces the network, or the paper, of a command."""
    if kind == "yahoo":
        from engine.data.sources.client_settings import ClientSettings

        return ClientSettings(yahoo_url=url, retry_pauses_s=(), batch_pause_s=0.0)
    if kind == "binance":
        from engine.data.sources.client_settings import ClientSettings

        api = {"public": f"{url}/api/v3", "fapiPublic": f"{url}/fapi/v1"}
        api["dapiPublic"] = f"{url}/dapi/v1"
        options = {"urls": {"api": api}, "rateLimit": 1}
        return ClientSettings(exchange_options=options, retry_pauses_s=())
    if kind == "paper":
        from engine.replication.livieris2021 import replicate
        from tests.replication.papers import small_protocol

        return partial(replicate, protocol=small_protocol())
    return None


def run_command(request: dict[str, Any]) -> int:
    """Runs a command in this process; returns its exit code."""
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["backtest", *request["arguments"]]
    try:
        COMMAND.main(
            request["arguments"],
            prog_name="backtest",
            obj=context_object(request["context"], request["url"]),
        )
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    return 1


def start(request: dict[str, Any]) -> int:
    """Forks a process for a command; returns its id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for name, number in (("stdout", 1), ("stderr", 2)):
            os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ[PLAN_VARIABLE] = request["plan"]
        with Path(request["plan"]).open("r+b") as plan:
            plan.seek(request["victim_offset"])
            plan.write(os.getpid().to_bytes(8, sys.byteorder))
        if PRELOADED.follow_plan(request["plan"].encode()):
            raise OSError("the plan cannot be mapped")
        code = run_command(request)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def end_of(children: list[int], limit_s: float) -> tuple[dict[int, int], list[str]]:
    """Exit codes of the children, and the processes that outlive them.

    A process whose parent ends becomes a child of this one.
    """
    codes: dict[int, int] = {}
    ends = time.monotonic() + limit_s
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return codes, []
        if child in children:
            codes[child] = os.waitstatus_to_exitcode(status)
            if len(codes) == len(children):
                ends = time.monotonic() + ORPHANS_MAY_TAKE_S
        elif not child:
            if time.monotonic() > ends:
                return codes, [kill(int(orphan)) for orphan in _own_children()]
            time.sleep(0.002)


def kill(process: int) -> str:
    """Ends a child of this process; returns its command line."""
    line = Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ").strip()
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return line


def _own_children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["inside"]:
        return {"codes": [run_command(request["commands"][0])], "orphans": []}
    children = [start(command) for command in request["commands"]]
    codes, orphans = end_of(children, request["limit_s"])
    return {"codes": [codes.get(child) for child in children], "orphans": orphans}


def main() -> None:
    PRELOADED.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    relax_gc()
    worker, start_new = sys.argv[1:], programs.command_of
    programs.command_of = lambda module: worker if module == WORKER_MODULE else start_new(module)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a command inside this process prints is no answer
    for line in sys.stdin:
        answers.write(f"{json.dumps(answer(json.loads(line)))}\n")
        answers.flush()


if __name__ == "__main__":
    main()
