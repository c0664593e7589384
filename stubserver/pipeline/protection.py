"""Guards the control plane: it refuses what pages of other sites make a browser send, and clients without the token.

On loopback no token is needed, but the Host header must name loopback: a page whose own domain was made to resolve to
this machine (DNS rebinding) would send its own name. On any other address the token is required. A refusal comes before
anything has happened.
"""

import hmac
import re
from collections.abc import Mapping

from stubserver.addressing import LOCAL_HOST, bearer_token
from stubserver.errors import refusal, unauthenticated

_LOOPBACK = re.compile(LOCAL_HOST, re.ASCII | re.IGNORECASE)
_OWN_SITES = ("same-origin", "none")
"""Sec-Fetch-Site of requests by our own pages, and of addresses that the user typed."""


def check(method: str, headers: Mapping[str, str], origin: str, token: str | None) -> None:
    """Raises a 401, 403 or 415 refusal. `origin` is the server's own origin; `token` is the required one, if any."""
    if headers.get("origin", origin) != origin:
        raise refusal(403, f"Pages of {headers['origin'][:100]} may not use the control plane.")
    if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        raise refusal(403, "Pages of another site may not use the control plane.")
    if token is None and not _LOOPBACK.fullmatch(headers.get("host", "")):
        raise refusal(403, "Without a token, the control plane only answers to localhost, 127.0.0.1 and [::1].")
    sent = bearer_token(headers.get("authorization", ""))
    if token is not None and not hmac.compare_digest(sent.encode(), token.encode()):
        raise unauthenticated("The control plane needs Authorization: Bearer TOKEN, with the token printed at startup.")
    media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if method not in ("GET", "HEAD") and media != "application/json":
        raise refusal(415, "The control plane accepts only application/json.")
