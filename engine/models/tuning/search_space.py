"""Values laid over a model and its training, and what is wrong with a space of them."""

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

    from engine.models.forecaster import Forecaster
    from engine.models.tuning.config import DimensionSpec, TuningSpec, ValueLocation

MAX_CORNERS = 512
"""Combinations of samples that are looked at; of more, one place after the other."""

MAX_CONFLICTS = 3
"""Combinations told of that do not go together."""


PRESET_MESSAGE = (
    "no preset, which would lay nothing over values that are there: tune the keys it sets"
)
WARM_START_MESSAGE = (
    "nothing beside `tune`: the window before may have chosen a network of another shape"
)


class TrialConfig(Spec):
    """What a trial fits.

    Attributes:
        model: Who forecasts.
        training: How networks are trained.
    """

    model_config = ConfigDict(defer_build=True)

    model: Model
    training: TrainingSpec


def apply_params(
    model: Forecaster, training: TrainingSpec, params: Mapping[str, Any]
) -> TrialConfig:
    """The model and its training with other values at some places.

    Args:
        model: The strategy's.
        training: The strategy's.
        params: Dotted place, `model.units` -> value, as in `--set`.

    Raises:
        StrategyError: A place does not exist, or a value is refused there.
    """
    # Laid over and read back as the strategy file is, so that the same values are allowed. The
    # documents need a YAML library, which the processes that train do without otherwise.
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
    """Combinations of every place's samples: place -> where its dimension says so, and the value.

    All of them where they are not too many; else every place's samples in turn, the other places
    at their first.
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
    """Every mistake in a space, at its place in the strategy, as pydantic tells one.

    Args:
        model: The strategy's.
        training: The strategy's.
        tune: With the space.
        check: Raises pydantic's error where a configuration does not go with the rest of the
            strategy.
    """
    if training.warm_start is not None:
        return [
            _make_error_details(
                ("training", "warm_start"), WARM_START_MESSAGE, training.warm_start
            )
        ]
    found: dict[tuple[str, ValueLocation], tuple[Mistake, Any]] = {
        (path, place): (Mistake(path, None, PRESET_MESSAGE, ""), value)
        for path, dimension in tune.space.items()
        for place, value in dimension.representative_values().items()
        if path.endswith(".preset")
    }
    clashes: dict[str, tuple[Mistake, Any]] = {}
    for corner in grid_corners(tune.space):
        # A value that was told of already would hide what is wrong with the others.
        left = {path: at for path, at in corner.items() if (path, at[0]) not in found}
        values = {path: value for path, (_, value) in left.items()}
        for mistake in _find_config_errors(model, training, values, check):
            paths = [path for path in left if _is_at_or_inside(mistake, path)]
            for path in paths:
                place, value = left[path]
                found.setdefault((path, place), (mistake, value))
            if not paths and len(left) == len(corner):
                clashes.setdefault(mistake.expected, (mistake, values))
        if len(clashes) == MAX_CONFLICTS:
            break
    return [
        *_group_space_errors(tune, found),
        *(_make_conflict_error(*clash) for clash in clashes.values()),
    ]


def _find_config_errors(
    model: Forecaster,
    training: TrainingSpec,
    params: Mapping[str, Any],
    check: Callable[[TrialConfig], object],
) -> Sequence[Mistake]:
    try:
        made = apply_params(model, training, params)
        if made.training.warm_start is not None:
            return (
                Mistake("training.warm_start", None, WARM_START_MESSAGE, made.training.warm_start),
            )
        check(made)
    except StrategyError as error:
        return error.mistakes
    except ValidationError as error:
        return [_to_mistake(details) for details in error.errors(include_url=False)]
    return ()


def _to_mistake(details: ErrorDetails) -> Mistake:
    path = ".".join(map(str, details["loc"]))
    return Mistake(path, None, str(details.get("ctx", {}).get("error", details["msg"])), "")


def _is_at_or_inside(mistake: Mistake, path: str) -> bool:
    """Whether a mistake lies at a place, inside it, or on the way to it."""
    on_the_way = path.startswith(f"{mistake.path}.") and mistake.path not in {"model", "training"}
    return on_the_way or f"{mistake.path}.".startswith(f"{path}.")


def _group_space_errors(
    tune: TuningSpec, mistakes: Mapping[tuple[str, ValueLocation], tuple[Mistake, Any]]
) -> Iterator[InitErrorDetails]:
    """One mistake for a place where every sample is refused alike, else one a sample."""
    for path, dimension in tune.space.items():
        mine = {place: at for (of, place), at in mistakes.items() if of == path}
        if (
            len(mine) == len(dimension.representative_values())
            and len({m.expected for m, _ in mine.values()}) == 1
        ):
            mistake, value = next(iter(mine.values()))
            yield _make_value_error((path,), mistake, value)
            continue
        for place, (mistake, value) in mine.items():
            inner = () if place[0] == "step" else (dimension.kind, *place)
            yield _make_value_error((path, *inner), mistake, value)


def _make_value_error(loc: ValueLocation, mistake: Mistake, value: Any) -> InitErrorDetails:  # noqa: ANN401 - any JSON
    words = f"at {mistake.path} {mistake.expected}" + (f"; {mistake.hint}" if mistake.hint else "")
    return _make_error_details(("tune", "space", *loc), words, value)


def _make_conflict_error(mistake: Mistake, values: Mapping[str, Any]) -> InitErrorDetails:
    words = f"values that go together: {mistake.expected}"
    return _make_error_details(
        ("tune", "space"), words, ", ".join(f"{p} {v}" for p, v in values.items())
    )


def _make_error_details(loc: ValueLocation, words: str, value: Any) -> InitErrorDetails:  # noqa: ANN401 - any JSON
    kind = PydanticCustomError("value_error", "{error}", {"error": words})
    return InitErrorDetails(type=kind, loc=loc, input=value)
