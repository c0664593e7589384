"""Worlds: named, made, changed in every way that the API offers, and deleted."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from stubserver.api.images import png
from stubserver.app import StubServer
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import QUIZ, RIGHT
from tests.support.tokens import APP, REQUEST_OF_CODE, WREN

FREEZE = "/__stub/clock/freeze?at=2031-05-01T09:00:00Z"
THEN: dict[str, Any] = {"now": "2031-05-01T09:00:00+00:00", "frozen": True, "ahead_seconds": 0.0}
"""The clock after FREEZE."""


def named(world: str) -> dict[str, str]:
    """The header that names a world."""
    return {"X-Stub-World": world}


def names(app: StubServer) -> list[str]:
    """The names of all worlds."""
    return [world.name for world in app.worlds]


def forget(app: StubServer) -> None:
    """Make the server as if it had just started."""
    for world in list(app.worlds):
        app.worlds.delete(world.name)
    app.worlds.snapshots.clear()
    app.worlds._lost.clear()
    app.worlds._names_given = app.worlds._evicted = app.journal._forgotten = 0
    app.coverage.clear()


def make(api: Api, name: str, world: str = "default") -> int:
    """Create a course in a world; return its id."""
    body = {"name": name, "type": "self-paced"}
    number: int = ok(api.as_("creator").post("/course/", json=body, headers=named(world)), 201)["id"]
    return number


def found(api: Api, world: str = "default") -> set[str]:
    """Names of the courses that the creator sees in a world."""
    page = ok(api.as_("creator").get("/course/?statuses=creator&limit=100", headers=named(world)))
    return {course["name"] for course in page["results"]}


def busy(api: Api, world: str) -> dict[str, Any]:
    """Change rows of every kind that the API can change; return the answers by what was done."""
    ask, done = partial(act, api, headers=named(world)), {}
    done["course"] = course = ask("creator", "POST", "/course/", {"name": "Knots", "type": "self-paced"})
    path = f"/course/{course['id']}/"
    done["section"] = section = ask("creator", "POST", f"{path}section/", {"name": "Bends"})
    path += f"section/{section['id']}/lesson/"
    done["lesson"] = lesson = ask("creator", "POST", path, {"name": "Sheet bend", "type": "quiz", "text": "<p>Try</p>"})
    answers = [{"text": "Yes", "correct": True}, {"text": "No"}]
    question = {"type": "single_choice", "text": "Does it hold?", "answers": answers}
    done["question"] = ask("creator", "POST", f"{path}{lesson['id']}/question/", question)
    ask("creator", "PATCH", "/course/2/", {"name": "Sourdough, at last"})
    done["cover"] = ask("creator", "PATCH", "/course/1/", files={"image_original": ("a.png", png(8, "a"), "image/png")})
    ask("creator", "DELETE", "/course/3/section/9/lesson/18/")
    ask("creator", "DELETE", "/course/15/")
    ask("creator", "POST", "/course/1/invite/", {"users": [7]})
    ask("stranger", "POST", "/course/1/join/")
    done["upload"] = upload = piece(api, b"abc", 3, headers=named(world))
    done["half"] = piece(api, b"abc", 9, headers=named(world))
    sum_of_abc = "900150983cd24fb0d6963f7d28e17f72"
    done["media"] = media = ask(
        "member", "POST", "/media/upload/complete/", {"upload_id": upload["upload_id"], "md5": sum_of_abc}
    )
    embed = {"embed_type": "sc_video", "embed_id": "x", "url": "https://video.example/x", "metadata": {"ratio": 2.0}}
    ask("creator", "POST", "/media/", {"type": "embed", "embed": embed})
    comment = {"text": "<p>Look at this</p>", "medias": [media["id"]]}
    done["comment"] = first = ask("member", "POST", "/course/1/section/1/lesson/1/comment/", comment)
    reply = {"text": "<p>Nice</p>", "parent": first["id"]}
    ask("member", "POST", "/course/1/section/1/lesson/1/comment/", reply)
    selected = [{"question_id": number, "selected_options": options} for number, options in RIGHT.items()]
    done["attempt"] = ask("member", "POST", f"{QUIZ}attempt/", {"responses": selected})
    ask("member", "POST", "/course/1/section/2/lesson/4/complete/")
    ask("member", "POST", "/course/1/section/1/lesson/2/incomplete/")
    done["token"] = ask(None, "POST", "/oauth/token/", {**APP, **WREN})
    query = {**REQUEST_OF_CODE, "login_hint": "dilys_pruett"}
    done["code"] = api.get("/oauth/authorize/", params=query, headers=named(world)).headers["location"]
    return done


def act(api: Api, persona: str | None, method: str, path: str, json: Any = None, **options: Any) -> Any:
    """The answer to a request, which must succeed."""
    if json is not None:
        options["json"] = json
    response = api.as_(persona).request(method, path, **options)
    assert response.is_success, response.text
    return response.json() if response.content else None


def piece(api: Api, content: bytes, size: int, headers: Mapping[str, str]) -> Any:
    """Upload the beginning of a document of this size."""
    part = {"document": ("notes.pdf", content, "application/pdf")}
    headers = {**headers, "Content-Range": f"bytes 0-{len(content) - 1}/{size}"}
    return ok(api.as_("member").post("/media/upload/chunk/", files=part, headers=headers), 201)


def get(api: Api, url: str, **options: Any) -> httpx.Response:
    """GET an absolute URL of the server."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) in {("http", "stub.test"), ("http", "localhost")}, url
    path = parts.path if "/__stub/" in parts.path else f"//{parts.path.removeprefix('/')}"
    return api.get(f"{path}?{parts.query}", **options)


def saved(api: Api) -> Any:
    """The default world as a file."""
    ok(api.post("/__stub/snapshots", json={"name": "s"}), 201)
    return ok(api.get("/__stub/snapshots/s"))
