"""`backtest init`: a strategy to start from, with the meaning of every line beside it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli import completion
from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption  # noqa: TC001 - typer reads it

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.config.reference import ReferenceEntry

DEFAULT_DATASET = "us-indices"
"""Comes with the engine, so that the strategy runs without a network."""

STRATEGY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
NETWORK_SOURCES = {"yahoo", "ccxt"}


def init_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the strategy and of its file.")],
    model: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="Who forecasts, such as lstm; `backtest explain model` lists them.",
            autocompletion=completion.complete_models,
        ),
    ] = "ridge",
    data: Annotated[
        str,
        typer.Option(
            metavar="NAME|PATH",
            help="Which bars: a name as `backtest data list` shows it, or a manifest.",
            autocompletion=completion.complete_datasets,
        ),
    ] = DEFAULT_DATASET,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file if it is there already.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Write a strategy to start from.

    The file goes to strategies/ where that folder is, else to the working directory. Every line
    has its meaning beside it; what is left out has its default.
    """
    with handle_errors(debug=debug):
        from engine.config.reference import list_entries
        from engine.config.yaml_writer import dump_commented_yaml
        from engine.strategy import Strategy

        stem = _validate_name(name)
        file = _choose_path(stem, force=force)
        listed = list_entries(Strategy)
        tree = _strategy_template(stem, _require_known_model(model, listed), data, listed)
        file.write_text(
            _header_comment(file) + dump_commented_yaml(tree, listed), encoding="utf-8"
        )
        typer.echo(f"{file}: {model} on {data}")
        typer.echo(f"Next: backtest run {file}")


def _validate_name(name: str) -> str:
    from engine.core.errors import UsageError

    stem = name.removesuffix(".yaml").removesuffix(".yml")
    if not STRATEGY_NAME.fullmatch(stem):
        raise UsageError(
            "that is no name for a strategy",
            expected="letters, digits, `_`, `-` and `.`, a letter or digit first, at most 80",
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
            "there is a file of that name already",
            expected="a name that is free",
            found=str(file),
            fix="choose another name, or replace it with --force",
        )
    return file


def _require_known_model(kind: str, entries: Sequence[ReferenceEntry]) -> str:
    from engine.config.reference import find_entry
    from engine.config.validation_errors import did_you_mean
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
    """Where editors find the schema, and where a reader finds more."""
    from engine.config.schema_file import find_schema_file

    schema = find_schema_file()
    beside = file.parent / "schema.json"
    line = ""
    if beside.is_file():
        line = "# yaml-language-server: $schema=schema.json\n"
    elif schema is not None:
        near = Path.cwd() in schema.resolve().parents
        path = os.path.relpath(schema.resolve(), file.parent.resolve()) if near else schema
        line = f"# yaml-language-server: $schema={path}\n"
    return (
        f"{line}# A strategy to start from. `backtest explain KEY` tells more of a key, such as\n"
        f"# `backtest explain signal`; `backtest check {file}` shows all defaults.\n\n"
    )


def _strategy_template(
    name: str, kind: str, data: str, entries: Sequence[ReferenceEntry]
) -> dict[str, Any]:
    model = _model_section(kind, entries)
    network = _is_network(model)
    return {
        "name": name,
        "description": f"Long while {kind} promises more than 5 bps.",
        "data": _data_section(data),
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
        **({"training": _training_section()} if network else {}),
        "seeds": 2 if network else 1,
        "seed": 1970,
        "signal": {"kind": "threshold", "enter_bps": 5, "exit_bps": 0, "side": "long_only"},
        "sizing": {"kind": "fixed", "weight": 1},
        "costs": {"fee_bps": 10, "slippage_bps": 5, "borrow_bps_per_year": 0},
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
    """With an offline stand-in where the bars come over a network."""
    from engine.data import read_manifest

    manifest = read_manifest(name)
    networked = any(source.kind in NETWORK_SOURCES for source in manifest.dataset.sources)
    return {"dataset": name, **({"offline": DEFAULT_DATASET} if networked else {})}


def _model_section(kind: str, entries: Sequence[ReferenceEntry]) -> dict[str, Any]:
    """With every key at its default; of an ensemble, two members to begin with."""
    from engine.config.reference import child_entries, find_entry
    from engine.config.yaml_tree import parse_yaml

    keys = {
        entry.path.rpartition(".")[2]: parse_yaml(entry.default, entry.path).value
        for entry in child_entries(entries, find_entry(entries, f"model.{kind}"))
        if entry.default
    }
    members = {"members": [{"kind": "ridge"}, {"kind": "gradient_boosting"}]}
    return {"kind": kind, **(members if kind == "ensemble" else {}), **keys}


def _is_network(model: dict[str, Any]) -> bool:
    from engine.strategy import Strategy

    least = {"name": "any", "data": {"dataset": DEFAULT_DATASET}, "model": model}
    return Strategy.model_validate(least).model.stochastic


def _training_section() -> dict[str, Any]:
    return {
        "epochs": 20,
        "batch_size": 64,
        "loss": {"kind": "mse"},
        "optimizer": {"kind": "adam", "learning_rate": 0.001},
        "early_stopping": {"patience": 10, "min_delta": 0},
    }
