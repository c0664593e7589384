"""What answers of the API say about the rows of a community, as far as they say it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stubserver.authoring.har_file import Exchange
from stubserver.authoring.known import Known, as_id
from stubserver.contract.contract import Contract

_STATUSES = {
    "list_course_joined_users": "joined",
    "list_course_invited_users": "invited",
    "list_course_join_requests": "requested",
}
"""Operation whose answer lists people of one course -> their status there."""
_IN_ORDER = {
    "list_course_sections": ("sections", "id"),
    "list_course_lessons": ("lessons", "section_id"),
    "list_course_questions": ("questions", "lesson_id"),
}
"""Operation that lists rows in their order -> the table, and the path parameter that names the parent."""
PROGRESS, ATTEMPTS = "members whose progress is only a percentage", "attempts whose answers nobody saw"
_DELETED = {
    "delete_course": ("courses", "id"),
    "delete_course_section": ("sections", "section_id"),
    "delete_course_lesson": ("lessons", "lesson_id"),
    "delete_course_question": ("questions", "question_id"),
    "delete_course_comment": ("comments", "comment_id"),
}
"""Operation -> the table from which it takes a row, and the path parameter that names it."""


class Answers:
    """Reads answers."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.known = Known()
        self._course: Callable[..., int] = self._read_course
        self._readers: Mapping[str, Callable[[Any, Exchange], Any]] = {
            "Category": lambda value, _: self._category(value),
            "Course": self._course,
            "CourseMinimal": self._course,
            "CourseWithMemberCount": self._course,
            "CourseUserDetail": self._course,
            "CourseSection": lambda value, of: self._section(value, of.path["id"], of),
            "CourseLesson": lambda value, of: self._lesson(value, of.path["section_id"], of),
            "CourseQuestion": lambda value, of: self._question(value, of.path["lesson_id"]),
            "CourseComment": self._comment,
            "CourseAttempt": lambda value, _: self._attempt(value),
            "CourseQuizDashboard": lambda value, _: self._attempted(value),
            "CourseStatus": lambda value, of: self._status(of.path["id"], value["status"], of),
            "CourseUserDashboard": self._member,
            "Media": lambda value, _: self._media(value),
            **dict.fromkeys(("UserMinimal", "UserShort", "User", "UserMe"), self._listed),
            "Preference": lambda value, _: self._preference(value),
            "Feature": lambda value, _: self._feature(value),
        }

    def read(self, exchanges: Iterable[Exchange]) -> int:
        """Learn from all answers; returns how many had another form than the contract says."""
        found, odd = list(exchanges), 0
        for exchange in found:
            if (
                exchange.operation.id == "get_me"
                and isinstance(exchange.body, dict)
                and type(exchange.body.get("id")) is int
            ):
                self.known.callers[exchange.caller] = exchange.body["id"]
                if exchange.persona:
                    self.known.tokens[exchange.body["id"]] = exchange.persona
        for exchange in found:
            odd += not self._read_one(exchange)
        return odd

    def _read_one(self, exchange: Exchange) -> bool:
        if exchange.operation.id in _DELETED:
            table, name = _DELETED[exchange.operation.id]
            self.known.deleted.add((table, exchange.path[name]))
            return True
        schema = exchange.operation.answer
        if schema is None:
            return True
        try:
            self._learn(exchange.body, schema, exchange)
        except (KeyError, TypeError, AttributeError, ValueError):
            return False
        return True

    def _learn(self, body: Any, schema: Mapping[str, Any], exchange: Exchange) -> None:
        name = next(iter(schema.get("anyOf", [schema]))).get("$ref", "").rpartition("/")[2]
        if name.endswith("Page"):
            body, schema = body["results"], self._contract.properties(schema)["results"]
        if schema.get("type") == "array":
            name = schema["items"].get("$ref", "").rpartition("/")[2]
        values = body if isinstance(body, list) else [body]
        if reader := self._readers.get(name):
            for value in values:
                reader(value, exchange)
        if exchange.operation.id in _IN_ORDER:
            table, parent = _IN_ORDER[exchange.operation.id]
            self.known.orders.setdefault((table, exchange.path[parent]), [as_id(value["id"]) for value in values])

    # People

    def _user(self, value: Mapping[str, Any]) -> int:
        number: int = value["id"]
        fields = ("username", "real_name", "ext_id", "date_joined", "bio", "location", "description")
        facts = {name: value[name] for name in (*fields, "community_badge", "deleted", "deleted_at") if name in value}
        row = self.known.learn("users", number, {**facts, "id": number})
        if "avatar" in value:
            row["avatar"] = value["avatar"]
        if value.get("role"):
            row["role"] = value["role"]
        return number

    def _listed(self, value: Mapping[str, Any], exchange: Exchange) -> None:
        """A user who is listed, perhaps because of a status in a course."""
        number, status = self._user(value), _STATUSES.get(exchange.operation.id)
        if status:
            self._belongs(exchange.path["id"], number, {"status": status}, is_sure=False)

    def _member(self, value: Mapping[str, Any], exchange: Exchange) -> None:
        facts = {name: value.get(name) for name in ("joined_at", "last_active_at")}
        user = self._user(value)
        self._belongs(exchange.path["id"], user, {"status": value["join_status"], **facts})
        if value.get("user_completion_rate"):
            self.known.hidden.setdefault(PROGRESS, set()).add((exchange.path["id"], user))

    def _belongs(self, course: int, user: int, facts: Mapping[str, Any], is_sure: bool = True) -> None:
        known = self.known.tables.get("memberships", {}).get((course, user), {})
        if facts.get("status") and (is_sure or "status" not in known):
            self.known.learn("memberships", (course, user), {"course_id": course, "user_id": user, **facts})

    def _subject(self, exchange: Exchange) -> int | None:
        """The user whose status and progress an answer shows."""
        if exchange.query.get("user", "").isdecimal():
            return int(exchange.query["user"])
        return self.known.callers.get(exchange.caller)

    def _status(self, course: int, status: str | None, exchange: Exchange) -> None:
        if status is None:
            return
        subject = self._subject(exchange)
        if subject is None:
            self.known.nameless += 1
        else:
            self._belongs(course, subject, {"status": status})

    # Courses

    def _category(self, value: Mapping[str, Any]) -> int:
        fields = ("id", "name", "slug", "slogan", "order", "active", "content_only_staff", "lastmod_datetime")
        self.known.learn("categories", value["id"], {name: value[name] for name in fields if name in value})
        number: int = value["id"]
        return number

    def _read_course(self, value: Mapping[str, Any], exchange: Exchange) -> int:
        number: int = value["id"]
        fields = ("id", "name", "slug", "description", "type", "privacy", "enforce_lessons_order", "created_at")
        texts = ("new_comment_notification_enabled", "hide_member_count", "meta_title", "meta_description")
        facts = {name: value[name] for name in (*fields, *texts, "og_title", "og_description") if name in value}
        if value.get("created_by"):
            facts["created_by"] = self._user(value["created_by"])
        facts["categories"] = [self._category(one) for one in value.get("categories", ())]
        self.known.learn("courses", number, facts)
        self._order("sections", number, value.get("sections_order", ()))
        self._status(number, value.get("join_status"), exchange)
        for section in value.get("sections", ()):
            self._section(section, number, exchange)
        return number

    def _order(self, table: str, parent: int, numbers: Iterable[int]) -> None:
        if order := [as_id(number) for number in numbers]:
            self.known.orders[table, parent] = order

    def _section(self, value: Mapping[str, Any], course: int, exchange: Exchange) -> None:
        facts = {name: value[name] for name in ("id", "name", "dripped_at", "drip_delay") if name in value}
        self.known.learn("sections", value["id"], {**facts, "course_id": course})
        self._order("lessons", value["id"], value.get("lessons_order", ()))
        for lesson in value.get("lessons", ()):
            self._lesson(lesson, value["id"], exchange)

    def _lesson(self, value: Mapping[str, Any], section: int, exchange: Exchange) -> None:
        number = value["id"]
        fields = ("id", "name", "type", "status", "comments_enabled", "passing_grade", "created_at")
        facts = {name: value[name] for name in fields if value.get(name) is not None}
        if value.get("created_by"):
            facts["created_by"] = self._user(value["created_by"])
        if "html" in value:
            facts |= {"text": value["html"], "medias": [self._media(media) for media in value.get("medias") or ()]}
        self.known.learn("lessons", number, {**facts, "section_id": section})
        if questions := value.get("questions"):
            for question in questions:
                self._question(question, number)
            self._order("questions", number, (question["id"] for question in questions))
        if isinstance(value.get("last_attempt"), dict):
            self._attempt(value["last_attempt"])
        status, subject = value.get("completion_status"), self._subject(exchange)
        if status in ("completed", "failed") and subject is not None:
            done = {"user_id": subject, "lesson_id": number, "status": status}
            self.known.learn("completions", (subject, number), done)

    def _question(self, value: Mapping[str, Any], lesson: int) -> None:
        known = {answer["id"]: answer for answer in self.known.row("questions", value["id"]).get("answers", ())}
        answers = [
            {name: answer[name] for name in ("id", "text", "correct") if answer.get(name) is not None}
            for answer in value["answers"]
        ]
        facts = {name: value[name] for name in ("id", "type", "text", "image") if name in value}
        merged = [{**known.get(answer["id"], {}), **answer} for answer in answers]
        self.known.learn("questions", value["id"], {**facts, "lesson_id": lesson, "answers": merged})

    def _attempt(self, value: Mapping[str, Any]) -> None:
        questions = value["quiz_attempt"]["questions"]
        responses = [
            {
                "question_id": as_id(question["id"]),
                "selected_options": [answer["id"] for answer in question["answers"] if answer.get("selected")],
            }
            for question in questions
        ]
        facts = {"id": value["id"], "lesson_id": as_id(value["lesson_id"]), "created_at": value["created_at"]}
        self.known.learn(
            "attempts", value["id"], {**facts, "user_id": self._user(value["user"]), "responses": responses}
        )

    def _attempted(self, value: Mapping[str, Any]) -> None:
        self._user(value["user"])
        self.known.hidden.setdefault(ATTEMPTS, set()).add(as_id(value["id"]))

    def _comment(self, value: Mapping[str, Any], exchange: Exchange, lesson: int | None = None) -> None:
        number = value["id"]
        lesson = lesson or exchange.path.get("lesson_id") or as_id(value["extras"]["lesson"]["id"])
        facts = {"id": number, "created_at": value["created_at"]}
        facts |= {name: as_id(value[name]) for name in ("parent", "in_reply_to") if value.get(name) is not None}
        medias = [self._media(media) for media in value.get("medias") or ()]
        author = self._user(value["created_by"])
        self.known.learn(
            "comments", number, {**facts, "lesson_id": lesson, "created_by": author, "medias": medias, "text": "x"}
        )
        for reply in (value.get("latest_reply"), *(value.get("replies") or ())):
            if isinstance(reply, dict):
                self._comment(reply, exchange, lesson)

    def _media(self, value: Mapping[str, Any]) -> int:
        number: int = value["id"]
        fields = ["id", "type", "title", "description", "image_width", "image_height", "order", "embed", "added_at"]
        if value.get("type") in ("url", "embed", "share"):
            fields.append("url")  # that of an upload leads to somebody's file
        self.known.learn("medias", number, {name: value[name] for name in fields if name in value})
        return number

    # The community

    def _preference(self, value: Mapping[str, Any]) -> None:
        self.known.preferences[f"{value['section']}.{value['name']}"] = value["value"]

    def _feature(self, value: Mapping[str, Any]) -> None:
        if value["enabled"] and value["name"] not in self.known.features:
            self.known.features.append(value["name"])
