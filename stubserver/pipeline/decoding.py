"""Request bodies that are compressed (`Content-Encoding`): decoded within the bound on bodies, or refused (R027)."""

import zlib

from stubserver.errors import Refusal, refusal

_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
"""Coding -> how zlib is told about it. The last is that of HTTP, with zlib's header."""
_MEMBERS = 100
"""How many members a gzip body may have; each costs a copy of the rest."""
UNDERSTOOD = "gzip, deflate"


def decoded(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its codings, as the header Content-Encoding lists them. Raises a 415 refusal for a coding that
    is not understood, 400 if the body has another form, and 413 if it becomes larger than `most` bytes."""
    names = (name.strip().lower() for name in encoding.split(","))
    codings = [name for name in names if name not in ("", "identity")]
    if len(codings) > 1 or not set(codings) <= _WINDOWS.keys():
        raise _not_understood(encoding)
    return _inflated(body, codings[0], most) if codings and body else body


def too_large(most: int) -> Refusal:
    """A 413 for a body that is larger than `most` bytes."""
    return refusal(413, f"The request body is larger than {most} bytes.")


def _not_understood(encoding: str) -> Refusal:
    message = (
        f"Content-Encoding {encoding[:60]!r} is not understood: use one of {UNDERSTOOD}, or send the body as it is."
    )
    return refusal(415, message, **{"Accept-Encoding": UNDERSTOOD})


def _inflated(body: bytes, coding: str, most: int) -> bytes:
    found = b""
    members = 0
    while body:
        members += 1
        decoder = zlib.decompressobj(_window(body, coding))
        try:
            # One byte more than allowed tells a body that is too large, whatever it would expand to.
            found += decoder.decompress(body, most - len(found) + 1)
        except zlib.error:
            raise _malformed(coding) from None
        if len(found) > most:
            raise too_large(most)
        if not decoder.eof or members > _MEMBERS:
            raise _malformed(coding)
        body = decoder.unused_data
    return found


def _window(body: bytes, coding: str) -> int:
    """How zlib is told about this body: some clients send deflate without zlib's header."""
    has_header = body[0] & 15 == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
    return -zlib.MAX_WBITS if coding == "deflate" and not has_header else _WINDOWS[coding]


def _malformed(coding: str) -> Refusal:
    return refusal(400, f"The body is not valid {coding}, as its Content-Encoding says, or it is incomplete.")
