"""A second, small implementation of the rules of courses and memberships, in plain dicts, to compare the server with.

Nothing is imported from the server. The model takes from an answer only what no rule decides: the id of a new
course (which must never have been used before), a slug made from a name, and the URLs of images.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from tests.support.default import HOST

BAD = "bad token"
"""The caller whose token is invalid; a user id is that user, None an anonymous caller."""
Caller = int | str | None
Course = dict[str, Any]

BOSSES = ("creator", "manager")
STUDENTS = ("manager", "joined")
STATUSES = ("creator", "manager", "joined", "invited", "requested")
FULL: Mapping[str, tuple[str | None, ...]] = {
    "": BOSSES,
    "open": (*STATUSES, None),
    "private": ("creator", "manager", "joined", "invited"),
    "secret": ("creator", "manager", "joined", "invited"),
}
"""Privacy -> the statuses that see everything (R101-R105)."""
LOCKED: Mapping[str, tuple[str | None, ...]] = {"private": ("requested", None)}
"""Privacy -> the statuses that see only the lock screen; a status in neither table sees nothing."""
JOIN = {
    ("open", None): "joined",
    ("private", None): "requested",
    ("open", "invited"): "joined",
    ("private", "invited"): "joined",
    ("secret", "invited"): "joined",
}
"""(privacy, status) -> the status after joining; all others stay as they are (R202-R206)."""
ROLES = {"managers": "manager", "joined": "joined", "unjoined": None}
"""A list in a change of roles -> the status that it gives (R219)."""

USERS: Mapping[int, Mapping[str, Any]] = {
    number: {
        "id": number,
        "username": username,
        "real_name": real_name,
        "avatar": f"http://{HOST}/upfiles/svg/{real_name[0]}{number}.svg",  # nobody in the empty fixture has a picture
        "community_badge": number in (1, 7),
        "deleted": False,
    }
    for number, username, real_name in (
        (1, "wren_hollis", "Wren Hollis"),
        (2, "ottoline-marsh", "Ottoline Marsh"),
        (3, "dilys_pruett", "Dilys Pruett"),
        (4, "zebedee-fenn", "Zebedee Fenn"),
        (5, "carys_lund", "Carys Lund"),
        (6, "tobin-ashdale", "Tobin Ashdale"),
        (7, "isla_quill", "Isla Quill"),
    )
}
STAFF = (7,)
CATEGORIES = {1: "Arts and Crafts", 2: "Kitchen and Garden"}

TYPES = ("self-paced", "structured", "scheduled")
FLAGS = {"enforce_lessons_order": False, "new_comment_notification_enabled": True, "hide_member_count": False}
TEXTS = ("description", "meta_title", "meta_description", "og_title", "og_description")
DEFAULTS: Mapping[str, Any] = {**dict.fromkeys(TEXTS, ""), **FLAGS, "privacy": "", "og_image": None, "categories": []}
"""The values of a new course where the request gives none (R128)."""
IMAGES = ("image_small", "image_medium", "image_big", "image_bigger")
INSIDERS_ONLY = ("description", "sections_order", "enforce_lessons_order", "new_comment_notification_enabled")
"""The fields of a course that are not in CourseMinimal."""


class Refused(Exception):
    """The rules refuse the request; `accepted` lists what the refusal may report, each as field -> code."""

    def __init__(self, status: int, *accepted: Mapping[str, str]) -> None:
        super().__init__(status, *accepted)
        self.status = status
        self.accepted = accepted


class Model:
    """Everything that the rules say about a community that began without courses."""

    def __init__(self, content_availability: bool, courses_only_staff_enabled: bool) -> None:
        self.public = content_availability
        self.staff_only = courses_only_staff_enabled
        self.courses: dict[int, Course] = {}
        self.used: list[int] = []
        """The ids of all courses that ever existed."""

    # Who may do what

    def admit(self, caller: Caller, login: str = "always") -> None:
        """R001, R002, R106. `login` is needed "always", in communities that are "closed", or "never"."""
        if caller == BAD:
            raise Refused(401, {"": "authentication_failed"})
        if caller is None and (login == "always" or (login == "closed" and not self.public)):
            raise Refused(401, {"": "not_authenticated"})

    def enter(self, caller: Caller, number: int, boss: bool = False, login: str = "always") -> Course:
        """The course, for a caller who may see it (R004) and, if `boss`, may run it (R003)."""
        self.admit(caller, login)
        course = self.courses.get(number)
        if course is None or not self.sees(caller, course):
            raise Refused(404, {"": "not_found"})
        if boss and caller is None:
            raise Refused(401, {"": "not_authenticated"})
        if boss and self.status(caller, course) not in BOSSES:
            raise Refused(403, {"": "permission_denied"})
        return course

    def status(self, caller: Caller, course: Course) -> str | None:
        status: str | None = course["people"].get(caller, {}).get("status")
        return status

    def inside(self, caller: Caller, course: Course) -> bool:
        return self.status(caller, course) in FULL[course["privacy"]]

    def sees(self, caller: Caller, course: Course) -> bool:
        return self.inside(caller, course) or self.status(caller, course) in LOCKED.get(course["privacy"], ())

    # Writing courses

    def check_creator(self, caller: Caller) -> None:
        """R114."""
        self.admit(caller)
        if self.staff_only and caller not in STAFF:
            raise Refused(403, {"": "permission_denied"})

    def check_body(self, body: Mapping[str, Any], required: bool, course: Course | None = None) -> None:
        """First against the contract, then against the rules."""
        for problems in (_misshapen(body, required), self._forbidden(body, course)):
            if problems:
                raise Refused(400, problems)

    def _forbidden(self, body: Mapping[str, Any], course: Course | None) -> dict[str, str]:
        others = [other for other in self.courses.values() if other is not course]
        problems = {}
        for field in ("name", "slug"):  # R116, R121
            if body.get(field) and any(other[field] == body[field] for other in others):
                problems[field] = "unique"
        if course and course["privacy"] and body.get("privacy") == "":  # R119
            problems["privacy"] = "invalid"
        if set(body.get("categories", ())) - set(CATEGORIES):  # R122
            problems["categories"] = "does_not_exist"
        if body.get("sections_order"):  # R124; there are no sections here
            problems["sections_order"] = "does_not_exist"
        return problems

    def create(self, caller: Caller, body: Mapping[str, Any], now: datetime) -> Course:
        """A new course, not added yet, because the server assigns its id."""
        course = {
            **DEFAULTS,
            "slug": "",
            "created_by": caller,
            "created_at": now,
            "people": {caller: {"status": "creator", "joined_at": now}},
        }
        self.update(course, body)
        return course

    def update(self, course: Course, body: Mapping[str, Any]) -> None:
        """Fields that are left out keep their values (R021)."""
        for field in ("name", "slug", "type", "categories", *DEFAULTS):
            if field in body:
                course[field] = body[field]

    def add(self, course: Course, number: int) -> None:
        course["id"] = number
        self.courses[number] = course
        self.used.append(number)

    def good_slug(self, course: Course, slug: str) -> bool:
        """Whether the server may have made `slug` for `course`: it is unused and well-formed."""
        taken = any(other["slug"] == slug for other in self.courses.values() if other is not course)
        return bool(re.fullmatch("[-a-zA-Z0-9_]+", slug)) and not taken

    def made_from_name(self, course: Course, slug: str) -> bool:
        """Whether `slug` is the name in lower case, followed by a number if that is taken (R121)."""
        stem = "-".join(re.findall("[a-z0-9]+", course["name"].lower()))
        taken = any(other["slug"] == stem for other in self.courses.values() if other is not course)
        return bool(re.fullmatch(stem + "-[0-9]+", slug)) if taken else slug == stem

    # Membership

    def set_status(self, course: Course, user: int, status: str | None, now: datetime) -> None:
        before = course["people"].pop(user, {"status": None, "joined_at": None})
        if status is None:
            return
        joined_at = before["joined_at"]
        if status in STUDENTS and before["status"] not in STUDENTS:
            joined_at = now
        course["people"][user] = {"status": status, "joined_at": joined_at}

    def join(self, caller: int, course: Course, now: datetime) -> None:
        before = self.status(caller, course)
        after = JOIN.get((course["privacy"], before), before)
        if after != before:
            self.set_status(course, caller, after, now)

    def leave(self, course: Course, user: int, now: datetime) -> None:
        """R208-R211."""
        match self.status(user, course):
            case None:
                raise Refused(404, {"": "not_found"})
            case "creator":
                raise Refused(403, {"": "permission_denied"})
        self.set_status(course, user, None, now)

    def check_users(self, body: Mapping[str, Any]) -> None:
        """R216."""
        if "users" not in body:
            raise Refused(400, {"users": "required"})
        if not body["users"]:
            raise Refused(400, {"users": "empty"})
        if set(body["users"]) - set(USERS):
            raise Refused(400, {"users": "does_not_exist"})

    def invite(self, course: Course, users: Iterable[int], now: datetime) -> None:
        """R215."""
        for user in users:
            status = self.status(user, course)
            if status in (None, "requested"):
                self.set_status(course, user, "joined" if status else "invited", now)

    def uninvite(self, course: Course, users: Iterable[int], now: datetime) -> None:
        """R217."""
        for user in users:
            if self.status(user, course) == "invited":
                self.set_status(course, user, None, now)

    def change_roles(self, course: Course, lists: Mapping[str, list[int]], now: datetime) -> None:
        """R218-R220."""
        lists = {name: users for name, users in lists.items() if name in ROLES}
        if not lists:
            raise Refused(400, *({field: "required"} for field in ("non_field_errors", "managers")))
        everyone = [(name, user) for name, users in lists.items() for user in dict.fromkeys(users)]
        wrong = []
        for name, user in everyone:
            if user not in USERS:
                wrong += [{name: "does_not_exist"}, {name: "invalid"}]
            elif self.status(user, course) == "creator" or [who for _, who in everyone].count(user) > 1:
                wrong.append({name: "invalid"})
        if wrong:
            raise Refused(400, *wrong)
        for name, user in everyone:
            self.set_status(course, user, ROLES[name], now)

    # Reading

    def shown(self, caller: Caller, course: Course, form: str, subject: int | None = None) -> dict[str, Any]:
        """The course in one form of the contract, as `caller` sees it; `subject` is the emulated user (R110)."""
        seen = {
            field: course[field]
            for field in ("id", "name", "slug", "type", "privacy", "hide_member_count", "og_image", *TEXTS[1:], *IMAGES)
        }
        seen |= {
            "deleted": False,
            "join_status": self.status(caller if subject is None else subject, course),
            "user_completion_rate": 0,
            "created_at": moment(course["created_at"]),
            "created_by": USERS[course["created_by"]],
            "categories": {number: CATEGORIES[number] for number in course["categories"]},
        }
        if form == "minimal":
            return seen
        if form == "dashboard":
            return seen | {"avg_completion_rate": 0}
        seen |= {field: course[field] for field in INSIDERS_ONLY if field != "sections_order"} | {"sections_order": []}
        if not self.inside(caller, course):
            seen["description"] = ""
        if form == "counted":
            seen["member_count"] = self.member_count(caller, course)
        if form in ("user", "edit"):
            seen |= {"sections": [], "num_lessons": 0, "num_sections": 0}
        if form == "user":
            seen["num_lessons_completed"] = 0
        return seen

    def member_count(self, caller: Caller, course: Course) -> int | None:
        """R127."""
        if course["hide_member_count"] and self.status(caller, course) not in BOSSES:
            return None
        return len(self.people(course, STUDENTS))

    def people(self, course: Course, statuses: Iterable[str | None], text: str = "") -> list[int]:
        """Users with one of `statuses` whose username or real name contains `text`, by id (R025, R611)."""
        return [
            number
            for number, user in USERS.items()
            if self.status(number, course) in statuses
            and any(text.lower() in user[field].lower() for field in ("username", "real_name"))
        ]

    def dashboard_user(self, course: Course, user: int) -> dict[str, Any]:
        """R607, R608."""
        joined_at = course["people"][user]["joined_at"]
        return {
            **{field: USERS[user][field] for field in ("id", "username", "real_name", "avatar")},
            "join_status": self.status(user, course),
            "user_completion_rate": 0,
            "last_active_at": None,
            "joined_at": moment(joined_at) if joined_at else None,
        }

    def dashboard(self, course: Course, statuses: Iterable[str], text: str, ordering: str) -> list[int]:
        """No one is ever active here, so only joined_at orders; users without it come last."""
        users = self.people(course, statuses, text)
        if ordering.removeprefix("-") == "last_active_at":
            return users
        dated = [user for user in users if course["people"][user]["joined_at"]]
        dated.sort(key=lambda user: course["people"][user]["joined_at"], reverse=ordering != "joined_at")
        return dated + [user for user in users if user not in dated]

    def visible(self, caller: Caller) -> list[Course]:
        return [course for _, course in sorted(self.courses.items()) if self.sees(caller, course)]

    def search(
        self, caller: Caller, text: str, categories: Iterable[int], statuses: Collection[str], ordering: str
    ) -> list[Course]:
        """R602, R603. A description that the caller may not read is not searched."""
        found = [
            course
            for course in self.visible(caller)
            if (not statuses or self.status(caller, course) in statuses)
            and (not categories or set(categories) & set(course["categories"]))
            and text.lower() in f"{course['name']}\n{course['description'] * self.inside(caller, course)}".lower()
        ]
        field = ordering.removeprefix("-")
        if field not in ("id", "name", "created_at"):
            return found[::-1]
        return sorted(found, key=lambda course: course[field], reverse=ordering.startswith("-"))

    def courses_of(self, caller: Caller, user: Caller, statuses: Collection[str]) -> list[Course]:
        """R601, R604."""
        return [course for course in self.visible(caller) if self.status(user, course) in statuses]

    def suggested(self, caller: Caller) -> list[Course]:
        """R606."""
        return [c for c in self.visible(caller)[::-1] if c["privacy"] and self.status(caller, c) is None]


def _misshapen(body: Mapping[str, Any], required: bool) -> dict[str, str]:
    """Field -> the code for a value that breaks the contract."""
    problems = {field: "required" for field in ("name", "type") if required and field not in body}
    if not body.get("name", "-").strip():
        problems["name"] = "blank"
    if body.get("type", TYPES[0]) not in TYPES:
        problems["type"] = "invalid_choice"
    if body.get("privacy", "") not in FULL:
        problems["privacy"] = "invalid_choice"
    if not re.fullmatch("[-a-zA-Z0-9_]*", body.get("slug", "")):
        problems["slug"] = "invalid"
    problems |= {field: "invalid" for field in FLAGS if type(body.get(field, True)) is not bool}
    return problems


def moment(value: datetime) -> str:
    """R020."""
    return value.isoformat()
