"""Converts pydantic's validation errors to readable mistakes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.config.json_schema import JsonSchema, SchemaNavigator, join_words, json_schema_of
from engine.config.suggestions import closest_match, did_you_mean
from engine.config.yaml_tree import TreePath, YamlTree, dotted_path
from engine.core.errors import Mistake
from engine.core.numbers import suggest_number

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

HIDDEN_VALUE = "text that is not shown, because it may hold a secret"

_NUMBER_ERRORS = {"int_type", "float_type"}
_KEY_ERRORS = {"missing", "extra_forbidden", "union_tag_invalid", "union_tag_not_found"}
_MAX_SHOWN_CHARS = 60
_MAX_SHOWN_CHOICES = 3


def to_mistakes(
    error: ValidationError, model: type[BaseModel], tree: YamlTree
) -> tuple[Mistake, ...]:
    """One mistake per path: a union that fails in each of its members is reported once.

    Of a mapping whose keys are wrong, the keys are reported, and not that it is no number.
    """
    navigator = SchemaNavigator(json_schema_of(model))
    mistakes: dict[TreePath, Mistake] = {}
    reported = {mistake.path for mistake in tree.mistakes}  # by the YAML parser
    for details in _root_errors(error):
        path, schema = navigator.locate(details["loc"])
        path, expected, hint = _explain(details, path, schema, navigator)
        if dotted_path(path) not in reported:
            if _is_hidden(schema) and details["type"] not in _KEY_ERRORS:
                found, hint = HIDDEN_VALUE, ""
            else:
                found = _describe_found(details, path, tree)
                if details["type"] == "string_type":
                    found, hint = _explain_unquoted(details["input"], found, path, tree)
            mistakes.setdefault(
                path, Mistake(dotted_path(path), tree.line_of(path), expected, found, hint)
            )
    outer = {path[:length] for path in mistakes for length in range(len(path))}
    return tuple(mistake for path, mistake in mistakes.items() if path not in outer)


def _is_hidden(schema: JsonSchema) -> bool:
    """Whether the value may be a secret, written where the name of one belongs (`writeOnly`)."""
    return any(member.get("writeOnly") for member in (schema, *schema.get("anyOf", ())))


def find_rewritten_text(model: type[BaseModel], tree: YamlTree) -> list[Mistake]:
    """Texts of a valid file that YAML has read as another number: `007` in `where: {Name: 007}`.

    A key that takes text may take a whole number for it, but not one that is written otherwise.
    """
    numbers = {
        path: text for path, text in tree.plain_text.items() if not tree.is_overridden(path)
    }
    rewritten = {
        path: value
        for path, text in numbers.items()
        if type(value := _value_at(tree.value, path)) is int and str(value) != text
    }
    if not rewritten:
        return []
    navigator = SchemaNavigator(json_schema_of(model))
    return [
        Mistake(
            dotted_path(path),
            tree.line_of(path),
            "text",
            *_explain_unquoted(value, _format_value(value), path, tree),
        )
        for path, value in rewritten.items()
        if navigator.expects_text(path, tree.value)
    ]


def _value_at(tree: object, path: TreePath) -> object:
    value: Any = tree
    for part in path:
        value = value[part]
    return value


def _root_errors(error: ValidationError) -> list[ErrorDetails]:
    """The errors without lists that are too short only because their entries are invalid."""
    errors = error.errors(include_url=False)
    return [
        details
        for details in errors
        if details["type"] != "too_short"
        or not any(_is_inside(other["loc"], details["loc"]) for other in errors)
    ]


def _is_inside(loc: TreePath, outer: TreePath) -> bool:
    return len(loc) > len(outer) and loc[: len(outer)] == outer


def _explain(
    details: ErrorDetails, path: TreePath, schema: JsonSchema, navigator: SchemaNavigator
) -> tuple[TreePath, str, str]:
    """Path, expected value, and hint of an error."""
    match details["type"]:
        case "missing":
            words = navigator.describe(schema)
            return (
                path,
                f"the key `{path[-1]}`" + (f": {words}" if words else ""),
                _show_choices(path, schema, navigator),
            )
        case "extra_forbidden":
            _, parent = navigator.locate(details["loc"][:-1])
            keys = list(navigator.mapping_member(parent).get("properties", ()))
            return path, f"one of the keys {join_words(keys)}", did_you_mean(str(path[-1]), keys)
        case "union_tag_invalid" | "union_tag_not_found" | "unusable_kind":
            return (*path, "kind"), *_explain_kind(details, navigator.choices(schema))
        case "value_error":
            return path, str(details["ctx"]["error"]).removeprefix("expected "), ""
    return (
        path,
        navigator.describe(schema) or details["msg"],
        _suggest_value(details, schema, navigator)
        or _show_choices(path, schema, navigator)
        or _show_default(schema),
    )


def _explain_kind(details: ErrorDetails, kinds: list[str]) -> tuple[str, str]:
    """What was expected of a `kind`, and a hint."""
    context = details.get("ctx", {})
    match details["type"]:
        case "union_tag_invalid":
            return join_words(kinds), did_you_mean(context["tag"], kinds)
        case "union_tag_not_found":
            return f"the key `kind`: {join_words(kinds)}", ""
    return context["expected"], f"{context['where']}; {context['fix']}"


def _suggest_value(details: ErrorDetails, schema: JsonSchema, navigator: SchemaNavigator) -> str:
    if details["type"] in _NUMBER_ERRORS and isinstance(details["input"], str):
        number = suggest_number(details["input"])
        return (
            f"write it in the digits 0 to 9 only, and without quotes: {number}" if number else ""
        )
    match = closest_match(str(details["input"]), navigator.choices(schema))
    if not match:
        return ""
    suggestion = f"{{kind: {match}}}" if "discriminator" in schema else match
    return f"did you mean `{suggestion}`?"


def _show_choices(path: TreePath, schema: JsonSchema, navigator: SchemaNavigator) -> str:
    """The key with each of its few values, as it is written; empty for any other key."""
    values = [] if {"discriminator", "anyOf"} & schema.keys() else navigator.choices(schema)
    if not path or isinstance(path[-1], int) or not 0 < len(values) <= _MAX_SHOWN_CHOICES:
        return ""
    return f"write {join_words([f'`{path[-1]}: {value}`' for value in values])}"


def _show_default(schema: JsonSchema) -> str:
    default = schema.get("default")
    return (
        f"leave it out for the default, {default:g}"
        if isinstance(default, int | float) and not isinstance(default, bool)
        else ""
    )


def _describe_found(details: ErrorDetails, path: TreePath, tree: YamlTree) -> str:
    match details["type"]:
        case "missing" | "union_tag_not_found":
            found = "nothing"
        case "extra_forbidden":
            found = f"`{path[-1]}`"
        case "union_tag_invalid":
            found = f"`{details['ctx']['tag']}`"
        case "unusable_kind":
            found = f"{details['ctx']['problem']}: {details['ctx']['found']}"
        case _:
            found = _format_value(details["input"])
    return f"{found} (--set or --grid)" if tree.is_overridden(path) else found


def _explain_unquoted(
    value: object, found: str, path: TreePath, tree: YamlTree
) -> tuple[str, str]:
    """Found value and hint where text was expected, and YAML read something else."""
    if isinstance(value, dict | list):
        return found, ""
    if tree.is_overridden(path):
        return (
            found,
            f"put text in quotes, and the whole for the shell: '{dotted_path(path)}=\"…\"'",
        )
    text = tree.plain_text.get(path, "")
    if not text:
        return found, "put text that begins with & or # in quotes"
    meaning = (
        "nothing"
        if value is None
        else f"{'the truth value' if isinstance(value, bool) else 'the number'} {found}"
    )
    shown = found if text == found else f"{text}, which YAML reads as {meaning}"
    return shown, f'put it in quotes: "{text}"'


def _format_value(value: object) -> str:
    """A value as in the file, shortened; of a mapping, its keys."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"a mapping with the keys {join_words([str(key) for key in value], 'and')}"
    text = f'"{value}"' if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}..."
