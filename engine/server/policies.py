"""Response headers: what a page may load, send to and be embedded in."""

from __future__ import annotations

import base64
import hashlib
import re

_COMMON_POLICY = "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

SITE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    f"{_COMMON_POLICY}"
)
"""Of the server's own pages: styles and scripts are files of the server, and nothing is inline."""

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": SITE_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""No page may load from, send to or be embedded in another origin."""

_SCRIPT = re.compile(rb"<script(?P<attributes>[^>]*)>(?P<text>.*?)</script", re.DOTALL | re.I)


def document_policy(page: bytes) -> str:
    """Content-Security-Policy of a page of a run, which is one file with its styles and script.

    Of scripts only those that stand in the page run, by their hashes: none from elsewhere, no
    handler in an attribute. Nothing can be sent or loaded. Styles may stand anywhere, because
    charts place their labels by `style` attributes.
    """
    sources = sorted(
        f"'sha256-{base64.b64encode(hashlib.sha256(script['text']).digest()).decode()}'"
        for script in _SCRIPT.finditer(page)
        if b"application/json" not in script["attributes"]
    )
    scripts = " ".join(sources) or "'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; "
        f"font-src data:; {_COMMON_POLICY}"
    )
