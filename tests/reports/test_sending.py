"""Requests from the journal as options for httpx and as curl commands."""

import shlex
import subprocess
from typing import Any

import pytest

from stubserver.api.images import png
from stubserver.records.journal import REDACTED
from stubserver.reports.sending import Unsendable, curl, sending

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
FILE: dict[str, Any] = {"name": "a.png", "size": 3, "digest": "sha256:0"}


def entry(
    method: str = "PATCH", body: Any = None, media: str | None = None, codes: tuple[str, ...] = (), **changes: Any
) -> dict[str, Any]:
    """A Request, as far as sending it again needs it; `changes` are of its `request`."""
    headers = {"host": "stub.test", "user-agent": "x", "authorization": f"Bearer {REDACTED}"}
    if media:
        headers["content-type"] = media
    asked = {"method": method, "path": "/api/v2/course/1/", "query": {}, "headers": headers, "body": body}
    return {"id": "default-3", "problems": [{"code": code} for code in codes], "request": {**asked, **changes}}


@pytest.mark.parametrize(
    ("media", "body", "codes", "sent"),
    [
        (FORM, {"a": "x y", "b": [1, 2], "c": None, "d": True}, (), {"content": b"a=x+y&b=1&b=2&c=null&d=true"}),
        ("text/plain", "plain", (), {"content": b"plain"}),
        (None, None, (), {}),
        ("application/json", {"name": "Knots"}, (), {"content": b'{"name":"Knots"}'}),
        (None, {"name": "Knots"}, (), {"content": b'{"name":"Knots"}'}),
        ("application/json", "text", (), {"content": b'"text"'}),
        ("application/json", "{", ("parse_error",), {"content": b"{"}),
        ("application/json", [1], ("invalid",), {"content": b"[1]"}),
        (FORM, {"name": "x"}, ("parse_error",), {"content": b'{"name":"x"}'}),
        (FORM, "name=%ff", (), {"content": b"name=%ff"}),
        (
            MULTIPART,
            {"a": "x", "b": [1, 2]},
            (),
            {"files": [("a", (None, b"x")), ("b", (None, b"1")), ("b", (None, b"2"))]},
        ),
        (MULTIPART, {"image": FILE}, (), {"files": [("image", ("a.png", b"\0\0\0"))]}),
        (MULTIPART, {"image_original": FILE}, (), {"files": [("image_original", ("a.png", png(1, FILE["digest"])))]}),
        (MULTIPART, {"image_original": FILE}, ("invalid_image",), {"files": [("image_original", ("a.png", bytes(3)))]}),
        (MULTIPART, "--b", ("parse_error",), {"content": b"--b"}),
    ],
)
def test_a_body_is_sent_as_it_was(media: str | None, body: Any, codes: tuple[str, ...], sent: dict[str, Any]) -> None:
    found = sending(entry(body=body, media=media, codes=codes), None)
    assert found.body == sent
    assert ("content-type" in found.headers) is (media is not None and "files" not in sent)


def test_what_is_sent_differently_is_named() -> None:
    assert sending(entry(body={"image": FILE}, media=MULTIPART), None).missing == [
        "image is sent as 3 zeros, because files are not kept; answers may differ"
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"query": {"token": [REDACTED]}}, "its query held credentials"),
        ({"body": {"a": {"password": REDACTED}}}, "its body held credentials"),
        ({"body": [REDACTED]}, "its body held credentials"),
        ({"body": "(20000 bytes)"}, "the journal has only the size of its body"),
    ],
)
def test_what_the_journal_lacks_cannot_be_sent(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unsendable, match=reason):
        sending(entry(**changes), None)


@pytest.mark.parametrize(
    ("number", "headers", "query", "target"),
    [
        ("default-1", {}, {}, "/api/v2/course/1/"),
        ("w-1", {}, {}, "/~w/api/v2/course/1/"),
        ("a-b-12", {}, {"x": "1 2", "y": ["3", "4"]}, "/~a-b/api/v2/course/1/?x=1+2&y=3&y=4"),
        ("w-1", {"x-stub-world": "w"}, {}, "/api/v2/course/1/"),
    ],
)
def test_it_is_sent_to_its_world(number: str, headers: dict[str, str], query: dict[str, Any], target: str) -> None:
    found = sending({**entry(headers=headers, query=query), "id": number}, "t")
    assert found.target == target
    assert found.headers == {**headers, "authorization": "Bearer t"}


@pytest.mark.parametrize(
    ("method", "body", "media", "expected"),
    [
        ("PATCH", {"n": "@a", "image": FILE}, MULTIPART, None),
        ("GET", None, None, "curl http://s.test/api/v2/course/1/"),
        ("HEAD", None, None, "curl -I http://s.test/api/v2/course/1/"),
        ("DELETE", None, None, "curl -X DELETE http://s.test/api/v2/course/1/"),
        ("POST", None, None, "curl -X POST http://s.test/api/v2/course/1/"),
        ("POST", {"n": "it's"}, "application/json", None),
        ("PATCH", {"n": "@a;b"}, FORM, None),
        ("PATCH", "@" * 3, "text/plain", None),
        ("PATCH", {"n": "x" * 8000}, "application/json", None),
    ],
)
def test_a_curl_command_says_the_same(method: str, body: Any, media: str | None, expected: str | None) -> None:
    command = curl(sending(entry(method, body, media), None), "http://s.test/")
    if expected:
        assert command == expected
    else:
        words = shlex.split(command)
        assert words[0] == "curl"
        assert {"POST": "-X" not in words, "PATCH": "PATCH" in words}[method]
        sent = words[words.index(next(word for word in words if word in ("--data-binary", "--form-string"))) + 1]
        assert sent == {
            '{"n":"it\'s"}': '{"n":"it\'s"}',
            FORM: "n=%40a%3Bb",
            MULTIPART: "n=@a",
        }.get(media if media in (FORM, MULTIPART) else '{"n":"it\'s"}' if body == {"n": "it's"} else "", "@FILE")
        assert ("image=@a.png" in words) is (media == MULTIPART)


def test_a_shell_reads_the_command_as_one() -> None:
    """Whatever a request holds, nothing of it is run."""
    body = "$(touch x); `id` & | > y \\ \" ' * ~"
    command = curl(sending(entry("POST", {"n": body}, "application/json", query={"q": body}), body), "http://s.test")
    printed = subprocess.run(
        ["/bin/sh", "-c", command.replace("curl", "printf '%s\\n'", 1)], capture_output=True, text=True
    )
    assert printed.stdout.splitlines() == shlex.split(command)[1:]
    assert f"authorization: bearer {body}".lower() in printed.stdout.lower()
