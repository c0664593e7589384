"""Placeholders for uploaded files: a plain square for an image (R123), a blank page for a document.

Uploads are neither processed nor stored; a new upload only changes the URL and the colour of the square.
"""

import hashlib
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache

SIZES = {"image_small": 64, "image_medium": 128, "image_big": 256, "image_bigger": 512}
"""Rendition -> width and height in pixels (the docs do not say)."""
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
    return f"{origin}/upfiles/{folder}/{rendition.removeprefix('image_')}/{slug or 'course'}_{_digits(picture)}.png"


def document_url(origin: str, folder: str, slug: str, document: str) -> str:
    """Absolute URL of a document; `document` distinguishes one upload from the next."""
    return f"{origin}/upfiles/{folder}/{slug}_{_digits(document)}.pdf"


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
