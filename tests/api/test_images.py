"""Placeholders for files: pictures in every size, and a blank page."""

import re
import struct
import zlib
from urllib.parse import urlsplit

import pytest

from stubserver.api import images
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


def test_an_address_has_the_slug_and_tells_one_upload_from_the_next() -> None:
    """R123: the same upload has the same URL in every run."""
    first, second = (images.url("http://s", "courses", "image_small", "knots", upload) for upload in ("1", "2"))
    assert re.fullmatch(r"http://s/upfiles/courses/small/knots_[0-9]{4}\.png", first)
    assert first == images.url("http://s", "courses", "image_small", "knots", "1") != second
    assert images.url("http://s", "courses", "image_big", "", "1").startswith("http://s/upfiles/courses/big/course_")


def test_all_renditions_of_an_upload_differ_in_their_size_only() -> None:
    found = images.renditions("http://s", "courses", "knots", "1")
    assert list(found) == ["image_small", "image_medium", "image_big", "image_bigger"]
    sizes = [name.removeprefix("image_") for name in found]
    assert len({url.replace(f"/{size}/", "/") for url, size in zip(found.values(), sizes, strict=True)}) == 1


def test_pictures_differ_by_their_names() -> None:
    assert images.png(64, "knots_0001") == images.png(64, "knots_0001") != images.png(64, "knots_0002")


def test_the_document_is_one_blank_page() -> None:
    assert images.PDF.startswith(b"%PDF-1.4\n")
    assert images.PDF.endswith(b"%%EOF\n")
    assert images.PDF.count(b"/Type/Page/") == 1
    address = images.document_url("http://s", "documents", "document", "1")
    assert re.fullmatch(r"http://s/upfiles/documents/document_[0-9]{4}\.pdf", address)


@pytest.mark.parametrize(
    ("username", "name"), [("team", "T9"), ("9lives", "99"), ("\u00e9mile", "U9"), ("_x", "U9"), ("\u00df", "U9")]
)
def test_a_person_without_a_picture_has_a_drawing(username: str, name: str) -> None:
    """R612: of the initial, as in the vendor's samples: /upfiles/svg/T9.svg."""
    assert images.drawing_path(username, 9) == f"/upfiles/svg/{name}.svg"
    drawing = images.drawing(name)
    assert drawing is not None
    assert drawing.startswith("<svg ")
    assert f">{name[0]}</text>" in drawing


@pytest.mark.parametrize("name", ["T", "<9", "t9", "TT9", "T9<script>", "T" + "9" * 20, ""])
def test_nothing_else_is_drawn(name: str) -> None:
    assert images.drawing(name) is None
