"""Random sequences of all operations by all kinds of callers, compared with a small model of the rules.

A plain run always tries the same sequences, and shows a failing one unshortened. MODEL_EXAMPLES=N tries N others, new
ones in each run, and takes minutes to shorten a failing one.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.models.machine import GONE, WIRES, Machine, Query, encoded, extent
from tests.models.model import BAD, IMAGES, STATUSES, TYPES, USERS, Caller, Course, Model, Refused
from tests.support.default import NOW

NOBODY = 99
"""The id of no existing user, course or category."""

# Which course: mostly an existing one; the last numbers stand for deleted and unknown ones.
COURSES = st.integers(0, 15)
# Who calls: a user with this status in the course (None: without any), a particular user, or an anonymous caller.
READERS = st.sampled_from((*STATUSES, *STATUSES, None, None, 1, 2, 3, "anonymous", "anonymous", BAD))
WRITERS = st.sampled_from((*["creator", "manager"] * 5, "joined", "invited", "requested", None, None, 7, "anonymous"))
JOINERS = st.sampled_from((*[None, "invited"] * 4, *STATUSES, 7, "anonymous"))
LEAVERS = st.sampled_from((*["joined", "manager", "invited", "requested"] * 3, "creator", None, None, 7, "anonymous"))
CALLERS = st.sampled_from((*USERS, *USERS, None, None, BAD))
USER_IDS = st.sampled_from((*USERS, *USERS, *USERS, NOBODY))

WORDS = ("", "All about flour", "Öl auf Leinwand ☃ <b>&amp;")
NAMES = ("Bread", "Bread baking", "Knots & ropes", "Öl & Farbe", "日本の料理", "A-1")
PRIVACIES = ("open", "private", "secret", "")
FIELDS: dict[str, tuple[Any, ...]] = {
    "description": WORDS,
    "privacy": (*PRIVACIES, *PRIVACIES),
    "slug": ("bread", "bread-2", "Knots_1", "a-1"),
    "enforce_lessons_order": (True, False),
    "new_comment_notification_enabled": (False, True),
    "hide_member_count": (True, False),
    "meta_title": WORDS,
    "meta_description": WORDS[1:],
    "og_title": WORDS[1:],
    "og_description": WORDS[1:],
    "og_image": (None, "https://pictures.example/日.png"),
    "categories": ([], [1], [2], [1, 2], [2, 1, 2]),
    "sections_order": ([],),
    "image_original": ("one", "two"),
    # Must be ignored (R011):
    "id": (NOBODY,),
    "created_by": (6,),
}
PAIRS = st.sampled_from([(name, value) for name, values in FIELDS.items() for value in values])
MUSTS = st.fixed_dictionaries({"name": st.sampled_from(NAMES), "type": st.sampled_from(TYPES)})
PARTS = st.lists(PAIRS | st.sampled_from(NAMES).map(lambda name: ("name", name)), max_size=5).map(dict)
WHOLE = st.builds(lambda musts, parts: {**parts, **musts}, MUSTS, st.lists(PAIRS, max_size=6).map(dict))
NEW = st.builds(
    lambda privacy, description, body: {"privacy": privacy, "description": description, **body},
    st.sampled_from(PRIVACIES),
    st.sampled_from(WORDS),
    WHOLE,
)
FLAWS = st.sampled_from(
    (
        *[("", GONE)] * 24,
        ("name", GONE),
        ("name", ""),
        ("name", " \t"),
        ("type", GONE),
        ("type", "weekly"),
        ("privacy", "hidden"),
        ("privacy", ""),
        ("privacy", ""),
        ("slug", "no slug!"),
        ("enforce_lessons_order", "perhaps"),
        ("categories", [1, NOBODY]),
        ("sections_order", [1]),
    )
)
SPELLINGS = st.sampled_from(("json", "comma", "brackets", "repeated"))
STATUS_LISTS: st.SearchStrategy[list[str]] = st.one_of(
    st.just([]), st.sampled_from(STATUSES).map(lambda one: [one]), st.lists(st.sampled_from(STATUSES), max_size=4)
)
SEARCHES = st.sampled_from((None, "", "o", "HOLLIS", "_", "fenn", "zz"))
PAGES = st.fixed_dictionaries(
    {}, optional={"limit": st.sampled_from((1, 2, 3, 100)), "offset": st.sampled_from((0, 1, 2, 5))}
)
QUERY_FLAWS = st.sampled_from(
    (*[None] * 20, ("limit", "0", "min_value"), ("limit", "x", "invalid"), ("offset", "-1", "min_value"))
)


def spelled(name: str, values: list[Any], spelling: str) -> Query:
    """A list, spelled as a query."""
    match spelling:
        case "json":
            return [(name, json.dumps(values))]
        case "comma":
            return [(name, ",".join(str(value) for value in values))]
        case _:
            return [(name + "[]" * (spelling == "brackets"), str(value)) for value in values]


class Courses(Machine):
    """Courses and memberships."""

    @initialize(
        closed=st.sampled_from((False, False, False, True)),
        staff_only=st.sampled_from((False, False, False, True)),
        bodies=st.tuples(NEW, NEW, NEW),
        crowd=st.dictionaries(
            st.sampled_from((3, 4, 5)), st.sampled_from(("managers", "joined", "invited")), min_size=2
        ),
    )
    def begin(self, closed: bool, staff_only: bool, bodies: tuple[Any, Any, Any], crowd: dict[int, str]) -> None:
        settings = {"content_availability": not closed, "courses_only_staff_enabled": staff_only}
        preferences = {f"configurations.{name}": value for name, value in settings.items()}
        world = self.server.worlds.reset(fixture=replace(self.server.fixture, preferences=preferences))
        world.clock.freeze(NOW)
        self.now = NOW
        self.steps = 0
        self.touched: int | None = None
        self.model = Model(**settings)
        authors = (7, 7, 7) if staff_only else (7, 1, 2)
        for author, body, name in zip(authors, bodies, NAMES[1:4], strict=True):
            self.create(author, {**body, "name": name}, "json", ("", GONE))
        guests = [user for user, role in crowd.items() if role == "invited"]
        roles = {user: role for user, role in crowd.items() if role != "invited"}
        for pick in range(3):
            self.roles(pick, "creator", roles, None, "json")
            self.invitations("POST", pick, "creator", guests, "json")
            self.join(pick, 6)

    # Courses

    @rule(caller=CALLERS, body=NEW | WHOLE, wire=WIRES, flaw=FLAWS)
    def create(self, caller: Caller, body: dict[str, Any], wire: str, flaw: tuple[str, Any]) -> None:
        options, body = encoded(wire, self.flawed(body, flaw))
        answer = self.send(caller, "POST", "/course/", **options)
        with self.judged(answer, 201):
            self.model.check_creator(caller)
            self.model.check_body(body, required=True)
            course = self.model.create(caller, body, self.now)
            number = answer.json()["id"]
            assert number > 0
            assert number not in self.model.used
            self.model.add(course, number)
            self.check_written(caller, course, answer.json())

    @rule(pick=COURSES, who=WRITERS, body=WHOLE, wire=WIRES, flaw=FLAWS)
    def put(self, pick: int, who: Any, body: dict[str, Any], wire: str, flaw: tuple[str, Any]) -> None:
        self.change("PUT", pick, who, body, wire, flaw)

    @rule(pick=COURSES, who=WRITERS, body=PARTS, wire=WIRES, flaw=FLAWS)
    def patch(self, pick: int, who: Any, body: dict[str, Any], wire: str, flaw: tuple[str, Any]) -> None:
        self.change("PATCH", pick, who, body, wire, flaw)

    @rule(pick=st.integers(0, 5), method=st.sampled_from(("PUT", "PATCH")), body=WHOLE, wire=WIRES)
    def save(self, pick: int, method: str, body: dict[str, Any], wire: str) -> None:
        """As an editor does it: everything in one form, with the name unchanged."""
        name = self.model.courses[self.chosen(pick, "creator")[0]]["name"]
        self.change(method, pick, "creator", {**body, "name": name}, wire, ("", GONE))

    @rule(pick=COURSES, who=WRITERS, privacy=st.sampled_from(PRIVACIES))
    def publish(self, pick: int, who: Any, privacy: str) -> None:
        self.change("PATCH", pick, who, {"privacy": privacy}, "json", ("", GONE))

    def change(self, method: str, pick: int, who: Any, body: dict[str, Any], wire: str, flaw: tuple[str, Any]) -> None:
        number, caller = self.chosen(pick, who)
        options, body = encoded(wire, self.flawed(body, flaw))
        answer = self.send(caller, method, f"/course/{number}/", **options)
        with self.judged(answer, 200):
            course = self.model.enter(caller, number, boss=True)
            self.model.check_body(body, method == "PUT", course)
            self.model.update(course, body)
            if "slug" in body or "image_original" in body:
                course.update(dict.fromkeys(IMAGES))
            self.check_written(caller, course, answer.json())

    @precondition(lambda self: len(self.model.courses) > 1)
    @rule(pick=COURSES, who=WRITERS)
    def delete(self, pick: int, who: Any) -> None:
        number, caller = self.chosen(pick, who)
        answer = self.send(caller, "DELETE", f"/course/{number}/")
        with self.judged(answer, 204):
            self.model.enter(caller, number, boss=True)
            del self.model.courses[number]

    @rule(pick=COURSES, who=READERS, view=st.sampled_from(("user", "user", None, "edit", "dashboard", "all")))
    def get(self, pick: int, who: Any, view: str | None) -> None:
        self.read(pick, who, view, None)

    @rule(pick=COURSES, who=WRITERS, view=st.sampled_from((None, "user", "edit", "dashboard")), user=USER_IDS)
    def emulate(self, pick: int, who: Any, view: str | None, user: int) -> None:
        self.read(pick, who, view, user)

    def read(self, pick: int, who: Any, view: str | None, user: int | None) -> None:
        number, caller = self.chosen(pick, who)
        params = {name: value for name, value in (("view", view), ("user", user)) if value is not None}
        answer = self.send(caller, "GET", f"/course/{number}/", params=params)
        with self.judged(answer, 200):
            boss = view in ("edit", "dashboard") or user is not None
            course = self.model.enter(caller, number, boss, login="closed")
            if view == "all":
                raise Refused(400, {"view": "invalid_choice"})
            if user == NOBODY:
                raise Refused(404, {"": "not_found"})
            form = "minimal" if not self.model.inside(caller, course) else view or "user"
            self.check_course(caller, course, answer.json(), form, user)

    # Lists of courses

    @rule(
        caller=CALLERS,
        text=st.sampled_from((None, None, "", "bread", "BREAD", "öl", "ÖL", "本", "flour", "&", "zz")),
        categories=st.sampled_from(([], [], [1], [2], [1, 2], [NOBODY])),
        statuses=STATUS_LISTS,
        ordering=st.sampled_from((None, "id", "-id", "name", "-name", "created_at", "-created_at", "added_at")),
        spelling=SPELLINGS,
        page=PAGES,
        flaw=QUERY_FLAWS,
    )
    def search(
        self,
        caller: Caller,
        text: str | None,
        categories: list[int],
        statuses: list[str],
        ordering: str | None,
        spelling: str,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
    ) -> None:
        query = [(name, value) for name, value in (("search", text), ("ordering", ordering)) if value is not None]
        query += spelled("categories", categories, spelling if categories else "json")
        query += spelled("statuses", statuses, spelling)

        def found() -> list[Course]:
            self.model.admit(caller, "closed")
            return self.model.search(caller, text or "", categories, statuses, ordering or "-id")

        self.list_courses(caller, "/course/search/", query, page, flaw, found, "minimal")

    @rule(
        caller=CALLERS,
        statuses=STATUS_LISTS,
        author=st.sampled_from((None, None, *USERS, NOBODY)),
        spelling=SPELLINGS,
        page=PAGES,
        flaw=QUERY_FLAWS,
    )
    def my_courses(
        self,
        caller: Caller,
        statuses: list[str],
        author: int | None,
        spelling: str,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
    ) -> None:
        query = spelled("statuses", statuses, spelling) + [("created_by", str(author))] * (author is not None)

        def found() -> list[Course]:
            self.model.admit(caller)
            mine = self.model.courses_of(caller, caller, statuses or ["manager", "joined"])
            return [course for course in mine if author in (None, course["created_by"])]

        self.list_courses(caller, "/course/", query, page, flaw, found, "course")

    @rule(caller=CALLERS, user=USER_IDS, statuses=STATUS_LISTS, spelling=SPELLINGS, page=PAGES, flaw=QUERY_FLAWS)
    def courses_of_user(
        self,
        caller: Caller,
        user: int,
        statuses: list[str],
        spelling: str,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
    ) -> None:
        def found() -> list[Course]:
            self.model.admit(caller, "never")
            if user == NOBODY:
                raise Refused(404, {"": "not_found"})
            return self.model.courses_of(caller, user, statuses or ["manager", "joined"])

        query = spelled("statuses", statuses, spelling)
        self.list_courses(caller, f"/user/{user}/courses/", query, page, flaw, found, "counted")

    @rule(caller=CALLERS, page=PAGES, flaw=QUERY_FLAWS)
    def suggested_courses(self, caller: Caller, page: dict[str, int], flaw: tuple[str, str, str] | None) -> None:
        def found() -> list[Course]:
            self.model.admit(caller)
            return self.model.suggested(caller)

        self.list_courses(caller, "/suggestion/course/", [], page, flaw, found, "course")

    # Membership

    @rule(pick=COURSES, who=JOINERS)
    def join(self, pick: int, who: Any) -> None:
        number, caller = self.chosen(pick, who)
        answer = self.send(caller, "POST", f"/course/{number}/join/", headers={"Content-Type": "application/json"})
        with self.judged(answer, 200):
            course = self.model.enter(caller, number)
            assert isinstance(caller, int)
            self.model.join(caller, course, self.now)
            self.touched = number
            self.check_course(caller, course, answer.json(), "user")

    @rule(pick=COURSES, who=LEAVERS)
    def leave(self, pick: int, who: Any) -> None:
        number, caller = self.chosen(pick, who)
        answer = self.send(caller, "DELETE", f"/course/{number}/join/")
        with self.judged(answer, 204):
            course = self.model.enter(caller, number)
            assert isinstance(caller, int)
            self.touched = number
            self.model.leave(course, caller, self.now)

    @rule(pick=COURSES, who=WRITERS, whom=LEAVERS, unknown=st.sampled_from((*[False] * 12, True)))
    def remove(self, pick: int, who: Any, whom: Any, unknown: bool) -> None:
        number, caller = self.chosen(pick, who)
        user = NOBODY if unknown else self.person(self.model.courses.get(number), whom) or 7
        answer = self.send(caller, "DELETE", f"/course/{number}/join/", params={"user": user})
        with self.judged(answer, 204):
            course = self.model.enter(caller, number, boss=True)
            assert isinstance(user, int)
            self.touched = number
            self.model.leave(course, user, self.now)

    @rule(
        method=st.sampled_from(("POST", "POST", "DELETE")),
        pick=COURSES,
        who=WRITERS,
        users=st.one_of(
            st.lists(st.sampled_from(sorted(USERS)), min_size=1, max_size=4), st.lists(USER_IDS, max_size=3)
        ),
        wire=WIRES,
    )
    def invitations(self, method: str, pick: int, who: Any, users: list[int], wire: str) -> None:
        number, caller = self.chosen(pick, who)
        options, body = encoded(wire, {"users": users})
        answer = self.send(caller, method, f"/course/{number}/invite/", **options)
        with self.judged(answer, 204):
            course = self.model.enter(caller, number, boss=True)
            self.touched = number
            self.model.check_users(body)
            change = self.model.invite if method == "POST" else self.model.uninvite
            change(course, body["users"], self.now)

    @rule(
        pick=COURSES,
        who=WRITERS,
        wanted=st.dictionaries(
            st.sampled_from(sorted(USERS)), st.sampled_from(("managers", "joined", "unjoined")), min_size=1, max_size=3
        ),
        extra=st.sampled_from(
            (*[None] * 8, ("managers", NOBODY), ("joined", 3), ("unjoined", 4), ("joined", None), ("nobodies", 3))
        ),
        wire=WIRES,
    )
    def roles(
        self, pick: int, who: Any, wanted: dict[int, str], extra: tuple[str, int | None] | None, wire: str
    ) -> None:
        number, caller = self.chosen(pick, who)
        lists: dict[str, list[int]] = {}
        for user, name in wanted.items():
            if not extra or extra[0] != "nobodies":  # an unknown list alone must not count as a known one
                lists.setdefault(name, []).append(user)
        if extra:
            lists.setdefault(extra[0], []).extend([extra[1]] if extra[1] else [])
        options, body = encoded(wire, lists)
        answer = self.send(caller, "POST", f"/course/{number}/role/", **options)
        with self.judged(answer, 204):
            course = self.model.enter(caller, number, boss=True)
            self.touched = number
            self.model.change_roles(course, body, self.now)

    @rule(pick=COURSES, who=READERS)
    def status(self, pick: int, who: Any) -> None:
        self.check_status(*self.chosen(pick, who))

    @rule(pick=COURSES, who=READERS, statuses=STATUS_LISTS, spelling=SPELLINGS, page=PAGES, flaw=QUERY_FLAWS)
    def joined_users(
        self,
        pick: int,
        who: Any,
        statuses: list[str],
        spelling: str,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
    ) -> None:
        number, caller = self.chosen(pick, who)

        def found() -> list[Any]:
            course = self.model.enter(caller, number, login="closed")
            if course["hide_member_count"]:
                self.model.enter(caller, number, boss=True, login="closed")
            if set(statuses) & {"invited", "requested"}:
                accepted = {"statuses": "invalid_choice"}
                raise Refused(400, accepted | {flaw[0]: flaw[2]} if flaw else accepted)
            return [USERS[user] for user in self.model.people(course, statuses or ["manager", "joined"])]

        query = spelled("statuses", statuses, spelling)
        self.check_list(caller, f"/course/{number}/join/", query, page, flaw, found)

    @rule(
        pick=COURSES,
        who=WRITERS,
        kind=st.sampled_from(("invite", "request_join", "user")),
        text=SEARCHES,
        page=PAGES,
        flaw=QUERY_FLAWS,
    )
    def lists_of_people(
        self,
        pick: int,
        who: Any,
        kind: str,
        text: str | None,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
    ) -> None:
        number, caller = self.chosen(pick, who)
        status = {"invite": "invited", "request_join": "requested", "user": None}[kind]
        fields = ("id", "username", "real_name", "avatar", *(["deleted"] if status == "requested" else []))
        searched = "" if kind == "invite" else text or ""  # the list of invited users has no search

        def found() -> list[dict[str, Any]]:
            course = self.model.enter(caller, number, boss=True)
            users = [USERS[user] for user in self.model.people(course, [status], searched)]
            if kind == "user":
                users.sort(key=lambda user: str(user["username"]))
            return [{field: user[field] for field in fields} for user in users]

        def known(shown: dict[str, Any]) -> dict[str, Any]:
            assert len(shown) == (5 if status != "requested" else 29)
            assert shown["ext_id"] is None
            return {field: shown[field] for field in fields}

        query = [("search", text)] if text is not None else []
        self.check_list(caller, f"/course/{number}/{kind}/", query, page, flaw, found, known)

    @rule(
        pick=COURSES,
        who=WRITERS,
        statuses=STATUS_LISTS,
        text=SEARCHES,
        ordering=st.sampled_from((None, "joined_at", "-joined_at", "last_active_at", "-last_active_at", "id")),
        spelling=SPELLINGS,
        page=PAGES,
        flaw=QUERY_FLAWS,
    )
    def dashboard(
        self,
        pick: int,
        who: Any,
        statuses: list[str],
        text: str | None,
        ordering: str | None,
        spelling: str,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
    ) -> None:
        number, caller = self.chosen(pick, who)
        query = [(name, value) for name, value in (("search", text), ("ordering", ordering)) if value is not None]
        query += spelled("statuses", statuses, spelling)

        def found() -> list[dict[str, Any]]:
            course = self.model.enter(caller, number, boss=True)
            users = self.model.dashboard(course, statuses or ["manager", "joined"], text or "", ordering or "")
            return [self.model.dashboard_user(course, user) for user in users]

        self.check_list(caller, f"/course/{number}/users/", query, page, flaw, found)

    # After each step

    @invariant()
    def the_world_is_as_the_model(self) -> None:
        """One of several reads in turn; and everything about the course that was just changed."""
        self.steps += 1
        kind, turn = self.steps % 4, self.steps // 4
        caller = (*USERS, None)[turn % 8]
        if kind == 0:
            text = (None, "flour", "leinwand")[turn % 3]
            self.search(caller, text, [], [], None, "json", {"limit": 100}, None)
        elif kind == 1:
            self.check_status(self.model.used[turn % len(self.model.used)], caller)
        elif kind == 2:
            self.courses_of_user(caller, turn % 7 + 1, list(STATUSES), "json", {}, None)
        else:
            self.joined_users(turn % 12, caller or "anonymous", [], "json", {}, None)
        if self.touched in self.model.courses:
            number, self.touched = self.touched, None
            course = self.model.courses[number]
            self.courses_of_user(course["created_by"], course["created_by"], ["creator"], "json", {}, None)
            params = {"statuses": ",".join(STATUSES)}
            answer = self.send(course["created_by"], "GET", f"/course/{number}/users/", params=params)
            people = self.model.dashboard(course, STATUSES, "", "")
            assert answer.json()["results"] == [self.model.dashboard_user(course, user) for user in people]

    # Choosing, sending and checking

    def chosen(self, pick: int, who: Any) -> tuple[int, Caller]:
        """The ids of a course and a caller."""
        there = sorted(self.model.courses)
        gone = [number for number in self.model.used if number not in self.model.courses]
        if pick == 15 or not there:
            number = (0, -1, NOBODY)[self.steps % 3]
        elif pick == 14 and gone:
            number = gone[-1]
        else:
            number = there[pick % len(there)]
        return number, self.person(self.model.courses.get(number), who)

    def person(self, course: Course | None, who: Any) -> Caller:
        """The id of a caller; if no one has the requested status, of a user who comes close."""
        if who == "anonymous":
            return None
        if who == BAD:
            return BAD
        if isinstance(who, int):
            return who
        people = course["people"] if course else {}
        having = [user for user in USERS if people.get(user, {}).get("status") == who]
        if not having and who in ("joined", "invited", "requested"):
            having = [user for user in people if people[user]["status"] != "creator"]
        if not having and who == "manager":
            having = list(people)[:1]
        having = having or list(USERS)
        return having[self.steps % len(having)]

    def send(self, caller: Caller, method: str, path: str, **options: Any) -> httpx.Response:
        """Every request takes time."""
        self.pass_time(timedelta(seconds=1))
        return super().send(caller, method, path, **options)

    def check_status(self, number: int, caller: Caller) -> None:
        answer = self.send(caller, "GET", f"/course/{number}/status/")
        with self.judged(answer, 200):
            course = self.model.enter(caller, number)
            assert answer.json() == {"status": self.model.status(caller, course)}

    def check_written(self, caller: Caller, course: Course, shown: dict[str, Any]) -> None:
        """After a write, the answer shows the course, with a slug and images that no rule predicts."""
        if not course["slug"]:
            assert self.model.good_slug(course, shown["slug"])
            assert not course["name"].isascii() or self.model.made_from_name(course, shown["slug"])
            course["slug"] = shown["slug"]
        for image in IMAGES:
            assert shown[image].startswith("http://stub.test/")
            course[image] = course.get(image) or shown[image]
        self.touched = course["id"]
        self.check_course(caller, course, shown, "course")

    def check_course(
        self, caller: Caller, course: Course, shown: dict[str, Any], form: str, subject: int | None = None
    ) -> None:
        expected = self.model.shown(caller, course, form, subject)
        seen = {**shown, "categories": {category["id"]: category["name"] for category in shown["categories"]}}
        assert len(seen["categories"]) == len(shown["categories"])
        if not self.model.inside(caller, course) and form != "minimal":
            # No rule says how to hide these two flags of the full form from outsiders.
            for flag in ("enforce_lessons_order", "new_comment_notification_enabled"):
                seen[flag] = expected[flag]
        assert seen == expected

    def list_courses(
        self,
        caller: Caller,
        path: str,
        query: Query,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
        found: Callable[[], list[Course]],
        form: str,
    ) -> None:
        """Request a page of courses."""
        for shown, course in self.page(caller, path, query, page, flaw, found):
            self.check_course(caller, course, shown, form)

    def check_list(
        self,
        caller: Caller,
        path: str,
        query: Query,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
        found: Callable[[], list[Any]],
        known: Callable[[dict[str, Any]], Any] = lambda shown: shown,
    ) -> None:
        """Request a page of anything else."""
        for shown, expected in self.page(caller, path, query, page, flaw, found):
            assert known(shown) == expected


Courses.TestCase.settings = extent(220)
TestModel = pytest.mark.long(Courses.TestCase)
