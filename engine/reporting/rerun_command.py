"""How to make a run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_STRATEGY_FILE = "strategy.yaml"
"""Where the resolved strategy is to be saved where there was no file of it."""


def make_rerun_command(manifest: Mapping[str, Any]) -> str:
    """The command that makes the run again, whatever has been pulled since.

    The one that was given, with the vintage of the bars where the cache keeps one, and with
    `--offline` where the offline dataset stood in unasked.

    Args:
        manifest: Of the run.
    """
    dataset, given = manifest["dataset"], manifest.get("command") or ""
    command = given or f"backtest run {manifest.get('strategy_file') or DEFAULT_STRATEGY_FILE}"
    if dataset.get("offline") and "--offline" not in command:
        command += " --offline"
    if dataset.get("vintage") and "--vintage" not in command:
        command += f" --vintage {dataset['vintage']}"
    return command


def split_engine_version(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Version of the engine and digest of its source; empty where the manifest lacks them."""
    version, _, source = manifest.get("versions", {}).get("backtest-engine", "").partition("+")
    return version, source
