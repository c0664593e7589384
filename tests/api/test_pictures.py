"""Uploaded pictures: what is taken for one, where they are kept and shown, and that nothing a file holds takes long."""

import contextlib
import hashlib
import io
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from stubserver.api import pictures
from stubserver.app import StubServer
from stubserver.errors import Refusal
from stubserver.worlds import snapshot_file
from tests.api.operations.courses import IMAGES
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.forms import Options
from tests.support.journal import newest
from tests.support.pictures import BLUE, GIF, RED, chunk, cover, large, looked_at
from tests.support.rows import snapshot
from tests.support.worlds import named

IMAGE = "image_original"
LINO = {"name": "Lino", "type": "self-paced"}


def drawn(kind: str) -> bytes:
    """A small picture in a format that Pillow writes."""
    file = io.BytesIO()
    Image.new("RGB", (5, 7), "teal").save(file, kind)
    return file.getvalue()


def shown(api: Api, course: int = 1) -> set[str]:
    """The addresses of a course's picture."""
    body = ok(api.as_("creator").get(f"/course/{course}/"))
    return {body[name] for name in IMAGES}


# What is a picture


@pytest.mark.parametrize(
    ("kind", "name", "media_type"),
    [
        ("PNG", "a.png", "image/png"),
        ("JPEG", "A.JPEG", "image/jpeg"),
        ("GIF", "a.gif", "image/gif"),
        ("WEBP", "a.webp", "image/webp"),
        ("BMP", "a.bmp", "image/bmp"),
        ("JPEG", "a.png", "image/jpeg"),
        ("GIF", "C:\\pictures\\a.gif", "image/gif"),
    ],
)
def test_a_picture_is_shown_as_it_was_sent(api: Api, kind: str, name: str, media_type: str) -> None:
    """R123, R133: at all four addresses, as what it is, whatever the name and the media type of the file say."""
    content = drawn(kind)
    body = ok(api.as_("creator").patch("/course/1/", **cover(content, name, "text/html")))
    assert len({body[image] for image in IMAGES}) == 4
    for image in IMAGES:
        answer = looked_at(api, body[image])
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == media_type
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"This is a text.", "a.png", "invalid_image"),
        (b"", "a.png", "empty"),
        (RED, "a.txt", "invalid_extension"),
        (RED, "blob", "invalid_extension"),
        (RED, "x" * 97 + ".png", "max_length"),
        (RED[:-20], "a.png", "invalid_image"),
        (RED.replace(b"IDAT", b"IDAX"), "a.png", "invalid_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "a.svg", "invalid_image"),
        (b"<!doctype html><script>alert(1)</script>", "a.gif", "invalid_image"),
        (b"GIF89a", "a.gif", "invalid_image"),
        (b"\xff\xd8\xff", "a.jpg", "invalid_image"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a.webp", "invalid_image"),
        (b"BM" + bytes(60), "a.bmp", "invalid_image"),
        (drawn("TIFF"), "a.tiff", "invalid_image"),
        (drawn("ICO"), "a.ico", "invalid_image"),
        (large(50_000, 50_000), "a.png", "invalid_image"),
        (large(0, 8), "a.png", "invalid_image"),
    ],
    ids=lambda part: repr(part)[:20],
)
def test_any_other_file_is_refused(api: Api, method: str, content: bytes, name: str, code: str) -> None:
    """R133: with the framework's codes, and nothing changes."""
    before = snapshot(api.world)
    path = "/course/" if method == "POST" else "/course/1/"
    answer = api.as_("creator").request(method, path, data=LINO, **cover(content, name))
    assert refused(answer, 400) == {IMAGE: code}
    assert snapshot(api.world) == before


def test_a_refusal_says_what_would_be_right(api: Api) -> None:
    """R133: in the framework's words, together with whatever else is wrong."""
    sent = {"name": "Sourdough in Thirty Days"}
    answer = api.as_("creator").patch("/course/1/", data=sent, **cover(b"text"))
    assert refused(answer, 400) == {"name": "unique", IMAGE: "invalid_image"}
    assert "Upload a valid image. The file you uploaded was either not an image or a corrupted image." in answer.text


@pytest.mark.parametrize("limit", [pictures.MAX_NAME, pictures.MAX_NAME + 1])
def test_a_name_has_at_most_a_hundred_characters(limit: int) -> None:
    """R133: without the folder that some clients send."""
    name = "C:\\" + "x" * 200 + "\\" + "\u6c34" * (limit - 4) + ".png"
    if limit == pictures.MAX_NAME:
        assert pictures.checked(IMAGE, name, RED).width == 8
    else:
        with pytest.raises(Refusal, match=r".*") as caught:
            pictures.checked(IMAGE, name, RED)
        assert caught.value.problems[0].message.endswith("(it has 101).")


NO_FILE = b'--b\r\nContent-Disposition: form-data; name="image_original"; filename=""\r\n'
NO_FILE += b"Content-Type: application/octet-stream\r\n\r\n\r\n--b--\r\n"


@pytest.mark.parametrize(
    "options",
    [
        {"content": NO_FILE, "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"files": {IMAGE: (None, "")}},
    ],
    ids=["what a browser sends", "an empty text"],
)
def test_a_form_without_a_chosen_file_keeps_the_picture(api: Api, options: Options) -> None:
    """R133: as the framework reads it."""
    ok(api.as_("creator").patch("/course/1/", **cover(RED)))
    before = shown(api)
    ok(api.as_("creator").patch("/course/1/", **options))
    assert shown(api) == before


def test_pillow_is_not_loaded_before_a_picture_arrives() -> None:
    code = "import sys, stubserver.app; print('PIL' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.strip() == "False"


# Bounded work


def bombs() -> dict[str, bytes]:
    """Files of some hundred kilobytes that keep Pillow busy for seconds: thousands of parts to read, or to unpack."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1_000_000), 9))
    pixels = chunk(b"IDAT", zlib.compress(bytes(200)))
    return {
        "png with many profiles": b"\x89PNG\r\n\x1a\n" + header + profile * 500 + pixels + chunk(b"IEND", b""),
        "png with many empty parts": b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IDAT", b"") * 20_000,
        "gif with a long comment": GIF[:19] + b"!\xfe" + (b"\xff" + b"x" * 255) * 4000 + b"\0" + GIF[19:],
        "jpeg with much padding": b"\xff\xd8" + b"\xff" * 500_000,
        "jpeg with many segments": b"\xff\xd8" + b"\xff\xe1\0\x0aExif\0\0xx" * 40_000,
    }


@pytest.mark.parametrize("name", bombs())
def test_a_file_is_read_in_a_bounded_number_of_steps(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """R133: counted, not timed."""
    steps: list[int] = []

    class Counted(pictures._Bounded):
        def read(self, size: int | None = -1, /) -> bytes:
            steps.append(size or 0)
            return super().read(size)

    monkeypatch.setattr(pictures, "_Bounded", Counted)
    with pytest.raises(Refusal):
        pictures.read(IMAGE, bombs()[name])
    assert len(steps) < 12_000


@pytest.mark.parametrize("pixels", [(13_000, 13_000), (pictures.MAX_PIXELS, 1), (pictures.MAX_PIXELS + 1, 1)])
def test_a_picture_may_be_large_but_no_bomb(pixels: tuple[int, int], recwarn: pytest.WarningsRecorder) -> None:
    """R133: no pixel is decoded, and Pillow's warning does not appear."""
    fits = pixels[0] * pixels[1] <= pictures.MAX_PIXELS
    found = None
    try:
        found = pictures.read(IMAGE, large(*pixels))
    except Refusal:
        assert not fits
    assert (found is not None) == fits
    assert not recwarn.list


def test_broken_files_are_refused_and_nothing_worse() -> None:
    """Whatever Pillow raises: every cut of every format, and every changed byte of a header."""
    for kind in pictures.MEDIA_TYPES:
        content = drawn(kind)
        for end in range(0, min(len(content), 700), 3):
            for broken in (content[:end], content[:end] + b"\xff" + content[end + 1 :]):
                with contextlib.suppress(Refusal):
                    assert pictures.read(IMAGE, broken).format == kind


# Where they are


def test_addresses_look_like_the_vendors(api: Api) -> None:
    """R123: .../upfiles/courses/SIZE/SLUG_1234.png; renaming the course keeps them, the same file has the same ones."""
    body = ok(api.as_("creator").post("/course/", data=LINO, **cover(RED)), 201)
    pattern = r"http://stub\.test(/~[^/]+)?/upfiles/courses/(small|medium|big|bigger)/lino_[0-9]{4}\.png"
    assert all(re.fullmatch(pattern, body[image]) for image in IMAGES)
    before = shown(api, body["id"])
    ok(api.as_("creator").patch(f"/course/{body['id']}/", json={"slug": "linocut", "name": "Linocut"}))
    assert shown(api, body["id"]) == before
    ok(api.as_("creator").patch(f"/course/{body['id']}/", **cover(BLUE)))
    assert not shown(api, body["id"]) & before
    ok(api.as_("creator").patch(f"/course/{body['id']}/", **cover(RED)))
    assert {re.sub("linocut", "lino", url) for url in shown(api, body["id"])} == before


@pytest.mark.in_process("its hash is broken on purpose")
def test_two_pictures_never_share_an_address(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """R123: not even if the digits in their names would be the same."""
    monkeypatch.setattr("stubserver.api.images._digits", lambda upload: f"{int(upload[-1]) % 2:04}")
    world = api.app.worlds.get()
    for number, content in ((1, RED), (2, BLUE)):
        pictures.keep(world, "medias", number, "picture", pictures.read(IMAGE, content))
    names = [row["name"] for row in world.pictures]
    assert names == ["picture_0000.png", "picture_0001.png"]
    assert [pictures.found(world, "medias", name) for name in names] == [(RED, "image/png"), (BLUE, "image/png")]


@pytest.mark.parametrize("slug", ["x" * 5000, "a-b_c"])
def test_an_address_is_short_enough_to_be_served(api: Api, slug: str) -> None:
    ok(api.as_("creator").patch("/course/1/", data={"slug": slug}, **cover(RED)))
    assert all(looked_at(api, address).content == RED for address in shown(api))


@pytest.mark.parametrize("size", ["huge", "image_small", "original"])
def test_other_sizes_are_absent(api: Api, size: str) -> None:
    ok(api.as_("creator").patch("/course/1/", **cover(RED)))
    address = min(shown(api)).replace("/big/", f"/{size}/")
    assert looked_at(api, address).status_code == 404


def test_a_new_picture_takes_the_place_of_the_old_one(api: Api) -> None:
    """R123: which is gone, and so is the last one once a cover is only named or the course is deleted."""
    creator = api.as_("creator")
    seen = []
    for change in (cover(RED), cover(GIF, "a.gif"), {"json": {IMAGE: "cover.jpg"}}, cover(drawn("JPEG"), "a.jpg")):
        ok(creator.patch("/course/1/", **change))
        seen.append(shown(api))
        assert len(list(api.world.pictures)) == ("files" in change)
    assert all(looked_at(api, address).status_code == 404 for address in seen[1])
    assert all(looked_at(api, address).content == drawn("JPEG") for address in seen[3])
    assert creator.delete("/course/1/").status_code == 204
    assert list(api.world.pictures) == []
    assert all(looked_at(api, address).status_code == 404 for address in seen[3])


@pytest.mark.parametrize("privacy", ["open", "private", "secret"])
def test_addresses_need_no_token(api: Api, privacy: str) -> None:
    """R123: they are files of the platform, as in the vendor's samples, whoever may see the course."""
    ok(api.as_("creator").patch("/course/1/", data={"privacy": privacy}, **cover(RED)))
    assert looked_at(api, min(shown(api))).content == RED


# Worlds


@pytest.mark.in_process("worlds of its own")
@pytest.mark.parametrize("way", ["header", "path"])
def test_the_address_leads_to_the_world_of_the_picture(api: Api, way: str) -> None:
    """R123: although a browser that looks at it sends no header; in no other world is there such a file."""
    path, headers = ("/~one/api/v2/course/1/", {}) if way == "path" else ("/course/1/", named("one"))
    body = ok(api.as_("creator").patch(path, headers=headers, **cover(GIF, "a.gif")))
    ok(api.as_("creator").patch("/course/1/", headers=named("two"), **cover(drawn("GIF"), "a.gif")))
    for image in IMAGES:
        assert body[image].startswith("http://stub.test/~one/upfiles/courses/")
        assert looked_at(api, body[image]).content == GIF
        for other in ("/~two/", "/~three/", "/"):
            assert looked_at(api, body[image].replace("/~one/", other)).status_code == 404


@pytest.mark.in_process("worlds of its own")
def test_another_world_has_a_placeholder_of_the_same_name(api: Api) -> None:
    body = ok(api.as_("creator").patch("/course/1/", headers=named("one"), **cover(RED)))
    answer = looked_at(api, body["image_small"].replace("/~one/", "/~two/"))
    assert (answer.status_code, answer.headers["content-type"], answer.content == RED) == (200, "image/png", False)
    assert struct.unpack(">II", answer.content[16:24]) == (64, 64)


@pytest.mark.in_process("worlds of its own")
def test_a_picture_is_part_of_the_state(api: Api, app: StubServer) -> None:
    """Of forks, snapshots and their files; a reset and the end of the world remove it."""
    address = ok(api.as_("creator").patch("/course/1/", headers=named("one"), **cover(RED)))["image_big"]
    ok(api.post("/__stub/snapshots", json={"name": "kept"}, headers=named("one")), 201)
    file = ok(api.get("/__stub/snapshots/kept"))
    ok(api.as_("creator").patch("/course/1/", headers=named("one"), **cover(BLUE)))
    assert looked_at(api, address).content != RED
    ok(api.post("/__stub/snapshots/kept/restore", headers=named("one")))
    assert looked_at(api, address).content == RED
    app.worlds.restore("two", snapshot_file.read(file, app.worlds.load_fixture))
    assert looked_at(api, address.replace("/~one/", "/~two/")).content == RED
    app.worlds.reset("one")
    assert looked_at(api, address).content != RED
    assert looked_at(api, address.replace("/~one/", "/~two/")).content == RED


def test_a_picture_counts_and_rolls_back(fresh: Callable[..., Api]) -> None:
    """What would exceed --max-world is refused, and leaves nothing."""
    api = fresh(max_world=50_000)
    size = api.world.size
    ok(api.as_("creator").patch("/course/1/", **cover(RED + bytes(20_000))))
    assert api.world.size - size > 26_000
    before = shown(api)
    for content in (RED + bytes(40_000), BLUE + bytes(60_000)):
        answer = api.as_("creator").patch("/course/1/", **cover(content))
        assert answer.status_code == 503
        assert "--max-world" in answer.text
    assert shown(api) == before
    assert looked_at(api, min(before)).content == RED + bytes(20_000)


@pytest.mark.parametrize("row", [{"format": "SVG"}, {"format": "HTML"}, {"format": None}, {"content": "A"}], ids=str)
def test_a_row_that_no_server_has_written_is_not_served(api: Api, row: dict[str, Any]) -> None:
    """From a snapshot that someone has made: never under another type than that of a picture."""
    ok(api.as_("creator").patch("/course/1/", **cover(GIF, "a.gif")))
    address = min(shown(api))
    (kept,) = api.world.pictures
    api.world.pictures.put({**kept, **row})
    assert looked_at(api, address).status_code == 404


@pytest.mark.in_process("it is about the journal of the world default")
def test_the_journal_has_no_content(api: Api) -> None:
    """Only its size: pictures that are no longer in the world would take room that nobody counts."""
    for content in (RED, BLUE + bytes(100)):
        ok(api.as_("creator").patch("/course/1/", **cover(content)))
    changes = newest(api)["changes"]
    told = {change["path"]: change.get("value") for change in changes}
    assert told["/pictures/courses,1/content"] == f"({4 * -(-(len(BLUE) + 100) // 3)} characters)"
    held = [change for call, *_ in api.world.journal.recorded for change in call.changes]
    assert all(
        len(row["content"]) < 30 for change in held for row in (change.before, change.after) if row and "format" in row
    )


def test_lessons_show_pictures_that_were_uploaded(api: Api) -> None:
    """R309, R709: in the world of the lesson, at an address without a token."""
    member = api.as_("creator")
    headers = {"Content-Range": f"bytes 0-{len(GIF) - 1}/{len(GIF)}"}
    sent = member.post("/media/upload/chunk/", files={"image": ("a.gif", GIF, "image/gif")}, headers=headers)
    sums = {"upload_id": ok(sent, 201)["upload_id"], "md5": hashlib.md5(GIF, usedforsecurity=False).hexdigest()}
    media = ok(member.post("/media/upload/complete/", json=sums), 201)
    assert (media["image_width"], media["image_height"]) == (2, 3)
    lesson = ok(member.patch("/course/1/section/1/lesson/1/", json={"medias": [media["id"]]}))
    assert lesson["medias"] == [media]
    answer = looked_at(api, media["image"])
    assert (answer.content, answer.headers["content-type"]) == (GIF, "image/gif")
