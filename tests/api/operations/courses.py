"""What the tests of courses share."""

from typing import Any

import httpx

from tests.support.answers import ok
from tests.support.client import Api


def words(text: str) -> set[str]:
    return set(text.split())


MINIMAL = words(
    "id name slug type privacy hide_member_count meta_title meta_description og_title og_description og_image "
    "image_bigger image_big image_medium image_small deleted join_status user_completion_rate created_at created_by "
    "categories"
)
FULL = MINIMAL | {"description", "enforce_lessons_order", "new_comment_notification_enabled", "sections_order"}
READ = FULL | {"sections", "num_lessons", "num_sections", "num_lessons_completed"}
EDIT = FULL | {"sections", "num_lessons", "num_sections"}
DASHBOARD = MINIMAL | {"avg_completion_rate"}
IMAGES = {"image_small", "image_medium", "image_big", "image_bigger"}
BY_PRIVACY = {"open": 1, "private": 4, "secret": 7, "": 10}
"""Privacy -> a course with it."""
EVERY = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]


def ids(response: httpx.Response) -> list[int]:
    page = ok(response)
    found = [row["id"] for row in page["results"]]
    if page["next"] is None and page["previous"] is None:
        assert page["count"] == len(found)
    return found


def do(api: Api, course: int, **changes: Any) -> None:
    """Change a course behind the API's back."""
    api.world.courses.put({**api.world.courses[course], **changes})
