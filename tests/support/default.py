"""What the tests take for granted: the server's settings and address, the time, and the default fixture."""

from datetime import UTC, datetime, timedelta

from stubserver.contract.merging import load_yaml
from stubserver.contract.resources import folder
from stubserver.settings import Settings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""When the worlds of the tests are loaded, and where their clocks are frozen."""
LATER = NOW + timedelta(days=400)
"""When the other server starts, if there are two."""
SECRET = "a-secret-of-the-tests-that-is-long-enough"
CONTROL_TOKEN = "a-token-that-the-server-printed"
SETTINGS = Settings(jwt_secret=SECRET, cors_origins=("https://app.example",), allowed_hosts=("*",))
MOST = Settings(max_worlds=3, max_rows=6, max_body=2000)
"""Bounds that a test can reach."""
HOST = "stub.test"
"""The host in the addresses of answers."""
_DEFAULT = load_yaml((folder("fixtures") / "default.yaml").read_text(encoding="utf-8"))
PERSONAS: tuple[str, ...] = tuple(persona["token"].removeprefix("stub-") for persona in _DEFAULT["personas"])
AVATARS: dict[int, str | None] = {
    **{
        user: f"http://{HOST}/upfiles/svg/{name}{user}.svg"
        for user, name in ((4, "Z"), (6, "T"), (8, "B"), (10, "F"), (12, "K"))
    },
    **{
        user["id"]: user["avatar"] and f"http://{HOST}{user['avatar']}"
        for user in _DEFAULT["users"]
        if "avatar" in user
    },
}
"""User -> where their picture or the drawing of their initial is; None if they have neither (R612)."""
STRANGER = 6
"""The user of `stub-stranger`, who is in no course."""
COURSES = {"open": 1, "private": 4, "secret": 7, "draft": 10}
"""Privacy -> a self-paced course with it."""
PUBLIC = [15, 14, 13, 6, 5, 4, 3, 2, 1]
"""The courses that are neither secret nor drafts, in search order."""
QUIZ = "/course/1/section/2/lesson/5/"
"""Four questions; 60 per cent passes."""
RIGHT = {1: [1], 2: [4, 6], 3: [8], 4: [11, 12]}
"""Question of that quiz -> the options to select."""
WRONG = {1: [2], 2: [5], 3: [9], 4: [13]}


def iso(days: float = 0) -> str:
    """The date-time this many days from now, as answers write it (R020)."""
    return (NOW + timedelta(days=days)).isoformat()
