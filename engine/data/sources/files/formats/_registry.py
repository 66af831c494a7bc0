"""All forms by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from engine.data.sources.files.formats._exchanges import EXCHANGE_FORMATS
from engine.data.sources.files.formats._ordinary import ORDINARY
from engine.data.sources.files.formats._platforms import PLATFORM_FORMATS
from engine.data.sources.files.formats._recognise import FormatMatch, find_formats, match_format
from engine.data.sources.files.formats._vendors import VENDOR_FORMATS
from engine.data.sources.files.formats._websites import WEBSITE_FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.sources.files.formats._head import FileHead
    from engine.data.sources.files.formats._model import FileFormat

FILE_FORMATS: Mapping[str, FileFormat] = MappingProxyType(
    {
        file_format.name: file_format
        for file_format in (
            *EXCHANGE_FORMATS,
            *PLATFORM_FORMATS,
            *WEBSITE_FORMATS,
            *VENDOR_FORMATS,
        )
    }
)
"""The form of each `format` that a files source may name."""


def recognise(head: FileHead) -> list[FormatMatch]:
    """Every form that the file may have; several only where they read it differently.

    The ordinary form is among them where no other fits, or where only the order of the rows tells
    another from it.
    """
    matches = find_formats(FILE_FORMATS.values(), head)
    if not matches or any(match.shape.newest_first for match in matches):
        ordinary = match_format(ORDINARY, head)
        matches = matches if ordinary is None else [ordinary, *matches]
    distinct: list[FormatMatch] = []
    for match in matches:
        if all(match.keys != other.keys for other in distinct):
            distinct.append(match)
    return distinct
