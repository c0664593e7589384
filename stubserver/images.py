"""The pictures of courses and categories: square placeholders in a colour of their own (R123).

Uploads are neither processed nor kept; a new upload only changes the address and the colour.
"""

import hashlib
import struct
import zlib

SIZES = {"image_small": 64, "image_medium": 128, "image_big": 256, "image_bigger": 512}
"""Rendition -> width and height in pixels (the docs give none)."""


def url(origin: str, folder: str, rendition: str, slug: str, picture: str) -> str:
    """Absolute URL of a rendition; `picture` tells one upload from the next."""
    digits = int.from_bytes(hashlib.sha256(picture.encode()).digest()[:4], "big") % 10000
    return f"{origin}/upfiles/{folder}/{rendition.removeprefix('image_')}/{slug or 'course'}_{digits:04}.png"


def png(size: int, name: str) -> bytes:
    """A PNG of `size` by `size` pixels in the colour that belongs to `name`."""
    colour = bytes(80 + byte // 2 for byte in hashlib.sha256(name.encode()).digest()[:3])
    rows = zlib.compress((b"\0" + colour * size) * size)
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
