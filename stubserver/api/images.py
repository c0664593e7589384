"""Placeholders for files: a plain square for a picture that nobody has uploaded (R123), a letter for a person without
one (R612), a blank page for a document."""

import hashlib
import re
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache

SIZES = {"image_small": 64, "image_medium": 128, "image_big": 256, "image_bigger": 512}
"""Rendition -> width and height in pixels (the docs do not say)."""
AVATAR = 209
"""Width and height of a person's picture, in pixels (as in the vendor's samples)."""
_DRAWING = re.compile(r"[A-Z0-9][0-9]{1,19}", re.ASCII)
PDF = (
    b"%PDF-1.4\n"
    b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
"""The content of every document: one blank page."""


@lru_cache(4096)
def renditions(origin: str, folder: str, slug: str, picture: str) -> Mapping[str, str]:
    """Rendition -> its absolute URL."""
    return {name: url(origin, folder, name, slug, picture) for name in SIZES}


def url(origin: str, folder: str, rendition: str, slug: str, picture: str) -> str:
    """Absolute URL of a rendition; `picture` distinguishes one upload from the next."""
    return address(origin, folder, rendition, f"{file_name(slug, picture)}.png")


def address(origin: str, folder: str, rendition: str, name: str) -> str:
    """Absolute URL of a rendition of the file `name`."""
    return f"{origin}/upfiles/{folder}/{rendition.removeprefix('image_')}/{name}"


def file_name(slug: str, picture: str) -> str:
    """Name of a file without its extension; `picture` distinguishes one upload from the next."""
    return f"{slug or 'course'}_{_digits(picture)}"


def document_url(origin: str, folder: str, slug: str, document: str) -> str:
    """Absolute URL of a document; `document` distinguishes one upload from the next."""
    return f"{origin}/upfiles/{folder}/{file_name(slug, document)}.pdf"


def drawing_path(username: str, user: int) -> str:
    """Path of the drawing for a user without a picture: T9.svg for user 9, whose name begins with a T (R612)."""
    first = username[:1]
    return f"/upfiles/svg/{first.upper() if first.isascii() and first.isalnum() else 'U'}{user}.svg"


def drawing(name: str) -> str | None:
    """The drawing in the file `name`.svg, an SVG that holds nothing but the initial; None if there is no such file."""
    if not _DRAWING.fullmatch(name):
        return None
    colour = hashlib.sha256(name.encode()).hexdigest()[:2]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="209" height="209" viewBox="0 0 100 100">'
        f'<rect width="100" height="100" fill="hsl({int(colour, 16)},35%,40%)"/>'
        '<text x="50" y="68" text-anchor="middle" font-family="sans-serif" font-size="50" fill="#fff">'
        f"{name[0]}</text></svg>"
    )


def _digits(upload: str) -> str:
    return f"{int.from_bytes(hashlib.sha256(upload.encode()).digest()[:4], 'big') % 10000:04}"


def png(size: int, name: str) -> bytes:
    """A plain PNG of `size` by `size` pixels, in a colour derived from `name`."""
    colour = bytes(80 + byte // 2 for byte in hashlib.sha256(name.encode()).digest()[:3])
    rows = zlib.compress((b"\0" + colour * size) * size)
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
