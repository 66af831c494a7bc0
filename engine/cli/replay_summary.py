"""The text of `backtest paper replay`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from engine.cli.terminal import strip_styles
from engine.cli.text_table import ASCII_SIGNS, TextTableColumn, render_table, wrap_text
from engine.core.control_characters import escape_line
from engine.reporting import formatting

if TYPE_CHECKING:
    from engine.live.parity.document import Replay
    from engine.runs.documents.live_path import FirstDifference


def render_replay_text(replay: Replay, width: int | None = None, *, coloured: bool = False) -> str:
    """The bars, the values that were compared by kind, and the first difference.

    Args:
        replay: The replay.
        width: Width of the text; that of the terminal where it is None.
        coloured: Whether to add marks for colours.
    """
    columns = width or shutil.get_terminal_size().columns
    compared, differing = replay.compared.by_kind, replay.differing.by_kind
    table = [
        TextTableColumn(0, "Values", list(compared), align_right=False),
        TextTableColumn(0, "Compared", [f"{count:,}" for count in compared.values()]),
        TextTableColumn(0, "Differing", [f"{differing[kind]:,}" for kind in compared]),
    ]
    parts = [
        wrap_text(_heading(replay), columns),
        "\n".join(render_table(table, columns)),
        wrap_text(_conclusion(replay), columns),
    ]
    text = "\n\n".join(parts).translate(ASCII_SIGNS)
    return text if coloured else strip_styles(text)


def _heading(replay: Replay) -> str:
    offline = " (offline dataset)" if replay.offline else ""
    account = (
        "the account of the run"
        if replay.bars == replay.out_of_sample_bars
        else "an account that begins there"
    )
    return (
        f"{escape_line(f'{replay.strategy} on {replay.dataset}')}{offline}: "
        f"{formatting.count_of(replay.bars, 'bar')} of {replay.out_of_sample_bars:,}, "
        f"{formatting.timestamp(replay.first)} to {formatting.timestamp(replay.last)}, by "
        f"{account}; windows that began: {replay.windows}"
    )


def _conclusion(replay: Replay) -> str:
    difference = replay.first_difference
    if difference is not None:
        return _describe(difference, replay)
    stored = (
        f", and the stored run {replay.run_id}, to the last bit"
        if replay.run_id
        else " to the last bit; no stored run of this strategy on these bars was found"
    )
    return f"The live path equals the backtest{stored}."


def _describe(difference: FirstDifference, replay: Replay) -> str:
    live, backtest = (
        "no value" if value is None else repr(value)
        for value in (difference.live, difference.backtest)
    )
    symbol = f" of {escape_line(difference.symbol)}" if difference.symbol else ""
    return (
        f"The live path DIFFERS in {replay.differing.total:,} values. The first is of the kind "
        f"{difference.kind} at {formatting.timestamp(difference.bar)}: {difference.name}{symbol} "
        f"is {live} on the live path, {backtest} in {difference.compared_with}."
    )
