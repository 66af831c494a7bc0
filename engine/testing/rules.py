"""The rules that every part keeps, whatever it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.core.errors import ContractError
from engine.core.installed_kinds import find_class_fault

if TYPE_CHECKING:
    from engine.core.types import Spec


def check_part(part: Spec, bases: tuple[type[Spec], ...]) -> None:
    """The class keeps the rules of its base, and an instance survives its JSON.

    Raises:
        ContractError: The first rule that is broken.
    """
    name = type(part).__name__
    fault = find_class_fault(type(part), bases)
    if fault is not None:
        raise ContractError(name, *fault)
    rule = "the JSON of a part gives an equal part"
    try:
        again = type(part).model_validate_json(part.model_dump_json(), strict=True)
    except ValidationError as error:
        raise ContractError(name, rule, str(error.errors(include_url=False)[0]["msg"])) from error
    if again != part:
        raise ContractError(name, rule, f"{again!r} of {part!r}")


def require(name: str, rule: str, *, kept: bool, found: str) -> None:
    """Raises where a rule is not kept.

    Raises:
        ContractError: It is not.
    """
    if not kept:
        raise ContractError(name, rule, found)
