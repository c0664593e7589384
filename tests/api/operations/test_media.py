"""Media: uploading files in chunks, completing the uploads, and clicking media."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from stubserver.api import images
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.forms import FORM, JSON
from tests.support.rows import snapshot

MEDIA, CHUNK, COMPLETE = "/media/", "/media/upload/chunk/", "/media/upload/complete/"
PIECE = 204_800
IMAGE_LIMIT, DOCUMENT_LIMIT = 5_242_880, 52_428_800
DOCUMENT, PICTURE = ("wash.pdf", "application/pdf"), ("wash.png", "image/png")
"""Names and media types of files."""
DRAWN = images.png(16, "wash")


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def send(
    api: Api,
    content_range: str | bytes | None,
    piece: bytes,
    upload_id: str | None = None,
    file: tuple[str, str | None] = DOCUMENT,
    field: str = "image",
) -> httpx.Response:
    """Upload a chunk of a file with this name and media type; None: the form names no media type."""
    name, media_type = file
    headers = {} if content_range is None else {"Content-Range": content_range}
    data = {} if upload_id is None else {"upload_id": upload_id}
    if media_type:
        return api.post(CHUNK, files={field: (name, piece, media_type)}, data=data, headers=headers)
    body = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
    headers["Content-Type"] = "multipart/form-data; boundary=b"
    return api.post(CHUNK, content=body + piece + b"\r\n--b--\r\n", headers=headers)


def begun(api: Api, piece: bytes = b"abc", size: int = 9, **options: Any) -> str:
    """The id of an upload whose first chunk has arrived."""
    upload_id: str = ok(send(api, f"bytes 0-{len(piece) - 1}/{size}", piece, **options), 201)["upload_id"]
    return upload_id


def uploaded(api: Api, content: bytes = b"abc", **options: Any) -> dict[str, Any]:
    """The body that completes an upload of one chunk."""
    return {"upload_id": begun(api, content, len(content), **options), "md5": md5(content)}


# Chunks


def test_upload_media_chunk_takes_a_file_at_once(api: Api, member: Api) -> None:
    """R708, R709: one chunk, completed, becomes a picture named after the file, and is shown as it was sent."""
    answer = ok(send(member, f"bytes 0-{len(DRAWN) - 1}/{len(DRAWN)}", DRAWN, file=PICTURE), 201)
    assert set(answer) == {"upload_id", "offset", "expires"}
    assert (answer["offset"], answer["expires"]) == (str(len(DRAWN)), "2026-11-24T12:00:00+00:00")
    sums = {"upload_id": answer["upload_id"], "md5": md5(DRAWN)}
    made = ok(member.post(COMPLETE, json=sums), 201)
    address = made["image"]
    assert made == {
        "id": 6,
        "description": "",
        "order": 0,
        "embed": None,
        "image_width": 16,
        "image_height": 16,
        "added_at": NOW.isoformat(),
        "type": "image",
        "title": "wash.png",
        "url": address,
        "image": address,
    }
    assert re.fullmatch(r"http://stub\.test(/~[^/]+)?/upfiles/medias/bigger/picture_[0-9]{4}\.png", address)
    picture = api.get(f"/{address.removeprefix('http://stub.test')}")
    assert (picture.status_code, picture.headers["content-type"], picture.content) == (200, "image/png", DRAWN)


@pytest.mark.parametrize("cuts", [(3,), (1, 2, 3, 4), (10,)], ids=str)
@pytest.mark.in_process("it looks at uploads, which snapshots leave out")
def test_upload_media_chunk_takes_a_file_in_pieces(member: Api, cuts: tuple[int, ...]) -> None:
    """R708: one after the other, the first without upload_id; offset says how much has arrived; expires is fixed."""
    content, upload_id, expires = b"hello world", None, set()
    for start, end in zip((0, *cuts), (*cuts, len(content)), strict=True):
        answer = ok(send(member, f"bytes {start}-{end - 1}/11", content[start:end], upload_id), 201)
        assert upload_id in (None, answer["upload_id"])
        assert answer["offset"] == str(end)
        upload_id = answer["upload_id"]
        expires.add(answer["expires"])
        member.world.clock.advance(timedelta(hours=1))
    assert expires == {"2026-11-24T12:00:00+00:00"}
    assert ok(member.post(COMPLETE, json={"upload_id": upload_id, "md5": md5(content)}), 201)["title"] == "wash.pdf"


def test_upload_media_chunk_takes_the_largest_piece(member: Api) -> None:
    """R708: 204800 bytes, and not one more."""
    content = b"x" * (PIECE + 1)
    before = snapshot(member.world)
    assert refused(send(member, f"bytes 0-{PIECE}/{PIECE + 1}", content), 400) == {"Content-Range": "invalid"}
    assert snapshot(member.world) == before
    upload_id = begun(member, content[:PIECE], PIECE + 1)
    ok(send(member, f"bytes {PIECE}-{PIECE}/{PIECE + 1}", b"x", upload_id), 201)
    ok(member.post(COMPLETE, json={"upload_id": upload_id, "md5": md5(content)}), 201)


@pytest.mark.parametrize(
    ("limit", "file"),
    [(IMAGE_LIMIT, ("a.png", "image/png")), (DOCUMENT_LIMIT, ("a.pdf", "application/pdf"))],
)
@pytest.mark.parametrize("field", ["image", "document"])
def test_upload_media_chunk_limits_the_size(member: Api, limit: int, file: tuple[str, str], field: str) -> None:
    """R708: 5 MB for pictures, 50 MB for documents, in either field."""
    before = snapshot(member.world)
    response = send(member, f"bytes 0-2/{limit + 1}", b"abc", file=file, field=field)
    assert refused(response, 400) == {"Content-Range": "invalid"}
    assert str(limit) in response.text
    assert snapshot(member.world) == before
    ok(send(member, f"bytes 0-2/{limit}", b"abc", file=file, field=field), 201)


@pytest.mark.parametrize(
    ("content_range", "code"),
    [
        (None, "required"),
        ("", "blank"),
        ("bytes", "invalid"),
        ("bytes */9", "invalid"),
        ("bytes 0-2/*", "invalid"),
        ("bytes 0-2", "invalid"),
        ("bytes=0-2/9", "invalid"),
        ("items 0-2/9", "invalid"),
        ("0-2/9", "invalid"),
        ("bytes 0 - 2/9", "invalid"),
        ("bytes 0-2/9, bytes 0-2/9", "invalid"),
        ("bytes -1-1/9", "invalid"),
        ("bytes +0-2/9", "invalid"),
        ("bytes 0x0-2/9", "invalid"),
        ("bytes 0-2/9.0", "invalid"),
        ("bytes 0-2/1_0", "invalid"),
        (b"bytes 0-\xb2/9", "invalid"),
        ("bytes 0-\u0662/9".encode(), "invalid"),
        (f"bytes 0-2/{2**63}", "invalid"),
        (f"bytes 0-2/{'9' * 5000}", "invalid"),
        ("bytes 0-1/9", "invalid"),
        ("bytes 0-3/9", "invalid"),
        ("bytes 2-0/9", "invalid"),
        ("bytes 0-2/2", "invalid"),
        ("bytes 0-2/0", "invalid"),
        ("bytes 1-3/9", "invalid"),
        ("bytes 6-8/9", "invalid"),
    ],
)
def test_upload_media_chunk_refuses_a_wrong_range(member: Api, content_range: str | bytes | None, code: str) -> None:
    """R017, R708: the first chunk has three bytes; nothing of it is kept."""
    before = snapshot(member.world)
    assert refused(send(member, content_range, b"abc"), 400) == {"Content-Range": code}
    assert snapshot(member.world) == before
    assert list(member.world.uploads) == []


@pytest.mark.parametrize(
    ("content_range", "piece"),
    [
        ("bytes 0-2/9", b"abc"),
        ("bytes 2-4/9", b"cde"),
        ("bytes 4-6/9", b"efg"),
        ("bytes 6-8/9", b"ghi"),
        ("bytes 3-5/10", b"def"),
        ("bytes 3-5/8", b"def"),
        ("bytes 3-5/6", b"def"),
        ("bytes 3-5/9", b"de"),
        ("bytes 3-9/9", b"defghij"),
        ("bytes 3-2/9", b""),
        (None, b"def"),
    ],
)
def test_upload_media_chunk_goes_on_after_a_refusal(member: Api, content_range: str | None, piece: bytes) -> None:
    """R708: only the next chunk of the same file fits; a refused one leaves no trace, and the upload can go on."""
    upload_id = begun(member)
    before = snapshot(member.world)
    assert list(refused(send(member, content_range, piece, upload_id), 400)) == ["Content-Range"]
    assert snapshot(member.world) == before
    assert ok(send(member, "bytes 3-8/9", b"defghi", upload_id), 201)["offset"] == "9"
    ok(member.post(COMPLETE, json={"upload_id": upload_id, "md5": md5(b"abcdefghi")}), 201)


def test_upload_media_chunk_says_what_comes_next(member: Api) -> None:
    """R017, R708: the refusal names the chunk that is expected."""
    upload_id = begun(member)
    assert "bytes 3-.../9" in send(member, "bytes 4-6/9", b"efg", upload_id).text
    assert "has 3 bytes" in send(member, "bytes 3-6/9", b"def", upload_id).text


def test_upload_media_chunk_takes_nothing_after_the_end(member: Api) -> None:
    """R708: a file that has arrived in full takes no further chunks."""
    upload_id = uploaded(member)["upload_id"]
    for content_range, piece in (("bytes 3-3/3", b"x"), ("bytes 3-3/4", b"x"), ("bytes 0-2/3", b"abc")):
        assert refused(send(member, content_range, piece, upload_id), 400) == {"Content-Range": "invalid"}


@pytest.mark.parametrize("upload_id", ["0" * 32, "", "null", "a\0b", "\u00fc", "1"])
@pytest.mark.parametrize("persona", ["member", "creator"])
def test_upload_media_chunk_needs_an_upload_of_ones_own(api: Api, persona: str, upload_id: str) -> None:
    """R708: an unknown upload is not started; no one continues or completes someone else's."""
    theirs, caller = begun(api.as_("manager"), b"abc", 3), api.as_(persona)
    before = snapshot(api.world)
    for asked in (upload_id, theirs):
        assert refused(send(caller, "bytes 0-2/3", b"abc", asked), 400) == {"upload_id": "does_not_exist"}
        completed = caller.post(COMPLETE, json={"upload_id": asked, "md5": md5(b"abc")})
        assert refused(completed, 400) == {"upload_id": "does_not_exist"}
    assert snapshot(api.world) == before


@pytest.mark.in_process("it looks at uploads, which snapshots leave out")
def test_upload_media_chunk_forgets_after_a_day(member: Api) -> None:
    """R708: a day after it began, whatever has arrived in between."""
    first, second = begun(member), begun(member)
    member.world.clock.advance(timedelta(days=1) - timedelta(microseconds=1))
    ok(send(member, "bytes 3-5/9", b"def", first), 201)
    ok(send(member, "bytes 3-8/9", b"defghi", second), 201)
    member.world.clock.advance(timedelta(microseconds=1))
    assert refused(send(member, "bytes 6-8/9", b"ghi", first), 400) == {"upload_id": "does_not_exist"}
    sums = {"upload_id": second, "md5": md5(b"abcdefghi")}
    assert refused(member.post(COMPLETE, json=sums), 400) == {"upload_id": "does_not_exist"}


def test_upload_media_chunk_keeps_uploads_apart(api: Api, member: Api) -> None:
    """R708: two uploads at the same time do not mix."""
    first, second = begun(member, b"abc", 6), begun(api.as_("creator"), b"uvw", 6)
    assert first != second
    ok(send(member, "bytes 3-5/6", b"def", first), 201)
    ok(send(api.as_("creator"), "bytes 3-5/6", b"xyz", second), 201)
    ok(member.post(COMPLETE, json={"upload_id": first, "md5": md5(b"abcdef")}), 201)
    ok(api.as_("creator").post(COMPLETE, json={"upload_id": second, "md5": md5(b"uvwxyz")}), 201)


@pytest.mark.parametrize(
    "options",
    [
        {"files": {"file": ("a.png", b"abc", "image/png")}},
        {"files": {"image": (None, "abc")}},
        {"files": {"document": (None, "abc"), "upload_id": (None, "x")}},
        {"files": {"image[]": ("a.png", b"abc", "image/png")}},
    ],
    ids=["other field", "text", "text and id", "array"],
)
def test_upload_media_chunk_needs_a_file(member: Api, options: dict[str, Any]) -> None:
    """R017, R708: in one of the two fields, and sent as a file."""
    before = snapshot(member.world)
    response = member.post(CHUNK, headers={"Content-Range": "bytes 0-2/3"}, **options)
    assert refused(response, 400) == {"image": "required"}
    assert snapshot(member.world) == before


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"json": {"image": "abc"}}, 415),
        ({"content": b"image=abc", "headers": FORM}, 415),
        ({"content": b"--b", "headers": {"Content-Type": "multipart/form-data"}}, 400),
        ({"content": b"--b", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400),
    ],
)
def test_upload_media_chunk_is_a_form_of_parts(member: Api, options: dict[str, Any], status: int) -> None:
    """R017: no other kind of body can carry files."""
    headers = {"Content-Range": "bytes 0-2/3", **options.get("headers", {})}
    refused(member.post(CHUNK, **{**options, "headers": headers}), status)


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (CHUNK, {"files": {"image": ("a.png", b"abc")}, "headers": {"Content-Range": "bytes 0-2/3"}}),
        (COMPLETE, {"json": {"upload_id": "x", "md5": "0" * 32}}),
        (MEDIA, {"json": {"type": "url", "url": "https://community.example/"}}),
    ],
)
def test_upload_media_chunk_and_the_others_need_a_login(api: Api, path: str, options: dict[str, Any]) -> None:
    """R001: no one makes media without one."""
    before = snapshot(api.world)
    assert refused(api.post(path, **options), 401) == {"": "not_authenticated"}
    assert snapshot(api.world) == before


# Completing


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (("a.png", "image/png"), "image"),
        (("a.pdf", "image/gif"), "image"),
        (("a.png", "IMAGE/PNG"), "image"),
        (("a.png", None), "image"),
        (("a.pdf", "application/pdf"), "doc"),
        (("a.png", "application/pdf"), "doc"),
        (("a.pdf", None), "doc"),
        (("notes", None), "doc"),
        (("notes", "text/plain"), "doc"),
    ],
)
@pytest.mark.parametrize("field", ["image", "document"])
@pytest.mark.parametrize("sent", [None, "image", "doc", "document", "file", "eimage"])
def test_complete_media_upload_makes_what_is_wanted(
    api: Api, member: Api, field: str, file: tuple[str, str | None], kind: str, sent: str | None
) -> None:
    """R709, R718: without a type, what the file is, whichever field it came in; the pages say document or file for doc.
    Only documents have a thumbnail."""
    body = uploaded(member, DRAWN, file=file, field=field)
    made = ok(member.post(COMPLETE, json=body if sent is None else {**body, "type": sent}), 201)
    expected = {"document": "doc", "file": "doc", None: kind}.get(sent, sent)
    assert (made["type"], made["title"]) == (expected, file[0])
    placeholder = api.get(f"/{made['url'].removeprefix('http://stub.test')}")
    assert placeholder.status_code == 200
    assert ("image_thumbnail" in made) == (expected == "doc")
    if expected == "doc":
        assert (made["image"], made["image_width"], made["image_height"]) == (None, None, None)
        assert placeholder.headers["content-type"] == "application/pdf"
        assert placeholder.content.startswith(b"%PDF-")
        small = made["image_thumbnail"]
        assert (small["width"], small["height"], small["color"]) == (128, 128, None)
        picture = api.get(f"/{small['url'].removeprefix('http://stub.test')}")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    else:
        assert made["url"] == made["image"]
        assert placeholder.content == DRAWN
        assert placeholder.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Wash 1.png", "Wash 1.png"),
        ("Aquarell \u00fcber \u6c34.png", "Aquarell \u00fcber \u6c34.png"),
        ("<b>.png", "<b>.png"),
    ],
)
def test_complete_media_upload_keeps_the_name_of_the_file(member: Api, name: str, title: str) -> None:
    """R709: as the title, whatever characters it contains."""
    assert ok(member.post(COMPLETE, json=uploaded(member, DRAWN, file=(name, "image/png"))), 201)["title"] == title


@pytest.mark.parametrize(
    "encode",
    [
        lambda body: {"json": body},
        lambda body: {"data": body},
        lambda body: {"files": {name: (None, text) for name, text in body.items()}},
    ],
    ids=["json", "urlencoded", "multipart"],
)
def test_complete_media_upload_reads_every_media_type(member: Api, encode: Any) -> None:
    """R009, R709: in every kind of body, and with upper-case digits in the checksum."""
    body = uploaded(member, b"\xff\xd8\xff")
    body["md5"] = body["md5"].upper()
    assert body["md5"] != body["md5"].lower()
    assert ok(member.post(COMPLETE, **encode({**body, "type": "document"})), 201)["type"] == "doc"


def test_complete_media_upload_works_once(member: Api) -> None:
    """R709: afterwards the upload is gone, and its media item stays."""
    body = uploaded(member)
    assert ok(member.post(COMPLETE, json=body), 201)["id"] == 6
    before = snapshot(member.world)
    assert refused(member.post(COMPLETE, json=body), 400) == {"upload_id": "does_not_exist"}
    assert refused(send(member, "bytes 0-2/3", b"abc", body["upload_id"]), 400) == {"upload_id": "does_not_exist"}
    assert snapshot(member.world) == before
    again = uploaded(member)
    assert again["upload_id"] != body["upload_id"]
    assert ok(member.post(COMPLETE, json=again), 201)["id"] == 7


def test_complete_media_upload_waits_for_all_pieces(member: Api) -> None:
    """R709: completing too early is refused, even with the checksum of what has arrived; the upload can go on."""
    upload_id = begun(member)
    before = snapshot(member.world)
    for content in (b"abc", b"abcdefghi"):
        response = member.post(COMPLETE, json={"upload_id": upload_id, "md5": md5(content)})
        assert refused(response, 400) == {"upload_id": "invalid"}
        assert "3 of 9 bytes" in response.text
    assert snapshot(member.world) == before
    ok(send(member, "bytes 3-8/9", b"defghi", upload_id), 201)
    ok(member.post(COMPLETE, json={"upload_id": upload_id, "md5": md5(b"abcdefghi")}), 201)


def test_complete_media_upload_compares_checksums(member: Api) -> None:
    """R709: a wrong checksum is refused, and the right one still works."""
    body = uploaded(member)
    before = snapshot(member.world)
    for wrong in (md5(b"abd"), md5(b""), "0" * 32):
        assert refused(member.post(COMPLETE, json={**body, "md5": wrong}), 400) == {"md5": "invalid"}
    assert snapshot(member.world) == before
    ok(member.post(COMPLETE, json=body), 201)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"upload_id": ...}, {"upload_id": "required"}),
        ({"md5": ...}, {"md5": "required"}),
        ({"upload_id": ..., "md5": ...}, {"upload_id": "required", "md5": "required"}),
        ({"upload_id": None, "md5": None}, {"upload_id": "null", "md5": "null"}),
        ({"upload_id": [5]}, {"upload_id": "invalid"}),
        ({"upload_id": "x" * 65}, {"upload_id": "max_length"}),
        ({"md5": "0" * 31}, {"md5": "invalid"}),
        ({"md5": "0" * 33}, {"md5": "invalid"}),
        ({"md5": "0" * 32 + "\n"}, {"md5": "invalid"}),
        ({"md5": "g" * 32}, {"md5": "invalid"}),
        ({"md5": "\u0660" * 32}, {"md5": "invalid"}),
        ({"md5": ""}, {"md5": "blank"}),
        ({"type": "url"}, {"type": "invalid_choice"}),
        ({"type": "share"}, {"type": "invalid_choice"}),
        ({"type": None}, {"type": "null"}),
    ],
)
def test_complete_media_upload_refuses(member: Api, changes: dict[str, Any], expected: dict[str, str]) -> None:
    """R017, R709: bad fields are reported, and nothing changes."""
    body = {**uploaded(member), **changes}
    before = snapshot(member.world)
    sent = {name: value for name, value in body.items() if value is not ...}
    assert refused(member.post(COMPLETE, json=sent), 400) == expected
    assert snapshot(member.world) == before


def test_complete_media_upload_makes_what_lessons_and_comments_show(api: Api, member: Api) -> None:
    """R309, R709: requests contain its id, answers the whole object."""
    made = [
        ok(member.post(COMPLETE, json=uploaded(member)), 201),
        ok(member.post(MEDIA, json={"type": "url", "url": "https://community.example/a-page"}), 201),
    ]
    ids = [media["id"] for media in made]
    lesson = "/course/1/section/1/lesson/1/"
    comment = ok(member.post(f"{lesson}comment/", json={"text": "Look", "medias": ids}), 201)
    assert comment["medias"] == made
    ok(api.as_("creator").patch(lesson, json={"medias": ids[::-1]}))
    assert ok(member.get(lesson))["medias"] == made[::-1]


@pytest.mark.parametrize("content", [b"%PDF-1.4", DRAWN[:-20], b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
@pytest.mark.parametrize("kind", ["image", "eimage", None])
def test_complete_media_upload_refuses_a_picture_that_is_none(member: Api, kind: str | None, content: bytes) -> None:
    """R133, R709: whatever its name and media type say; the upload can still become a document."""
    body = uploaded(member, content, file=PICTURE)
    before = snapshot(member.world)
    wanted = body if kind is None else {**body, "type": kind}
    assert refused(member.post(COMPLETE, json=wanted), 400) == {"image": "invalid_image"}
    assert snapshot(member.world) == before
    assert ok(member.post(COMPLETE, json={**body, "type": "doc"}), 201)["image"] is None


@pytest.mark.in_process("it looks at uploads, which snapshots leave out")
def test_upload_media_chunk_makes_room_for_new_files(member: Api) -> None:
    """R708: an upload that has expired takes no room once another begins; one that has not stays."""
    begun(member)
    member.world.clock.advance(timedelta(hours=12))
    second = begun(member)
    member.world.clock.advance(timedelta(hours=12))
    third = begun(member)
    assert [row["upload_id"] for row in member.world.uploads] == [second, third]


@pytest.mark.in_process("it looks at uploads, which snapshots leave out")
def test_upload_media_chunk_makes_room_in_any_order(member: Api) -> None:
    """R708: an upload that expires before others that began earlier, because the clock was set back, goes before."""
    first = begun(member)
    member.world.clock.set(NOW - timedelta(hours=12))
    begun(member)
    member.world.clock.set(NOW + timedelta(hours=12))
    third = begun(member)
    assert [row["upload_id"] for row in member.world.uploads] == [first, third]


# Clicking


@pytest.mark.parametrize("caller", [None, "member", "stranger"])
def test_click_media_needs_no_login(api: Api, caller: str | None) -> None:
    """R711: anyone, even where the content is for members only; it leaves no trace, and the body is not read."""
    before = snapshot(api.world)
    api.world.preferences = {**api.world.preferences, "configurations.content_availability": False}
    for options in ({}, {"json": {"ip": "127.0.0.1"}}, {"content": b"\xff{", "headers": JSON}):
        response = api.as_(caller).post("/media/4/click/", **options)
        assert (response.status_code, response.content) == (204, b"")
    assert snapshot(api.world) == before


@pytest.mark.parametrize("number", ["99", "0", "-4", "9" * 30])
def test_click_media_needs_a_media(api: Api, number: str) -> None:
    """R004, R007, R711: an id without a media item is not found."""
    assert refused(api.post(f"/media/{number}/click/"), 404) == {"": "not_found"}
    assert refused(api.as_("nobody").post("/media/4/click/"), 401) == {"": "authentication_failed"}


def test_click_media_follows_what_was_made(member: Api) -> None:
    """R711: newly uploaded media can be clicked, too."""
    number = ok(member.post(COMPLETE, json=uploaded(member)), 201)["id"]
    assert member.post(f"/media/{number}/click/").status_code == 204
