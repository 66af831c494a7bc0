"""Tries that the trial ledger cannot know, given as an argument or an option."""

from __future__ import annotations

from numbers import Integral

from pydantic import ValidationError

from engine.core.errors import UsageError
from engine.trials.config import TrialsSpec


def declare_tries(tries: object, where: str, example: str) -> TrialsSpec:
    """The section `trials` that declares a number of tries from outside of the strategy file.

    Args:
        tries: The number, an integer; neither a truth value nor a text is one.
        where: The argument or option that it was given by, for messages.
        example: How it is written, for messages: `--tries-elsewhere 40`.

    Raises:
        UsageError: It is no whole number, or not within the bounds of `TrialsSpec.elsewhere`.
    """
    if isinstance(tries, Integral) and not isinstance(tries, bool):
        tries = int(tries)  # NumPy's integers are none in strict mode
    try:
        return TrialsSpec.model_validate({"elsewhere": tries}, strict=True)
    except ValidationError as error:
        raise UsageError(
            f"{where} is not a number of tries",
            expected="a whole number from 0 to a million",
            found=tries if isinstance(tries, str) else repr(tries),
            where=where,
            fix=f"count the tries that are not in this trial ledger: {example}",
        ) from error
