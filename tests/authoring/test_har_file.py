"""Reading HAR files: what is of use, what is skipped, and what is no HAR file."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from stubserver.authoring import har_file as module
from stubserver.authoring.har_file import Found, NoHar, addresses, read
from stubserver.contract.contract import Contract
from tests.support.recordings import API, entry, har_file

BODY = {"id": 3, "name": "Knots"}
PACKED = gzip.compress(json.dumps(BODY).encode(), mtime=0)


def found_in(tmp_path: Path, contract: Contract, *entries: Any) -> Found:
    found = Found()
    read(har_file(tmp_path / "x.har", entries), contract, found)
    return found


def test_an_exchange(tmp_path: Path, contract: Contract) -> None:
    headers = {"Authorization": "Bearer x"}
    (exchange,) = found_in(tmp_path, contract, entry("/course/3/?view=edit", BODY, headers=headers)).exchanges
    assert (exchange.operation.id, exchange.path, exchange.query) == ("get_course", {"id": 3}, {"view": "edit"})
    assert (exchange.address, exchange.caller, exchange.body) == ("https://community.example", "Bearer x", BODY)


@pytest.mark.parametrize(
    "content",
    [
        {"text": json.dumps(BODY)},
        {"text": base64.b64encode(json.dumps(BODY).encode()).decode(), "encoding": "base64"},
        {"text": base64.b64encode(PACKED).decode(), "encoding": "base64"},
    ],
    ids=["plain", "base64", "gzip"],
)
def test_bodies_are_decoded(tmp_path: Path, contract: Contract, content: Any) -> None:
    (exchange,) = found_in(tmp_path, contract, entry("/course/3/", **content)).exchanges
    assert exchange.body == BODY


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (entry("https://ads.example/pixel.gif"), "not a request to an operation of the API"),
        (entry("/nope/"), "not a request to an operation of the API"),
        (entry("/course/3/", method="OPTIONS"), "not a request to an operation of the API"),
        (entry("/course/3/", method="HEAD"), "not a request to an operation of the API"),
        (entry("data:text/plain://x"), "not a request to an operation of the API"),
        (entry("http://[broken/api/v2/course/3/"), "not a request with an answer"),
        (entry("/course/3/", status=404), "not answered with success"),
        (entry("/course/3/", status=304), "not answered with success"),
        (entry("/course/3/", status=0), "not answered with success"),
        (entry("/course/3/", status="200"), "not answered with success"),
        (entry("/course/3/", text=""), "the answer was not recorded"),
        (entry("/course/3/", text=None), "the answer was not recorded"),
        (entry("/course/3/", text='{"id": 3, "na'), "the answer is cut off, or no JSON"),
        (entry("/course/3/", text="<html>"), "the answer is cut off, or no JSON"),
        (entry("/course/3/", text="\ud800"), "the answer is cut off, or no JSON"),
        (entry("/course/3/", text="#", encoding="base64"), "the answer is no base64"),
        (entry("/course/3/", text="é", encoding="base64"), "the answer is no base64"),
        (
            entry("/course/3/", text=base64.b64encode(PACKED[:-12]).decode(), encoding="base64"),
            "the answer is cut off, or no JSON",
        ),
        (
            entry("/course/3/", text=base64.b64encode(b"\x1f\x8b" + bytes(20)).decode(), encoding="base64"),
            "the answer is damaged",
        ),
        ({**entry("/course/3/", BODY), "_variants": [{"id": 1, "kind": "long"}]}, "the answer was varied"),
        (3, "not a request with an answer"),
        (None, "not a request with an answer"),
        ({}, "not a request with an answer"),
        ({"request": {}, "response": {}}, "not a request with an answer"),
        (
            {"request": {"method": "GET", "url": API, "headers": 3}, "response": {"status": 200}},
            "not a request with ...",
        ),
        ({**entry("/course/3/"), "response": None}, "not a request with an answer"),
    ],
    ids=str,
)
def test_what_is_of_no_use_is_counted(tmp_path: Path, contract: Contract, odd: Any, reason: str) -> None:
    """And what stands beside it is read."""
    found = found_in(tmp_path, contract, odd, entry("/course/3/", BODY))
    ((said, number),) = found.skipped.items()
    assert (said.startswith(reason.removesuffix("...")), number, len(found.exchanges)) == (True, 1, 1), said


def test_an_answer_is_unpacked_up_to_a_bound(
    tmp_path: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BODY", 10)
    packed = base64.b64encode(PACKED).decode()
    found = found_in(tmp_path, contract, entry("/course/3/", text=packed, encoding="base64"))
    assert found.skipped == {"the answer is too large": 1}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "this is no JSON: "),
        (b"\xff\x00", "this is no JSON: "),
        (b"{", "this is no JSON: "),
        (b"[]", "this is no HAR file: it has no list log.entries"),
        (b"{}", "this is no HAR file: it has no list log.entries"),
        (b'{"log": []}', "this is no HAR file: it has no list log.entries"),
        (b'{"log": {"entries": {}}}', "this is no HAR file: it has no list log.entries"),
        (b"[" * 100_000, "this is no JSON: "),
        (gzip.compress(b"{}", mtime=0), "it is compressed: unpack it with gunzip"),
    ],
)
def test_what_is_no_har_file_is_refused(tmp_path: Path, contract: Contract, data: bytes, says: str) -> None:
    file = tmp_path / "x.har"
    file.write_bytes(data)
    with pytest.raises(NoHar, match=f"^{says}") as error:
        read(file, contract, Found())
    assert "\n" not in str(error.value)


def test_a_byte_order_mark_is_no_matter(tmp_path: Path, contract: Contract) -> None:
    file = har_file(tmp_path / "x.har", [entry("/course/3/", BODY)])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    found = Found()
    read(file, contract, found)
    assert len(found.exchanges) == 1


@pytest.mark.parametrize(
    ("bound", "says"), [("MAX_FILE", "bytes, and at most 1 "), ("MAX_ENTRIES", "it has 2 requests")]
)
def test_files_are_bounded(
    tmp_path: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch, bound: str, says: str
) -> None:
    monkeypatch.setattr(module, bound, 1)
    with pytest.raises(NoHar, match=says):
        found_in(tmp_path, contract, entry("/course/3/"), entry("/course/3/"))


def test_an_address_has_no_credentials(tmp_path: Path, contract: Contract) -> None:
    (exchange,) = found_in(tmp_path, contract, entry("https://me:secret@x.example/api/v2/course/3/", BODY)).exchanges
    assert exchange.address == "https://x.example"


def test_addresses_tell_communities_apart(tmp_path: Path, contract: Contract) -> None:
    """A base path and a header name worlds of a stub server."""
    found = found_in(
        tmp_path,
        contract,
        *(entry(path, BODY) for path in ("/course/3/", "/course/4/")),
        entry("http://localhost:8765/~a/api/v2/course/3/", BODY),
        entry("http://localhost:8765/api/v2/course/3/", BODY, headers={"x-stub-world": "b"}),
    )
    assert [*addresses(found)] == [
        ("https://community.example", 2),
        ("http://localhost:8765/~a", 1),
        ("http://localhost:8765/~b", 1),
    ]
