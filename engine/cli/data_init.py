"""`backtest data init`: writes a dataset manifest for files of bars."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption
from engine.cli.terminal import print_json, print_lines, print_notice, print_text
from engine.core.home import backtest_home

if TYPE_CHECKING:
    from engine.data.proposal import DatasetProposal

STDOUT = "-"
CHOOSE_FILE = "name another file with --output"


def data_init_command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Files of bars of one form, or a folder of them."),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Manifest to write; `-` prints it. Default: NAME.yaml in datasets/ or here, "
            "and to a pipe the manifest itself.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the dataset.")] = None,
    calendar: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="24/7, 24/5 or a code such as XNYS. Default: inferred."),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="FORM", help="Known form of the files. Default: recognised."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a dataset manifest for files of bars.

    Reads the files, recognises their form, and infers interval, calendar, time zone and symbols.
    Every inferred value has its reason as a comment, for you to confirm. The manifest is checked
    as `backtest data check` does. docs/data-sources.md lists the known forms.

    Exit codes: 0 the bars are fit for a run, 2 the command line is wrong or the file to write
    exists, 3 a file cannot be read or its bars are not fit; the manifest is written if it can be.
    """
    with handle_errors(debug=debug):
        import pandas as pd

        from engine.core.storage import translate_disk_faults, write_file
        from engine.data.proposal import ProposalOptions, propose_dataset

        to_stdout = output == STDOUT or (output is None and (json or not sys.stdout.isatty()))
        folder = _default_folder() if output is None else Path(output).parent
        known = None if output in (None, STDOUT) else Path(output)
        place = known or (Path() if to_stdout else folder) / "dataset.yaml"
        if known is not None:
            _require_writable(known, force=force)
        options = ProposalOptions(
            manifest=place,
            name=name or (known.stem if known is not None else None),
            calendar=calendar,
            form=_require_known_form(format_),
            now=pd.Timestamp.now("UTC"),
        )
        proposal = propose_dataset(files, options, home=backtest_home())
        path = None
        if not to_stdout:
            path = known or folder / f"{proposal.name}.yaml"
            _require_writable(path, force=force)
            with translate_disk_faults("the manifest cannot be written", path, CHOOSE_FILE):
                write_file(path, proposal.text)
        _report(proposal, path, json=json)
        if not proposal.check.is_usable:
            raise typer.Exit(3)


def _default_folder() -> Path:
    folder = Path("datasets")
    return folder if folder.is_dir() else Path()


def _require_writable(path: Path, *, force: bool) -> None:
    from engine.core.errors import UsageError
    from engine.core.writable import OutputPlace

    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(
            "a manifest is a YAML file",
            expected="a path that ends with .yaml",
            found=str(path),
            fix=f"--output {path.with_suffix('.yaml')}",
        )
    if path.exists() and not force:
        raise UsageError(
            "the file exists already",
            expected="a path without a file",
            found=str(path),
            fix="choose another with --output, or replace it with --force",
        )
    if not path.absolute().parent.is_dir():
        raise UsageError(
            "there is no such folder",
            expected="a folder that exists",
            found=str(path.parent),
            where=f"--output {path}",
            fix=f"create it: mkdir -p {path.parent}",
        )
    OutputPlace("the manifest", CHOOSE_FILE).require_file(path)


def _require_known_form(form: str | None) -> str | None:
    from engine.config import did_you_mean
    from engine.core.errors import UsageError
    from engine.data.sources.files.formats import FILE_FORMATS

    if form is None or form in FILE_FORMATS:
        return form
    raise UsageError(
        "there is no such form of files",
        expected=", ".join(FILE_FORMATS),
        found=form,
        where="--format",
        fix=did_you_mean(form, FILE_FORMATS) or "leave --format out: the form is recognised",
    )


def _report(proposal: DatasetProposal, path: Path | None, *, json: bool) -> None:
    if json:
        document = {
            "path": None if path is None else str(path),
            "manifest": proposal.draft.to_tree(),
            "inferred": proposal.draft.comments,
            "bars": proposal.check.bar_counts,
            "findings": [finding.as_json() for finding in proposal.check.findings],
            "usable": proposal.check.is_usable,
        }
        print_json(document)
        return
    if path is None:
        print_text(proposal.text, nl=False)
        return
    print_lines([f"{path}: {proposal.summary}"])
    state = "" if proposal.check.is_usable else "; the bars are not fit yet"
    print_notice(f"Every comment in it is to be confirmed{state}.")
    print_lines([f"Next: backtest data check {path}"])
