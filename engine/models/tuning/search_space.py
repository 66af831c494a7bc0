"""Parameters applied to a model and its training, and validation of a search space."""

from __future__ import annotations

import json
from functools import cache
from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, ValidationError, create_model
from pydantic_core import InitErrorDetails, PydanticCustomError

from engine.core.errors import Mistake, StrategyError
from engine.core.types import Spec
from engine.models.forecaster import MODEL_KINDS, Model
from engine.models.training.config import TrainingSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from engine.core.json_text import Json
    from engine.models.forecaster import Forecaster
    from engine.models.tuning.config import DimensionSpec, TuningSpec, ValueLocation

MAX_CORNERS = 512
"""Largest number of combinations to validate; of more, one parameter varies at a time."""

MAX_CONFLICTS = 3
"""Largest number of conflicting combinations that are reported."""


PRESET_MESSAGE = (
    "no preset, which does not override values that are set: tune the keys that it sets"
)
WARM_START_MESSAGE = (
    "no warm start with `tune`: the previous window may have chosen a network of another shape"
)


class TrialConfig(Spec):
    """The configuration that a trial fits.

    Attributes:
        model: The forecaster.
        training: Settings for the training of networks.
    """

    model_config = ConfigDict(defer_build=True)

    model: Model
    training: TrainingSpec


def apply_params(
    model: Forecaster, training: TrainingSpec, params: Mapping[str, Any]
) -> TrialConfig:
    """The model and its training with some parameters changed.

    Args:
        model: The strategy's.
        training: The strategy's.
        params: Dotted path, such as `model.units` -> value, as in `--set`.

    Raises:
        StrategyError: A path does not exist, or a value is invalid there.
    """
    # Applied and validated like overrides of the strategy file, so that the same values are
    # allowed. Imported here because worker processes need no YAML library otherwise.
    from engine.config.overrides import apply_overrides
    from engine.config.validation_errors import to_mistakes
    from engine.config.yaml_tree import YamlTree

    config = _trial_config(type(model))
    tree = YamlTree({"model": model.model_dump(mode="json")})
    tree.value["training"] = training.model_dump(mode="json")
    apply_overrides(tree, params)
    if not tree.mistakes:
        try:
            return config.model_validate_json(json.dumps(tree.value), strict=True)
        except ValidationError as error:
            tree.mistakes.extend(to_mistakes(error, config, tree))
    raise StrategyError("a configuration", tuple(tree.mistakes))


@cache
def _trial_config(model: type[Forecaster]) -> type[TrialConfig]:
    """What a trial fits; of a class that no file can name, with that class for its model."""
    named = (*MODEL_KINDS.built_in, *(kind.part for kind in MODEL_KINDS.installed.usable.values()))
    if model in named:
        return TrialConfig
    return create_model("TrialConfig", __base__=TrialConfig, model=(model, ...))


def grid_corners(
    space: Mapping[str, DimensionSpec],
) -> Iterator[dict[str, tuple[ValueLocation, Any]]]:
    """Combinations of representative values: path -> location in its dimension, and the value.

    All combinations where they are at most `MAX_CORNERS`; else the values of each parameter in
    turn, with the other parameters at their first value.
    """
    samples = {path: list(space[path].representative_values().items()) for path in sorted(space)}
    if prod(map(len, samples.values())) <= MAX_CORNERS:
        for combination in product(*samples.values()):
            yield dict(zip(samples, combination, strict=True))
        return
    first = {path: choices[0] for path, choices in samples.items()}
    yield first
    for path, choices in samples.items():
        for chosen in islice(choices, 1, None):
            yield first | {path: chosen}


def find_space_errors(
    model: Forecaster,
    training: TrainingSpec,
    tune: TuningSpec,
    check: Callable[[TrialConfig], object],
) -> list[InitErrorDetails]:
    """Every mistake in a search space, located in the strategy, as pydantic errors.

    Args:
        model: The strategy's.
        training: The strategy's.
        tune: The tuning settings, with the space.
        check: Raises a pydantic error where a configuration conflicts with the rest of the
            strategy.
    """
    if training.warm_start is not None:
        return [
            _make_error_details(
                ("training", "warm_start"), WARM_START_MESSAGE, training.warm_start
            )
        ]
    mistakes: dict[tuple[str, ValueLocation], tuple[Mistake, Any]] = {
        (path, location): (Mistake(path, None, PRESET_MESSAGE, ""), value)
        for path, dimension in tune.space.items()
        for location, value in dimension.representative_values().items()
        if path.endswith(".preset")
    }
    conflicts: dict[str, tuple[Mistake, Any]] = {}
    for corner in grid_corners(tune.space):
        # A value with a known mistake would hide the mistakes of the others.
        left = {path: at for path, at in corner.items() if (path, at[0]) not in mistakes}
        values = {path: value for path, (_, value) in left.items()}
        for mistake in _find_config_errors(model, training, values, check):
            paths = [path for path in left if _is_at_or_inside(mistake, path)]
            for path in paths:
                location, value = left[path]
                mistakes.setdefault((path, location), (mistake, value))
            if not paths and len(left) == len(corner):
                conflicts.setdefault(mistake.expected, (mistake, values))
        if len(conflicts) == MAX_CONFLICTS:
            break
    return [
        *_group_space_errors(tune, mistakes),
        *(_make_conflict_error(*conflict) for conflict in conflicts.values()),
    ]


def _find_config_errors(
    model: Forecaster,
    training: TrainingSpec,
    params: Mapping[str, Any],
    check: Callable[[TrialConfig], object],
) -> Sequence[Mistake]:
    try:
        config = apply_params(model, training, params)
        if config.training.warm_start is not None:
            return (
                Mistake(
                    "training.warm_start", None, WARM_START_MESSAGE, config.training.warm_start
                ),
            )
        check(config)
    except StrategyError as error:
        return error.mistakes
    except ValidationError as error:
        return [_to_mistake(details) for details in error.errors(include_url=False)]
    return ()


def _to_mistake(details: ErrorDetails) -> Mistake:
    path = ".".join(map(str, details["loc"]))
    return Mistake(path, None, str(details.get("ctx", {}).get("error", details["msg"])), "")


def _is_at_or_inside(mistake: Mistake, path: str) -> bool:
    """Whether a mistake is at a path, inside it, or at one of its parents."""
    is_parent = path.startswith(f"{mistake.path}.") and mistake.path not in {"model", "training"}
    return is_parent or f"{mistake.path}.".startswith(f"{path}.")


def _group_space_errors(
    tune: TuningSpec, mistakes: Mapping[tuple[str, ValueLocation], tuple[Mistake, Any]]
) -> Iterator[InitErrorDetails]:
    """One error for a parameter with the same mistake at every value, else one per value."""
    for path, dimension in tune.space.items():
        mine = {location: at for (of, location), at in mistakes.items() if of == path}
        if (
            len(mine) == len(dimension.representative_values())
            and len({m.expected for m, _ in mine.values()}) == 1
        ):
            mistake, value = next(iter(mine.values()))
            yield _make_value_error((path,), mistake, value)
            continue
        for location, (mistake, value) in mine.items():
            inner = () if location[0] == "step" else (dimension.kind, *location)
            yield _make_value_error((path, *inner), mistake, value)


def _make_value_error(loc: ValueLocation, mistake: Mistake, value: Json) -> InitErrorDetails:
    # Of a hint, what a key may be called helps here too; a value of a space has no default.
    named = mistake.hint if mistake.hint.startswith("did you mean") else ""
    message = f"at {mistake.path} {mistake.expected}" + (f"; {named}" if named else "")
    return _make_error_details(("tune", "space", *loc), message, value)


def _make_conflict_error(mistake: Mistake, values: Mapping[str, Any]) -> InitErrorDetails:
    message = f"values that are valid together: {mistake.expected}"
    return _make_error_details(
        ("tune", "space"), message, ", ".join(f"{p} {v}" for p, v in values.items())
    )


def _make_error_details(loc: ValueLocation, message: str, value: Json) -> InitErrorDetails:
    kind = PydanticCustomError("value_error", "{error}", {"error": message})
    return InitErrorDetails(type=kind, loc=loc, input=value)
