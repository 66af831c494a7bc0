"""`backtest paper`: accounts that trade on paper, bar by bar, as the bars come."""

from __future__ import annotations

import typer

from engine.cli.paper_replay import paper_replay_command
from engine.cli.paper_resend import paper_resend_command
from engine.cli.paper_run import paper_run_command
from engine.cli.paper_start import (
    paper_resume_command,
    paper_start_command,
    paper_stop_command,
)
from engine.cli.paper_status import paper_history_command, paper_status_command

paper_app = typer.Typer(
    help="Paper accounts: start, run, look at, stop. Nothing is sent to a market.",
    no_args_is_help=True,
)
paper_app.command("start")(paper_start_command)
paper_app.command("status")(paper_status_command)
paper_app.command("run")(paper_run_command)
paper_app.command("history")(paper_history_command)
paper_app.command("stop")(paper_stop_command)
paper_app.command("resume")(paper_resume_command)
paper_app.command("resend")(paper_resend_command)
paper_app.command("replay")(paper_replay_command)
