"""Requests of every kind, as a program makes them, and what the journal has of them."""

from typing import Any

from stubserver.exports.recording import Recording, of_case
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import QUIZ, RIGHT

LESSON = "/course/1/section/1/lesson/1/"


def reading(api: Api) -> None:
    """Read what a visitor, a member and a creator see."""
    api.get("/course/search/")
    for path in ("/user/me/", "/course/", "/course/1/", LESSON, f"{LESSON}comment/", QUIZ, "/category/", "/user/3/"):
        api.as_("member").get(path)
    for path in ("/user/me/", "/course/?statuses=creator&limit=2", "/course/1/?view=edit", "/course/1/users/"):
        api.as_("creator").get(path)
    for path in (f"{QUIZ}question/", "/course/1/quiz/", "/course/1/section/", "/course/1/comment/"):
        api.as_("creator").get(path)


def writing(api: Api) -> None:
    """Create, change and delete, with and without success."""
    creator, member = api.as_("creator"), api.as_("member")
    course = ok(creator.post("/course/", json={"name": "Knots", "type": "self-paced"}), 201)["id"]
    creator.patch(f"/course/{course}/", json={"privacy": "open"})
    creator.post(f"/course/{course}/section/", data={"name": "One"})
    member.patch("/course/1/", json={"name": "Mine"})
    member.post(f"{LESSON}comment/", data={"text": "Hello"}, files={"ignored": (None, b"x")})
    member.post(f"{LESSON}complete/")
    responses = [{"question_id": number, "selected_options": options} for number, options in RIGHT.items()]
    member.post(f"{QUIZ}attempt/", json={"responses": responses})
    creator.delete(f"/course/{course}/")
    creator.get(f"/course/{course}/")


def oddities(api: Api) -> None:
    """Do what a consumer should not, or what says nothing about a provider."""
    creator = api.as_("creator")
    creator.get("/nope/")
    creator.get("/course/1/?unknown=1")
    creator.get("/course/2/", headers={"Prefer": "code=404"})
    creator.post("/course/", data={"name": "X", "type": "self-paced"}, files={"image_original": ("a.png", b"x")})
    creator.patch("/course/1/", content=b'{"name": ', headers={"Content-Type": "application/json"})
    api.as_("nobody").get("/user/me/")
    api.post("/oauth/token/", data={"grant_type": "password", "username": "wren_hollis", "password": "stub-password"})


def case(api: Api) -> Any:
    """All that happened, as a Case."""
    return ok(api.get("/__stub/case"))


def recorded(api: Api) -> Recording:
    """All that happened."""
    return of_case(case(api))
