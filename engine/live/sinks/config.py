"""Specifications of sinks. They name where a secret is kept, and never hold one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from engine.core.types import Spec
from engine.live.sinks.web_address import check_plain_address

SinkEvent: TypeAlias = Literal["decision", "order", "alert"]
"""What a sink is told of: every decision; only decisions that place orders; alerts."""

MAX_SINKS = 20
"""Sinks of an account: each has a thread of its own."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")


def _check_variable(name: str) -> str:
    # The value is not quoted: a secret may have been written in its place.
    if not _VARIABLE.fullmatch(name):
        raise ValueError(
            "expected the name of an environment variable in capitals, such as HOOK_SECRET, "
            "and not the secret itself"
        )
    return name


def _to_absolute(path: str) -> str:
    if not path or "\0" in path:
        raise ValueError("expected the path of a file")
    return str(Path(path).expanduser().absolute())


_HIDDEN = {"writeOnly": True}  # messages about mistakes do not show such a value

Variable: TypeAlias = Annotated[
    str, AfterValidator(_check_variable), Field(json_schema_extra=_HIDDEN)
]
FilePath: TypeAlias = Annotated[str, AfterValidator(_to_absolute)]
Address: TypeAlias = Annotated[
    str, AfterValidator(check_plain_address), Field(json_schema_extra=_HIDDEN)
]


class SinkBase(Spec):
    """What the specifications of all sinks have in common.

    Attributes:
        name: Name of the sink, in messages and for `backtest paper resend --sink`.
        events: What it is told of: `decision` (every decision), `order` (decisions that place an
            order), `alert` (missed or revised bars, differences with the backtest, failures).
        attempts: Attempts to deliver a message, after which it is kept as a dead letter.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    events: Annotated[tuple[SinkEvent, ...], Field(min_length=1)] = ("decision", "alert")
    attempts: Annotated[int, Field(ge=1, le=50)] = 10


class StdoutSinkSpec(SinkBase):
    """JSON lines on standard output."""

    kind: Literal["stdout"] = "stdout"
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "stdout"


class FileSinkSpec(SinkBase):
    """JSON lines, appended to a file.

    Attributes:
        path: The file; a relative path is one of the folder that the command is called in.
    """

    kind: Literal["file"] = "file"
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "file"
    path: FilePath


class WebhookSinkSpec(SinkBase):
    """A signed POST request to a web server, by HTTPS, or by HTTP to this machine.

    Attributes:
        url: Its address, where that holds no secret: no user, password, query or token.
        url_env: Environment variable with the address.
        url_file: File with the address, readable by its owner alone.
        secret_env: Environment variable with the key of the signature.
        secret_file: File with the key, readable by its owner alone.
        timeout_s: Seconds from the connection to the end of the answer.
    """

    kind: Literal["webhook"] = "webhook"
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "webhook"
    url: Annotated[Address | None, Field(repr=False)] = None
    url_env: Variable | None = None
    url_file: FilePath | None = None
    secret_env: Variable | None = None
    secret_file: FilePath | None = None
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0

    @model_validator(mode="after")
    def _check_sources(self) -> Self:
        _require_one(self, "url", "url_env", "url_file")
        _require_one(self, "secret_env", "secret_file")
        return self


class AppriseSinkSpec(SinkBase):
    """A channel of the package apprise (extra `notify`): Telegram, Slack, e-mail and others.

    Attributes:
        events: As for every sink; without decisions that place no order, unless asked for.
        url_env: Environment variable with the address of the channel, as apprise has it.
        url_file: File with that address, readable by its owner alone.
        timeout_s: Seconds for a message.
    """

    kind: Literal["apprise"] = "apprise"
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "apprise"
    events: Annotated[tuple[SinkEvent, ...], Field(min_length=1)] = ("order", "alert")
    url_env: Variable | None = None
    url_file: FilePath | None = None
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 30.0

    @model_validator(mode="after")
    def _check_sources(self) -> Self:
        _require_one(self, "url_env", "url_file")
        return self


SinkSpec: TypeAlias = Annotated[
    StdoutSinkSpec | FileSinkSpec | WebhookSinkSpec | AppriseSinkSpec,
    Field(discriminator="kind", json_schema_extra=_HIDDEN),
]


def _check_names(sinks: tuple[SinkSpec, ...]) -> tuple[SinkSpec, ...]:
    names = [sink.name for sink in sinks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"expected a `name` of its own for each sink, found {twice} twice")
    return sinks


SinkSpecs: TypeAlias = Annotated[
    tuple[SinkSpec, ...],
    Field(max_length=MAX_SINKS, json_schema_extra=_HIDDEN),
    AfterValidator(_check_names),
]
"""The sinks of an account: `sinks: SinkSpecs = ()`."""


def _require_one(spec: Spec, *keys: str) -> None:
    given = [key for key in keys if getattr(spec, key) is not None]
    if len(given) != 1:
        raise ValueError(
            f"expected one of the keys {', '.join(keys)}, found {' and '.join(given) or 'none'}"
        )
