"""Pictures to upload, and how they are uploaded and looked at."""

import struct
import zlib
from typing import Any
from urllib.parse import urlsplit

import httpx

from stubserver.api.images import png
from tests.support.client import Api

RED, BLUE = png(8, "red"), png(9, "blue")
GIF = b"GIF89a" + struct.pack("<HHBBB", 2, 3, 0x80, 0, 0) + bytes(6) + b",\0\0\0\0\2\0\3\0\0\2\2D\1\0;"


def cover(content: bytes, name: str = "cover.png", media_type: str = "image/png") -> dict[str, Any]:
    """The options of a request that uploads a cover."""
    return {"files": {"image_original": (name, content, media_type)}}


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def large(width: int, height: int) -> bytes:
    """A small PNG that claims to be a picture of this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


def looked_at(api: Api, address: str, **options: Any) -> httpx.Response:
    """What an absolute address of the server answers without a token."""
    path = urlsplit(address).path
    return api.as_(None).get(path if path.startswith("/~") else f"/{path}", **options)
