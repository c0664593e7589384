"""Media made from URLs: pages, videos and pictures elsewhere."""

from typing import Any

import pytest

from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.forms import FORM, JSON
from tests.support.rows import snapshot

MEDIA = "/media/"


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("https://community.example/pages/the-colour-wheel", "the colour wheel"),
        ("https://community.example/pages/the_colour-wheel/", "the colour wheel"),
        ("https://community.example/pages/the-colour-wheel?page=2#top", "the colour wheel"),
        ("https://community.example/Gr%C3%BCn%20und%20blau.html", "Gr\u00fcn und blau.html"),
        ("https://community.example", "community.example"),
        ("https://community.example/", "community.example"),
        ("http://community.example:8080//", "community.example:8080"),
        ("http://[::1]/notes", "notes"),
        ("https://community.example/%FF", "\ufffd"),
        ("https://community.example/" + "a" * 1974, "a" * 1974),
    ],
)
def test_create_media_of_a_link(member: Api, url: str, title: str) -> None:
    """R710: a link has an embed with a title made from the URL; nothing is fetched."""
    made = ok(member.post(MEDIA, json={"type": "url", "url": url, "title": "ignored", "id": 1}), 201)
    assert made == {
        "id": 6,
        "added_at": NOW.isoformat(),
        "type": "url",
        "title": title,
        "description": "",
        "url": url,
        "image": None,
        "image_width": None,
        "image_height": None,
        "order": 0,
        "embed": {
            "id": 6,
            "embed_type": "sc_link",
            "embed_id": url,
            "url": url,
            "metadata": {"title": title, "url": url},
        },
    }


@pytest.mark.parametrize(
    "url",
    [f"https://{end}" for end in ("a.example/-", "a.example/%20", "a.example/%00", "a.example/a%00b", "?")],
)
def test_create_media_of_a_link_finds_a_title_that_can_be_seen(member: Api, url: str) -> None:
    """R710: a URL without a visible title is refused or gets another title; the vendor's pages need one."""
    response = member.post(MEDIA, json={"type": "url", "url": url})
    if response.status_code != 201:
        assert list(refused(response, 400)) == ["url"]
        return
    title = response.json()["embed"]["metadata"]["title"]
    assert title.strip()
    assert "\0" not in title


def test_create_media_of_a_picture(member: Api) -> None:
    """R710: its URL becomes both url and image; its size is unknown."""
    url = "https://community.example/files/my_first-wash.jpg"
    made = ok(member.post(MEDIA, json={"type": "image", "url": url}), 201)
    assert made == {
        "id": 6,
        "added_at": NOW.isoformat(),
        "type": "image",
        "title": "my first wash.jpg",
        "description": "",
        "url": url,
        "image": url,
        "image_width": None,
        "image_height": None,
        "order": 0,
        "embed": None,
    }


@pytest.mark.parametrize(
    ("embed", "shown"),
    [
        ({}, {"url": None, "metadata": {}}),
        ({"url": None}, {"url": None, "metadata": {}}),
        (
            {"url": "https://video.example/7", "metadata": {"title": "T", "n": [1.5, None, {"deep": True}]}},
            {"url": "https://video.example/7", "metadata": {"title": "T", "n": [1.5, None, {"deep": True}]}},
        ),
        ({"id": 1, "stray": "x"}, {"url": None, "metadata": {}}),
        ({"id": "x"}, {"url": None, "metadata": {}}),
        ({"id": None}, {"url": None, "metadata": {}}),
    ],
)
def test_create_media_of_an_embed(member: Api, embed: dict[str, Any], shown: dict[str, Any]) -> None:
    """R011, R710: the object as sent, with an id from the server; unknown fields are ignored."""
    given = {"embed_type": "video", "embed_id": "7", **embed}
    made = ok(member.post(MEDIA, json={"type": "embed", "embed": given}), 201)
    assert made["embed"] == {"id": 6, "embed_type": "video", "embed_id": "7", **shown}
    assert (made["id"], made["type"], made["url"], made["image"]) == (6, "embed", shown["url"], None)


@pytest.mark.parametrize("depth", [62, 63, 64, 100, 250, 256, 1000, 5000])
def test_create_media_of_a_deep_embed(api: Api, member: Api, depth: int) -> None:
    """R017, R710: metadata is refused unless every answer that shows it can be encoded, however deep it sits there."""
    before = snapshot(member.world)
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    text = b'{"type":"embed","embed":{"embed_type":"a","embed_id":"b","metadata":%b}}' % deep
    response = member.post(MEDIA, content=text, headers=JSON)
    if response.status_code == 201:
        media, comments = response.json(), "/course/1/section/1/lesson/1/comment/"
        ok(member.post(comments, json={"parent": 10, "medias": [media["id"]]}), 201)
        rows = {row["id"]: row for row in ok(api.as_("creator").get("/course/1/comment/"))["results"]}
        assert rows[10]["replies"][-1]["medias"] == [media]
        assert ok(api.as_("creator").get(f"{comments}10/"))["latest_reply"]["medias"] == [media]
    else:
        assert depth > 62
        refused(response, 400)
        assert snapshot(member.world) == before


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"type": "required"}),
        ({"type": "doc"}, {"type": "invalid_choice"}),
        ({"type": "url"}, {"url": "required"}),
        ({"type": "url", "embed": {"embed_type": "a", "embed_id": "b"}}, {"url": "required"}),
        ({"type": "image"}, {"url": "required"}),
        ({"type": "embed"}, {"embed": "required"}),
        ({"type": "embed", "url": "https://a.example/"}, {"embed": "required"}),
        ({"type": "embed", "embed": {}}, {"embed": "required"}),
        ({"type": "embed", "embed": {"embed_type": "a"}}, {"embed": "required"}),
        ({"type": "embed", "embed": {"embed_type": "", "embed_id": "b"}}, {"embed": "blank"}),
        ({"type": "embed", "embed": {"embed_type": "a", "embed_id": "b" * 256}}, {"embed": "max_length"}),
        ({"type": "embed", "embed": {"embed_type": "a", "embed_id": [7]}}, {"embed": "invalid"}),
        ({"type": "embed", "embed": {"embed_type": "a", "embed_id": "b", "metadata": []}}, {"embed": "invalid"}),
        ({"type": "embed", "embed": {"embed_type": "a", "embed_id": "b", "metadata": None}}, {"embed": "null"}),
        ({"type": "embed", "embed": {"embed_type": "a", "embed_id": "b", "url": "["}}, {"embed": "invalid"}),
        ({"type": "embed", "embed": "x"}, {"embed": "invalid"}),
        ({"type": "embed", "embed": None}, {"embed": "null"}),
        ({"type": "share"}, {"shared_object": "does_not_exist"}),
        ({"type": "share", "shared_object": 1}, {"shared_object": "does_not_exist"}),
        ({"type": "share", "event_object": 1}, {"event_object": "does_not_exist"}),
        ({"type": "share", "shared_object": 2**63}, {"shared_object": "max_value"}),
        ({"type": "share", "shared_object": 1.5}, {"shared_object": "invalid"}),
        *(
            ({"type": kind, "url": url}, {"url": code})
            for kind in ("url", "image")
            for url, code in {
                "": "invalid",
                "nowhere": "invalid",
                "/path": "invalid",
                "ftp://a.example/": "invalid",
                "javascript:alert(1)": "invalid",
                "http://[": "invalid",
                "http://a]b/": "invalid",
                "http://[1.2.3.4]/": "invalid",
                "http://a b/": "invalid",
                "http://\u2100.example/": "invalid",
                "http://a.example/\na": "invalid",
                "http://a.example/\0": "invalid",
                "http://a.example/%": "invalid",
                f"http://a.example/{'a' * 2000}": "max_length",
            }.items()
        ),
        ({"type": "url", "url": None}, {"url": "null"}),
        ({"type": "url", "url": 5}, {"url": "invalid"}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_create_media_refuses(member: Api, body: dict[str, Any], expected: dict[str, str]) -> None:
    """R017, R710: missing fields, invalid URLs, and objects that cannot be shared; nothing changes."""
    before = snapshot(member.world)
    assert refused(member.post(MEDIA, json=body), 400) == expected
    assert snapshot(member.world) == before


@pytest.mark.parametrize(
    "content",
    [
        b'{"type":"url","url":"http://\\ud800/"}',
        b'{"type":"share","shared_object":NaN}',
        b'{"type":"share","shared_object":1e999}',
        b'{"type":"share","shared_object":' + b"9" * 5000 + b"}",
        b"[]",
        b"null",
        b"\xff",
        b"",
    ],
)
def test_create_media_refuses_odd_bodies(member: Api, content: bytes) -> None:
    """R017: bodies that are not valid JSON, and values that no field can have."""
    refused(member.post(MEDIA, content=content, headers=JSON), 400)


def test_create_media_takes_the_last_of_two(member: Api) -> None:
    """R009: the last value counts if a field appears twice, in every kind of body."""
    first, last = "https://a.example/first", "https://a.example/last"
    bodies: list[dict[str, Any]] = [
        {"content": f'{{"type":"share","type":"url","url":"{first}","url":"{last}"}}', "headers": JSON},
        {"content": f"type=share&type=url&url={first}&url={last}", "headers": FORM},
        {"files": [(n, (None, v)) for n, v in (("type", "share"), ("type", "url"), ("url", first), ("url", last))]},
    ]
    for body in bodies:
        assert ok(member.post(MEDIA, **body), 201)["url"] == last
