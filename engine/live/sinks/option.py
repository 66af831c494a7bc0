"""The option `--sink` of the commands of a paper account."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.config import HIDDEN_VALUE, parse_yaml, to_mistakes
from engine.core.errors import StrategyError, UsageError
from engine.core.types import Spec
from engine.live.sinks.config import SinkSpec, SinkSpecs

if TYPE_CHECKING:
    from collections.abc import Sequence


_KIND = re.compile(r"[a-z]+")


class _GivenSinks(Spec):
    """The sinks of a command line.

    Attributes:
        sinks: One an option.
    """

    sinks: SinkSpecs = ()


def parse_sinks(options: Sequence[str]) -> tuple[SinkSpec, ...]:
    """The sinks of a command line.

    Args:
        options: Each the kind of a sink (`stdout`), or a YAML mapping in braces, such as
            `{kind: file, path: signals.jsonl}`.

    Raises:
        UsageError: One is no YAML; it is not quoted, since it may hold a secret.
        StrategyError: One is no sink; has all mistakes.
    """
    listed = ", ".join(map(_to_mapping, options))
    try:
        tree = parse_yaml(f"sinks: [{listed}]", "--sink")
    except StrategyError:
        raise _unreadable_error() from None
    if len(tree.value["sinks"]) != len(options):
        raise _unreadable_error()
    mistakes = tuple(tree.mistakes)
    if not mistakes:
        try:
            return _GivenSinks.model_validate_json(json.dumps(tree.value), strict=True).sinks
        except ValidationError as error:
            mistakes = to_mistakes(error, _GivenSinks, tree)
    raise StrategyError("--sink", mistakes)


def _to_mapping(option: str) -> str:
    if _KIND.fullmatch(option):
        return f"{{kind: {option}}}"
    if not option.strip().startswith("{"):
        raise _unreadable_error()
    return option


def _unreadable_error() -> UsageError:
    return UsageError(
        "a sink of the command line cannot be read",
        expected="its kind, or a YAML mapping: --sink '{kind: file, path: signals.jsonl}'",
        found=HIDDEN_VALUE,
        where="--sink",
    )
