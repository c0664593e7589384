"""Compressed request bodies: read within bounds, or refused with what would be right."""

import gzip
import json
import zlib
from functools import partial

import pytest

from stubserver.errors import Refusal
from stubserver.pipeline.decoding import decoded
from tests.support.client import Api

packed = partial(gzip.compress, mtime=0)
TEXT = b'{"name": "Knots"}'
MOST = 1000


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body", "found"),
    [
        ("gzip", packed(TEXT), TEXT),
        ("X-GZIP", packed(TEXT), TEXT),
        (" identity, GZip ", packed(TEXT), TEXT),
        ("gzip", packed(TEXT[:5]) + packed(TEXT[5:]), TEXT),
        ("deflate", zlib.compress(TEXT), TEXT),
        ("deflate", raw(TEXT), TEXT),
        ("identity", TEXT, TEXT),
        ("", TEXT, TEXT),
        ("gzip", b"", b""),
        ("gzip", packed(b"x" * MOST), b"x" * MOST),
    ],
)
def test_what_is_understood(encoding: str, body: bytes, found: bytes) -> None:
    """R027: gzip and deflate, the latter also without the header of zlib."""
    assert decoded(body, encoding, MOST) == found


@pytest.mark.parametrize(
    ("encoding", "body", "status", "says"),
    [
        ("gzip", TEXT, 400, "The body is not valid gzip, as its Content-Encoding says, or it is incomplete."),
        ("gzip", packed(TEXT)[:-1], 400, "not valid gzip"),
        ("gzip", packed(b"x" * (MOST + 1)), 413, "larger than 1000 bytes"),
        ("br", TEXT, 415, "Content-Encoding 'br' is not understood: use one of gzip, deflate, or send the body as it"),
        ("zstd", TEXT, 415, "'zstd' is not understood"),
        ("gzp", TEXT, 415, "'gzp' is not understood"),
        ("gzip, gzip", packed(packed(TEXT)), 415, "'gzip, gzip' is not understood"),
        ("gzip", packed(TEXT) + b"more", 400, "not valid gzip"),
        ("gzip", packed(b"") * 101, 400, "not valid gzip"),
        ("deflate", TEXT, 400, "not valid deflate"),
        ("deflate", zlib.compress(b"x" * 10_000_000), 413, "larger than 1000 bytes"),
        ("gzip", packed(b"x" * MOST) * 2, 413, "larger than 1000 bytes"),
    ],
)
def test_what_is_refused(encoding: str, body: bytes, status: int, says: str) -> None:
    """R027: a body is never taken for what it is not, and none grows beyond the bound."""
    with pytest.raises(Refusal) as caught:
        decoded(body, encoding, MOST)
    assert caught.value.status == status
    assert says in caught.value.reason


def test_a_compressed_body_creates_a_course(api: Api) -> None:
    """R027: and it is in the journal as the server read it."""
    text = json.dumps({"name": "Knots", "type": "self-paced"}).encode()
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = api.as_("creator").post("/api/v2/course/", content=packed(text), headers=headers)
    assert (answer.status_code, answer.json()["name"]) == (201, "Knots")


def test_the_refusal_says_what_is_accepted(api: Api) -> None:
    headers = {"Content-Encoding": "br", "Content-Type": "application/json"}
    answer = api.as_("creator").post("/api/v2/course/", content=b"x", headers=headers)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, deflate")
