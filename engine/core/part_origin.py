"""The origin of a user's part: distribution, version, and a digest of the source.

A version of the engine says nothing about what a user's class computes. A digest of the source of
the class is therefore part of the key of a fit and of the run id.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import sys
import textwrap
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FunctionType, ModuleType

ENGINE_PACKAGE = __name__.partition(".")[0]
DIGEST_LENGTH = 16


@dataclass(frozen=True)
class PartOrigin:
    """The origin of a class that is not the engine's.

    Attributes:
        kind: Kind of the part; empty for a class that is a component of a part.
        name: Module and name of the class.
        distribution: Distribution that installed it; empty for a script, a notebook or a file.
        version: Version of the distribution.
        source_sha256: First digits of the SHA-256 over the sources of the distribution; without a
            distribution, over the class and everything of its module that it uses.
    """

    kind: str
    name: str
    distribution: str
    version: str
    source_sha256: str

    def as_dict(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


def is_built_in(part: type) -> bool:
    """Whether a class is the engine's own."""
    return part.__module__.partition(".")[0] == ENGINE_PACKAGE


def find_origins(value: object) -> list[PartOrigin]:
    """The origin of every class in a specification that is not the engine's, sorted by name.

    Args:
        value: A part or a whole strategy; nested specifications are searched too.
    """
    parts = set(find_external_parts(value))
    return sorted((find_origin(part) for part in parts), key=lambda origin: origin.name)


def describe_parts(value: object) -> dict[str, str]:
    """Class -> distribution, version and source digest, for keys and comparisons."""
    return {
        origin.name: f"{origin.distribution} {origin.version} {origin.source_sha256}".strip()
        for origin in find_origins(value)
    }


def find_external_parts(value: object) -> Iterator[type[Spec]]:
    """Classes of specifications within a value that are not the engine's."""
    for spec in iterate_specs(value):
        if not is_built_in(type(spec)):
            yield type(spec)


def iterate_specs(value: object) -> Iterator[Spec]:
    """A specification and all nested ones, outer before inner."""
    if isinstance(value, Spec):
        yield value
        for name in type(value).model_fields:
            yield from iterate_specs(getattr(value, name, None))
    elif isinstance(value, dict):
        for element in value.values():
            yield from iterate_specs(element)
    elif isinstance(value, tuple | list):
        for element in value:
            yield from iterate_specs(element)


@cache
def find_origin(part: type[Spec]) -> PartOrigin:
    """The origin of one class."""
    distribution = _find_distribution(part)
    digest = (
        _digest_class(part)
        if distribution is None
        else _digest_files(sorted(_source_files(part, distribution)))
    )
    kind = part.model_fields["kind"].default if "kind" in part.model_fields else ""
    return PartOrigin(
        kind=str(kind),
        name=f"{part.__module__}.{part.__qualname__}",
        distribution=distribution.name if distribution else "",
        version=distribution.version if distribution else "",
        source_sha256=digest,
    )


def require_importable(value: object, where: str) -> None:
    """Checks that another process can import the parts.

    A worker receives only the name of a part's class and imports it.

    Args:
        value: A part or a whole strategy that is sent to a worker.
        where: Its owner, for the error.

    Raises:
        UsageError: A class is defined in a script, a notebook or a function.
    """
    for part in find_external_parts(value):
        if not _is_importable(part):
            raise UsageError(
                f"{part.__qualname__} cannot be trained in another process",
                expected="a class at the top level of a module that can be imported",
                found=f"{part.__qualname__} in {part.__module__}",
                where=where,
                fix="put the class into a file beside the script and import it from there, or set "
                "`costly = False` in it: then it is fitted in this process and not stored",
            )


def _is_importable(part: type) -> bool:
    if part.__module__ == "__main__" or "<locals>" in part.__qualname__:
        return False
    try:
        found = importlib.util.find_spec(part.__module__)
    except (ImportError, ValueError):
        return False
    return found is not None


def _find_distribution(part: type[Spec]) -> metadata.Distribution | None:
    """The distribution that names the class in an entry point, else that of its module."""
    from engine.core.installed_kinds import installed_distribution

    offered = installed_distribution(part)
    if offered is not None:
        return metadata.distribution(offered[0])
    top = part.__module__.partition(".")[0]
    if top == "__main__" or not _is_installed(sys.modules.get(top)):
        return None
    names = metadata.packages_distributions().get(top, [])
    return metadata.distribution(sorted(names)[0]) if names else None


def _is_installed(module: ModuleType | None) -> bool:
    """Whether a module is in a folder of installed packages; faster than listing all of them."""
    locations = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(
        parent.name in {"site-packages", "dist-packages"}
        for location in locations
        if location
        for parent in Path(location).parents
    )


def _source_files(part: type, distribution: metadata.Distribution) -> set[Path]:
    """Python files of a distribution and of the package of a class, also if it is editable."""
    listed = {Path(str(file.locate())) for file in distribution.files or ()}
    names = part.__module__.split(".")
    package = next(
        (
            module
            for end in range(1, len(names) + 1)
            if (module := sys.modules.get(".".join(names[:end]))) and module.__file__
        ),
        None,
    )
    found = {file for file in listed if file.suffix == ".py" and file.is_file()}
    if package is not None and package.__file__:
        own = Path(package.__file__)
        found |= set(own.parent.rglob("*.py")) if hasattr(package, "__path__") else {own}
    return {file.resolve() for file in found}


def _digest_files(files: list[Path]) -> str:
    """Digest of the name, folder name and bytes of each file; outer folders do not count."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.parent.name}/{file.name}".encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:DIGEST_LENGTH]


def _digest_class(part: type) -> str:
    """Digest of the source of a class, its bases, and everything of their modules they use."""
    digest = hashlib.sha256()
    for text in _used_sources(part, set()):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:DIGEST_LENGTH]


def _used_sources(definition: type | FunctionType, seen: set[int]) -> Iterator[str]:
    """The source of a class or function, then of every name of its module that it uses."""
    if id(definition) in seen:
        return
    seen.add(id(definition))
    try:
        text = textwrap.dedent(inspect.getsource(definition))
    except (OSError, TypeError) as error:
        raise UsageError(
            f"the source of {definition.__qualname__} cannot be read",
            expected="a class with its source, which is part of the key of its fits",
            found=str(error),
            where=f"{definition.__module__}.{definition.__qualname__}",
            fix="define the class in a file",
        ) from error
    yield text
    module = vars(sys.modules[definition.__module__])
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    for name in sorted(names & set(module)):
        yield from _source_of_name(name, module[name], seen)


def _source_of_name(name: str, value: object, seen: set[int]) -> Iterator[str]:
    """Source of a name in a user's module: a class, function or module, or a constant's value."""
    if inspect.isclass(value) or inspect.isfunction(value):
        if not _is_library_name(value.__module__ or "builtins"):
            yield from _used_sources(value, seen)
    elif inspect.ismodule(value):
        if not _is_library_name(value.__name__) and value.__file__:
            yield Path(value.__file__).read_text(encoding="utf-8")
    elif isinstance(value, int | float | str | bytes | tuple | frozenset):
        yield f"{name} = {value!r}"


def _is_library_name(module: str) -> bool:
    """Whether a module is the engine's, Python's or an installed distribution's."""
    top = module.partition(".")[0]
    if top in {ENGINE_PACKAGE, *sys.stdlib_module_names} or top == "builtins":
        return True
    return _is_installed(sys.modules.get(top))
