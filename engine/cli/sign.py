"""`backtest sign`: signs a run folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption
from engine.cli.run_lookup import find_run_folder
from engine.cli.terminal import print_lines


def sign_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run folder, such as reports/<strategy>/<run id>, or the first digits of a "
            "run id.",
            autocompletion=completion.complete_runs,
        ),
    ],
    key: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="An Ed25519 private key of mode 600, such as ~/.ssh/id_ed25519.",
        ),
    ],
    create_key: Annotated[
        bool,
        typer.Option(
            "--create-key", help="Create the key, and its public key in FILE.pub, before."
        ),
    ] = False,
    reports: Annotated[
        Path, typer.Option("--out", "--reports", metavar="DIR", help="Folder of the runs.")
    ] = Path("reports"),
    debug: DebugOption = False,
) -> None:
    """Sign the hashes of a run folder with a key.

    Writes SHA256SUMS.sig, which `backtest verify --signer FILE.pub` checks. A signature says that
    whoever holds the key had exactly these files. It does not say when, that no other run was
    made, or that the figures are right.
    """
    with handle_errors(debug=debug):
        from engine.runs.sums import SIGNATURE_FILE
        from engine.verification.keys import create_private_key, load_private_key
        from engine.verification.signature import SAYS, sign_folder

        folder = find_run_folder(run, reports)
        private = create_private_key(key) if create_key else load_private_key(key, _ask_passphrase)
        signed_by = sign_folder(folder, private)
        print_lines([f"{folder / SIGNATURE_FILE} by {signed_by}", SAYS])


def _ask_passphrase() -> str:
    from getpass import getpass

    from engine.core.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            "the private key has a passphrase, and there is no terminal to ask for it",
            expected="a key without a passphrase, or a terminal",
            found="standard input that is no terminal",
            where="--key",
            fix="sign in a terminal, or with a key of its own for this machine",
        )
    return getpass("passphrase of the key: ")
