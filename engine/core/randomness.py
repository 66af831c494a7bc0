"""Seeds derived from the strategy's one seed, by name."""

from __future__ import annotations

import hashlib

from engine.core.hashing import canonical_json


def derive_seed(root: int, *keys: object) -> int:
    """A 63-bit seed from the strategy's one seed, by name.

    The stream of a name does not depend on other windows, seeds or workers.
    """
    text = canonical_json([root, *map(str, keys)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
