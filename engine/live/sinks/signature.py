"""The signature of a request, by which its receiver knows the sender and the time."""

from __future__ import annotations

import hashlib
import hmac

SIGNATURE_HEADER = "Backtest-Signature"


def sign(body: bytes, secret: bytes, timestamp: int) -> str:
    """Value of the header: `t=TIMESTAMP,v1=HEX`.

    The signature is HMAC-SHA256 (RFC 2104) of the timestamp, a full stop and the body, so that a
    receiver can refuse an old request that somebody sends again; the form is that of Stripe.

    Args:
        body: The body as it is sent.
        secret: The key.
        timestamp: Seconds since 1970, UTC.
    """
    signed = b"%d.%b" % (timestamp, body)
    return f"t={timestamp},v1={hmac.new(secret, signed, hashlib.sha256).hexdigest()}"
