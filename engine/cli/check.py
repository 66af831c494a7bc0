"""`backtest check`: validates a strategy and shows every value of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, OverridesOption, StrategyArgument
from engine.cli.terminal import print_lines, print_notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.json_text import Json

LABEL_WIDTH = 13


def check_command(
    strategy: StrategyArgument, set_: OverridesOption = None, debug: DebugOption = False
) -> None:
    """Validate a strategy and show all its values.

    Reports all mistakes of the file at once, and shows defaults for values that the file leaves
    out.

    Reads no data.
    """
    with handle_errors(debug=debug):
        from engine.config import parse_overrides
        from engine.core.open_kinds import list_kind_faults
        from engine.strategy import load_strategy

        loaded = load_strategy(Path(strategy), parse_overrides(set_ or ()), print_notice)
        for fault in list_kind_faults():
            print_notice(str(fault))
        tree = loaded.model_dump(mode="json")
        print_lines(
            [
                f"{strategy} is a valid strategy",
                *(
                    f"  {'' if number else key:<{LABEL_WIDTH}}{line}"
                    for key, value in tree.items()
                    for number, line in enumerate(_format_value_lines(value))
                ),
            ]
        )


def _format_value_lines(value: Json) -> Iterator[str]:
    """A value in words; one line per element of a list."""
    if isinstance(value, list):
        for entry in value:
            yield from _format_value_lines(entry)
    elif isinstance(value, dict):
        parts = [str(value["kind"])] if "kind" in value else []
        parts += [f"{key} {_format_value(item)}" for key, item in value.items() if key != "kind"]
        yield ", ".join(parts)
    else:
        yield _format_value(value)


def _format_value(value: Json) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return f"({', '.join(f'{key} {_format_value(item)}' for key, item in value.items())})"
    return json.dumps(value) if isinstance(value, bool | list) else str(value)
