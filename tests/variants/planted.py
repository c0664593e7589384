"""A small client with ten weaknesses, each of which only one legal answer reveals.

`python -m tests.variants.planted` is the client: it uses the server at STUBSERVER_URL, as an application would.
"""

import os
import re
import xml.etree.ElementTree as ET
from typing import Any

import httpx

PLANTED = {
    "null get_course /created_by/avatar",
    "absent get_course_lesson /medias/*/description",
    "unknown get_course_status",
    "enum=private get_course /privacy",
    "empty list_categories /results",
    "count-only list_joined_courses /results",
    "markup get_me /real_name",
    "big get_course /num_lessons",
    "time=whole get_course /created_at",
    "order get_course_section",
}
"""What breaks it, as reports name it."""


def use(url: str) -> None:
    """Do what an application does at its start. Raises whatever a weakness makes of an answer."""
    with httpx.Client(base_url=f"{url}/api/v2", headers={"Authorization": "Bearer stub-manager"}) as client:

        def get(path: str) -> Any:
            answer = client.get(path)
            answer.raise_for_status()
            return answer.json()

        show_course(get("/course/1/"))
        show_courses(get("/course/?limit=3"))
        show_rest(get)


def show_course(course: Any) -> None:
    """Four weaknesses: a picture, an enumeration, a time, a number of four bytes."""
    course["num_lessons"].to_bytes(4, "big")
    assert course["created_by"]["avatar"].startswith("http")
    assert {"": "Draft", "open": "Open", "secret": "Hidden"}[course["privacy"]]
    assert re.fullmatch(r".*T.*\..*", course["created_at"]), course["created_at"]


def show_courses(page: Any) -> None:
    """One weakness: a page behind the end."""
    if page["count"]:
        page["results"][0]


def show_rest(get: Any) -> None:
    """Five weaknesses: a list without rows, a field left out, an unknown one, markup, and the order of fields."""
    categories = get("/category/")
    assert categories["count"] > 0
    for media in get("/course/1/section/1/lesson/1/")["medias"]:
        assert "description" in media
    assert set(get("/course/1/status/")) == {"status"}
    ET.fromstring(f"<p>{get('/user/me/')['real_name'].replace('&', '')}</p>")  # noqa: S314 (that is the weakness)
    assert next(iter(get("/course/1/section/1/"))) == "id"


if __name__ == "__main__":
    use(os.environ["STUBSERVER_URL"])
