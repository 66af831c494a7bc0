"""`backtest init`: writes a strategy template with the meaning of every line as a comment."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption
from engine.cli.terminal import print_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.config import ReferenceEntry

DEFAULT_DATASET = "us-indices"
"""Ships with the engine, so that the strategy runs without a network."""

CHOOSE_FOLDER = "run the command in another folder"
STRATEGY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
NETWORK_SOURCES = {"yahoo", "ccxt"}


def init_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the strategy and its file.")
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="Kind of model, such as lstm; `backtest explain model` lists them.",
            autocompletion=completion.complete_models,
        ),
    ] = "ridge",
    data: Annotated[
        str,
        typer.Option(
            metavar="NAME|PATH",
            help="Dataset: a name from `backtest data list`, or a manifest.",
            autocompletion=completion.complete_datasets,
        ),
    ] = DEFAULT_DATASET,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    debug: DebugOption = False,
) -> None:
    """Write a strategy to start from.

    The file goes to strategies/ if that folder exists, otherwise to the working directory. Every
    line has its meaning as a comment; keys that are left out have their defaults.
    """
    with handle_errors(debug=debug):
        from engine.config import dump_commented_yaml, list_entries
        from engine.core.storage import translate_disk_faults, write_file
        from engine.strategy import Strategy

        stem = _validate_name(name)
        file = _choose_path(stem, force=force)
        entries = list_entries(Strategy)
        tree = _strategy_template(stem, _require_known_model(model, entries), data, entries)
        text = _header_comment(file) + dump_commented_yaml(tree, entries)
        with translate_disk_faults("the strategy cannot be written", file, CHOOSE_FOLDER):
            write_file(file, text)
        print_lines([f"{file}: {model} on {data}", f"Next: backtest run {file}"])


def _validate_name(name: str) -> str:
    from engine.core.errors import UsageError

    stem = name.removesuffix(".yaml").removesuffix(".yml")
    if not STRATEGY_NAME.fullmatch(stem):
        raise UsageError(
            "this is not a valid name for a strategy",
            expected="at most 80 letters, digits, `_`, `-` and `.`, a letter or digit first",
            found=name,
            fix="backtest init my-strategy; its file goes to strategies/ or to this folder",
        )
    return stem


def _choose_path(stem: str, *, force: bool) -> Path:
    from engine.core.errors import UsageError

    folder = Path("strategies")
    file = (folder if folder.is_dir() else Path()) / f"{stem}.yaml"
    if file.exists() and not force:
        raise UsageError(
            "the file exists already",
            expected="a name without a file",
            found=str(file),
            fix="choose another name, or replace it with --force",
        )
    return file


def _require_known_model(kind: str, entries: Sequence[ReferenceEntry]) -> str:
    from engine.config import did_you_mean, find_entry
    from engine.core.errors import UsageError

    kinds = find_entry(entries, "model").kinds
    if kind not in kinds:
        raise UsageError(
            "there is no such kind of model",
            expected=", ".join(kinds),
            found=kind,
            fix=did_you_mean(kind, kinds) or "backtest explain model",
        )
    return kind


def _header_comment(file: Path) -> str:
    """Comment with the schema for editors, and with commands that explain more."""
    from engine.config import find_schema_file

    schema = find_schema_file()
    neighbour = file.parent / "schema.json"
    line = ""
    if neighbour.is_file():
        line = "# yaml-language-server: $schema=schema.json\n"
    elif schema is not None:
        is_local = Path.cwd() in schema.resolve().parents
        path = os.path.relpath(schema.resolve(), file.parent.resolve()) if is_local else schema
        line = f"# yaml-language-server: $schema={path}\n"
    return (
        f"{line}# A strategy to start from. `backtest explain KEY` explains a key, such as\n"
        f"# `backtest explain signal`; `backtest check {file}` shows all defaults.\n\n"
    )


def _strategy_template(
    name: str, kind: str, data: str, entries: Sequence[ReferenceEntry]
) -> dict[str, Any]:
    model = _model_section(kind, entries)
    network, joint = _is_network(model), _is_joint(kind)
    return {
        "name": name,
        "description": f"Long while {kind} forecasts more than 5 bps.",
        "data": _data_section(data) | ({"targets": "all"} if joint else {}),
        **({"inputs": "target"} if joint else {}),
        "features": [
            {"kind": "log_return"},
            {"kind": "rsi", "window": 14},
            {"kind": "macd", "fast": 12, "slow": 26, "signal": 9},
            {"kind": "volatility", "window": 20},
        ],
        "scaling": {"kind": "standard"},
        "target": {"horizon": 1},
        "windows": {"kind": "rolling", "train": "3y", "validation": "6mo", "test": "6mo"},
        "model": model,
        **({"scope": "joint"} if joint else {}),
        **({"training": _training_section()} if network else {}),
        "seeds": 2 if network else 1,
        "seed": 1970,
        "signal": {"kind": "threshold", "enter_bps": 5, "exit_bps": 0, "side": "long_only"},
        "sizing": {"kind": "fixed", "weight": 1},
        "costs": {
            "kind": "fixed",
            "fee_bps": 10,
            "slippage_bps": 5,
            "borrow_bps_per_year": 0,
        },
        "execution": {"delay": 1, "price": "open"},
        "benchmarks": [
            {"kind": "buy_and_hold"},
            {"kind": "ma_crossover", "fast": 20, "slow": 100},
            {"kind": "mean_reversion", "window": 20, "enter_z": 1.5, "exit_z": 0},
            *([{"kind": "ridge"}] if kind != "ridge" else []),
            {"kind": "persistence"},
        ],
    }


def _data_section(name: str) -> dict[str, str]:
    """The dataset, with an offline dataset as fallback if its bars need a network."""
    from engine.data import read_manifest

    manifest = read_manifest(name)
    networked = any(source.kind in NETWORK_SOURCES for source in manifest.dataset.sources)
    return {"dataset": name, **({"offline": DEFAULT_DATASET} if networked else {})}


def _model_section(kind: str, entries: Sequence[ReferenceEntry]) -> dict[str, Any]:
    """The model with every key at its default, but for parts of a kind of their own.

    An ensemble starts with two members.
    """
    from engine.config import child_entries, find_entry, parse_yaml

    defaults = {
        entry.path.rpartition(".")[2]: parse_yaml(entry.default, entry.path).value
        for entry in child_entries(entries, find_entry(entries, f"model.{kind}"))
        if entry.default
    }
    keys = {key: value for key, value in defaults.items() if not isinstance(value, dict)}
    members = {"members": [{"kind": "ridge"}, {"kind": "gradient_boosting"}]}
    return {"kind": kind, **(members if kind == "ensemble" else {}), **keys}


def _is_network(model: dict[str, Any]) -> bool:
    from engine.strategy import Strategy

    minimal = {
        "name": "any",
        "data": {"dataset": DEFAULT_DATASET, "targets": "all"},
        "model": model,
        **({"inputs": "target", "scope": "joint"} if _is_joint(model["kind"]) else {}),
    }
    return Strategy.model_validate(minimal).model.stochastic


def _is_joint(kind: str) -> bool:
    """Whether a model forecasts all target symbols together."""
    from engine.models.networks.asset_network import AssetNetwork

    kinds = (each.model_fields["kind"].default for each in AssetNetwork.__subclasses__())
    return kind in kinds


def _training_section() -> dict[str, Any]:
    return {
        "epochs": 20,
        "batch_size": 64,
        "loss": {"kind": "mse"},
        "optimizer": {"kind": "adam", "learning_rate": 0.001},
        "early_stopping": {"patience": 10, "min_delta": 0},
    }
