"""What stands for files: pictures of the sizes that there are, and a blank page."""

import struct
import zlib
from urllib.parse import urlsplit

import pytest

from tests.support.client import Api


@pytest.mark.parametrize(
    ("rendition", "width"), [("small", 64), ("medium", 128), ("big", 256), ("bigger", 512)], ids=lambda part: str(part)
)
@pytest.mark.parametrize("number", [1, 12])
def test_pictures_are_valid_squares(api: Api, rendition: str, width: int, number: int) -> None:
    course = api.as_("creator").get(f"/course/{number}/").json()
    for holder in (course, *course["categories"]):
        url = holder[f"image_{rendition}"]
        assert url.startswith("http://stub.test/upfiles/")
        response = api.get("/" + urlsplit(url).path)
        assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
        assert response.content[:8] == b"\x89PNG\r\n\x1a\n"
        chunks, rest = {}, response.content[8:]
        while rest:
            (length,) = struct.unpack(">I", rest[:4])
            kind, data, (crc,) = rest[4:8], rest[8 : 8 + length], struct.unpack(">I", rest[8 + length : 12 + length])
            assert crc == zlib.crc32(kind + data)
            chunks[kind], rest = data, rest[12 + length :]
        assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (width, width)
        assert len(zlib.decompress(chunks[b"IDAT"])) == width * (1 + 3 * width)
