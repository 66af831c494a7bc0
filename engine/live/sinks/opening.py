"""Opens the sinks of an account from their specifications."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.config import HIDDEN_VALUE
from engine.core.errors import UsageError
from engine.live.sinks.apprise_channel import AppriseSink
from engine.live.sinks.config import AppriseSinkSpec, FileSinkSpec, StdoutSinkSpec
from engine.live.sinks.json_lines import FileSink, StdoutSink
from engine.live.sinks.secret import read_secret
from engine.live.sinks.web_address import parse_web_address
from engine.live.sinks.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.live.sinks.config import SinkSpec, WebhookSinkSpec
    from engine.live.sinks.sink import Sink

MIN_KEY_CHARACTERS = 16
"""Of the key of a signature: a shorter one can be guessed from one message."""


def open_sink(spec: SinkSpec, environment: Mapping[str, str]) -> Sink:
    """The sink of a specification; its secrets are read now.

    Args:
        spec: The specification.
        environment: Environment variables.

    Raises:
        UsageError: A secret or a package is missing, or an address is not usable.
        StorageError: A file cannot be written.
    """
    if isinstance(spec, StdoutSinkSpec):
        return StdoutSink()
    if isinstance(spec, FileSinkSpec):
        return FileSink(Path(spec.path))
    if isinstance(spec, AppriseSinkSpec):
        what = f"the sink {spec.name}"
        address = read_secret(f"the address of {what}", spec.url_env, spec.url_file, environment)
        return AppriseSink(address, spec.timeout_s, what)
    return _open_webhook(spec, environment)


def describe_sink(spec: SinkSpec) -> str:
    """A specification in one line, without any part of an address that may be secret."""
    if isinstance(spec, StdoutSinkSpec):
        return "standard output"
    if isinstance(spec, FileSinkSpec):
        return spec.path
    if isinstance(spec, AppriseSinkSpec) or spec.url is None:
        source = spec.url_env or spec.url_file
        return f"{spec.kind}, address in {source}"
    return f"{spec.kind} {parse_web_address(spec.url)}"


def _open_webhook(spec: WebhookSinkSpec, environment: Mapping[str, str]) -> WebhookSink:
    what = f"the address of the sink {spec.name}"
    if spec.url is None:
        text = read_secret(what, spec.url_env, spec.url_file, environment).get_secret_value()
    else:
        text = spec.url
    try:
        address = parse_web_address(text)
    except ValueError as error:
        raise UsageError(
            f"{what} is not usable",
            expected=str(error).removeprefix("expected "),
            found=HIDDEN_VALUE,
            where=f"environment variable {spec.url_env}" if spec.url_env else f"{spec.url_file}",
            fix="correct the address",
        ) from None
    key = f"the key of the sink {spec.name}"
    secret = read_secret(key, spec.secret_env, spec.secret_file, environment)
    if len(secret) < MIN_KEY_CHARACTERS:
        raise UsageError(
            f"{key} is too short",
            expected=f"at least {MIN_KEY_CHARACTERS} characters",
            found=f"{len(secret)}",
            where=f"environment variable {spec.secret_env}"
            if spec.secret_env
            else f"file {spec.secret_file}",
            fix="make one: openssl rand -hex 32",
        )
    return WebhookSink(address, secret, spec.timeout_s)
