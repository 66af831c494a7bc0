"""Names of a dataset that become names of files."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from urllib.parse import quote

from pydantic import AfterValidator, Field

from engine.core.limits import MAX_FILE_NAME_BYTES


def _require_short(name: str) -> str:
    size = len(quote(name, safe="", errors="surrogatepass"))
    if size > MAX_FILE_NAME_BYTES:
        raise ValueError(
            f"expected a name that takes at most {MAX_FILE_NAME_BYTES} bytes as the name of a "
            f"file; this one takes {size}"
        )
    return name


FileNameText: TypeAlias = Annotated[str, Field(min_length=1), AfterValidator(_require_short)]
"""Text that becomes the name of a file, escaped where a file name cannot hold it."""
