"""Values that a user's program keeps as JSON between two bars."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator

from engine.core.errors import UsageError
from engine.core.types import Spec

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MAX_SHOWN_ERRORS, _MAX_SHOWN_CHARS = 5, 60


class PersistentValue(Spec):
    """A frozen value, made by a user or read from its JSON; a wrong one is a `UsageError`."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain_errors(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            raise _invalid_value_error(cls.__name__, error) from None
        except UsageError as error:  # of a value within this one
            error.where = f"{error.where} of {cls.__name__}"
            raise

    @classmethod
    def of_checked(cls, **values: Any) -> Self:  # noqa: ANN401 - those of the fields
        """The value of fields that are known to be right, in a fraction of the time of a check.

        Args:
            values: By field, of its type; one without a default has to be there.
        """
        required, fields = _fields_of(cls)
        if not required <= values.keys():
            raise TypeError(f"{cls.__name__} needs {', '.join(sorted(required))}")
        return cls._of_fields(fields | values)

    @classmethod
    def _of_fields(cls, fields: dict[str, Any]) -> Self:
        value = object.__new__(cls)
        object.__setattr__(value, "__dict__", fields)
        object.__setattr__(value, "__pydantic_fields_set__", set(fields))
        object.__setattr__(value, "__pydantic_extra__", None)
        object.__setattr__(value, "__pydantic_private__", None)
        return value

    def with_values(self, **values: Any) -> Self:  # noqa: ANN401 - those of the fields
        """The same with other values, which are not checked; `model_copy` in half of the time.

        Args:
            values: By field, of its type.
        """
        return self._of_fields(self.__dict__ | values)

    @classmethod
    def model_validate_json(
        cls,
        json_data: str | bytes | bytearray,
        **options: Any,  # noqa: ANN401 - those of pydantic
    ) -> Self:
        """The value that `model_dump_json` wrote, to the last bit.

        Raises:
            UsageError: The text is not JSON, or not that of such a value.
        """
        try:
            return super().model_validate_json(json_data, **options)
        except ValidationError as error:  # the text is not JSON
            raise _invalid_value_error(cls.__name__, error) from None


@cache
def _fields_of(kind: type[PersistentValue]) -> tuple[frozenset[str], dict[str, Any]]:
    """The fields without a default, and all fields in their order, which is that of the JSON."""
    fields = kind.model_fields.items()
    required = frozenset(name for name, field in fields if field.is_required())
    return required, {name: field.get_default(call_default_factory=True) for name, field in fields}


def _invalid_value_error(name: str, error: ValidationError) -> UsageError:
    errors = error.errors(include_url=False)
    shown = errors[:_MAX_SHOWN_ERRORS]
    more = [f"and {len(errors) - len(shown)} more"] if len(errors) > len(shown) else []
    return UsageError(
        f"these values make no {name}",
        expected="; ".join([*map(_describe_expected, shown), *more]),
        found="; ".join(_shorten(repr(details["input"])) for details in shown),
        where=name,
        fix="give the values that the class documents; a saved one is the text of "
        "`model_dump_json`, unchanged",
    )


def _describe_expected(details: ErrorDetails) -> str:
    path = ".".join(map(str, details["loc"]))
    message = details["msg"][:1].lower() + details["msg"][1:]
    return f"{path}: {message}" if path else message


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}..."
