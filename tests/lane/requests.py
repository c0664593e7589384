"""Requests for the tests of the fast lane: to every operation, drawn at random from a seed and the current rows of a
world; and events that change worlds in between."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from stubserver.call import ROW_KINDS
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation, Parameter
from stubserver.contract.places import KINDS
from stubserver.worlds.base import Row
from stubserver.worlds.world import World
from tests.lane.oddities import FORM, JSON, SOON, Oddities, Request, is_http, multipart, signed
from tests.support.default import HOST, NOW, PERSONAS
from tests.support.pictures import RED

WORLDS = ("default", "default", "default", "other", "third_one")
"""Worlds that get the requests; one gets more than the others, so that answers repeat."""
TEXTS = ("Knots", "a", "über Wörter", "<p>Hello</p>", "100 % &amp; more", "Zwei\nZeilen", "😀", "null", "7", "x" * 300)
_NUMBERS = {
    "limit": (1, 2, 3, 50, 100),
    "offset": (0, 1, 2, 5),
    "user": (1, 3, 6),
    "parent": (1, 2),
    "created_by": (1, 3),
}
_NO_ROW: Row = {"id": 1, "lesson_id": 1, "section_id": 1, "course_id": 1}
"""Stands for a row when there is none."""


@dataclass(frozen=True)
class Step:
    """What is sent at once over one connection."""

    requests: tuple[Request, ...]
    cuts: tuple[int, ...] = ()
    """Where the bytes are cut into pieces, which are sent one at a time."""


def plain(method: str, path: str, persona: str | None = "creator", world: str = "default", body: Any = None) -> Request:
    """A request as most clients send it."""
    headers = [("Host", HOST), *([("X-Stub-World", world)] if world != "default" else [])]
    headers += [("Authorization", f"Bearer stub-{persona}")] if persona else []
    request = Request(method, path if path.startswith("/oauth/") else f"/api/v2{path}", tuple(headers))
    return request if body is None else replace(request, body=json.dumps(body).encode()).with_("Content-Type", JSON)


def control(method: str, path: str, world: str = "default", body: Any = None) -> Request:
    """A request to the control plane."""
    headers = (("Host", "localhost"), ("X-Stub-World", world), ("Content-Type", JSON))
    return Request(method, f"/__stub/{path}", headers, b"" if body is None else json.dumps(body).encode())


def freeze(world: str, moment: datetime = NOW) -> Request:
    """Freeze the clock of a world, by default at the time of all tests."""
    return control("POST", f"clock/freeze?at={quote(moment.isoformat())}", world)


class Requests:
    """Draws requests at random."""

    def __init__(self, contract: Contract, seed: int, world: Callable[[str], World]) -> None:
        """`world` maps a name to the current state of that world."""
        self._contract = contract
        self._chance = random.Random(seed)  # noqa: S311
        self._odd = Oddities(self._chance)
        self._world = world
        self._made = 0
        self._asked: dict[str, list[Request]] = {}
        """World -> GET requests that are sent again."""
        self._waiting: list[Operation] = []

    def step(self) -> Step:
        chance = self._chance
        several = chance.choice((2, 2, 3, 4, 5)) if chance.random() < 0.08 else 1
        requests = tuple(self._request(chance.choice(WORLDS)) for _ in range(several))
        malformed = next((request for request in requests if not is_http(request.raw)), None)
        if malformed is not None:
            return Step((malformed,))
        length = sum(len(request.raw) for request in requests)
        cuts = sorted(chance.sample(range(1, length), min(3, length - 1))) if chance.random() < 0.04 else ()
        return Step(requests, tuple(cuts))

    def _request(self, name: str) -> Request:
        asked, draw = self._asked.setdefault(name, []), self._chance.random()
        if asked and draw < 0.35:
            return self._chance.choice(asked)
        request = self.valid(name, self._operation())
        if request.method == "GET" and draw < 0.5:
            asked.append(request)
            del asked[:-40]
        for _ in range(self._chance.choices((0, 1, 2), (60, 32, 8))[0]):
            request = self._odd.of(request)
        return request

    def _operation(self) -> Operation:
        """Each operation once per round, in random order; the most destructive ones much less often."""
        if not self._waiting:
            self._waiting = list(self._contract.operations.values())
            self._chance.shuffle(self._waiting)
        operation = self._waiting.pop()
        passed_over = operation.id in ("delete_course", "delete_course_section") and self._chance.random() < 0.6
        return self._operation() if passed_over else operation

    def valid(self, name: str, operation: Operation) -> Request:
        """A request to the operation that the world's rows allow, if possible."""
        world = self._world(name)
        rows = self._rows(world, operation)
        path = operation.path.format(**{parameter: rows[kind]["id"] for parameter, kind in operation.loads.items()})
        token = self._token(world, self._caller(operation, rows))
        query = urlencode([pair for p in operation.parameters if p.place == "query" for pair in self._texts(p)])
        request = plain(operation.method.upper(), "", None, name).with_("Authorization", *token)
        request = replace(request, target=path + (f"?{query}" if query else ""))
        match operation.id:
            case "upload_media_chunk":
                return self._piece(request, world)
            case "complete_media_upload":
                return self._completion(request, world)
        return self._with_body(request, self._fields(world, operation, rows)) if operation.bodies else request

    def _rows(self, world: World, operation: Operation) -> dict[str, Row]:
        """Rows for the path, chosen from last to first, so that they belong together."""
        rows: dict[str, Row] = {}
        for kind in reversed(list(operation.loads.values())):
            table, name = getattr(world, ROW_KINDS[kind].table), "lesson" if kind == "quiz" else kind
            children = [row for below, row in rows.items() if ROW_KINDS[below].parent == name]
            if children:
                rows[kind] = table.get(children[0][f"{name}_id"]) or _NO_ROW
            else:
                only_quiz = kind == "quiz" or operation.id == "create_course_question_at_lesson"
                rows[kind] = self._chance.choice(
                    [row for row in table if not only_quiz or row["type"] == "quiz"] or [_NO_ROW]
                )
        return rows

    def _caller(self, operation: Operation, rows: Mapping[str, Row]) -> str | None:
        """A persona who has access, in most cases."""
        chance, access = self._chance, operation.access
        if operation.id == "leave_course":
            access = "member"
        if chance.random() < 0.08 or access in ("everyone", "reader", "viewer", "roster"):
            return chance.choice((*PERSONAS, "creator", "member", None))
        owns = {
            "comment_author": ("comment", "created_by"),
            "attempt_owner": ("attempt", "user_id"),
            "oneself": ("user", "id"),
        }
        if access in owns:
            kind, field = owns[access]
            owner = rows[kind].get(field, 1)
            return PERSONAS[owner - 1] if owner <= len(PERSONAS) else "creator"
        groups: dict[str, tuple[str, ...]] = {
            "manager": ("creator", "creator", "manager"),
            "member": ("member", "invited", "manager"),
        }
        groups |= dict.fromkeys(("student", "commenter"), ("member", "member", "creator", "manager"))
        return chance.choice(groups.get(access, PERSONAS))

    def _token(self, world: World, persona: str | None) -> list[str]:
        """Values of the Authorization header."""
        if persona is None:
            return []
        user, draw = PERSONAS.index(persona) + 1, self._chance.random()
        granted = [row["access_token"] for row in world.grants if row["user_id"] == user and row["access_token"]]
        if granted and draw < 0.25:
            return [f"Bearer {self._chance.choice(granted)}"]
        return [f"Bearer {signed(user, SOON)}" if 0.3 < draw < 0.4 else f"Bearer stub-{persona}"]

    def _texts(self, parameter: Parameter) -> Iterator[tuple[str, str]]:
        """A query parameter in one of its spellings, or none at all."""
        chance, name, schema = self._chance, parameter.name, parameter.schema
        if chance.random() > 0.35:
            return
        if schema["type"] != "array":
            kinds: dict[str, tuple[Any, ...]] = {"boolean": ("true", "0"), "integer": (1, 2)}
            others = _NUMBERS.get(name, kinds.get(schema["type"], ("a", "er", "")))
            yield name, str(chance.choice(schema.get("enum") or others))
            return
        items = schema["items"].get("enum") or (1, 2, 3, 4)
        values = [str(value) for value in chance.sample(items, chance.randint(1, min(3, len(items))))]
        match chance.randrange(4):
            case 0:
                yield name, ",".join(values)
            case 1:
                yield name, json.dumps(values)
            case spelling:
                yield from ((name + "[]" * (spelling == 2), value) for value in values)

    # Bodies

    def _fields(self, world: World, operation: Operation, rows: Mapping[str, Row]) -> Mapping[str, Any]:
        """The fields of the body."""
        chance = self._chance
        match operation.id:
            case "make_course_attempt":
                questions = [world.questions[number] for number in rows["quiz"].get("questions_order", ())]
                picked = [(row["id"], chance.choice(row["answers"])["id"]) for row in questions]
                return {"responses": [{"question_id": row, "selected_options": [answer]} for row, answer in picked]}
            case "create_course_comment":
                comments = world.comments.where("lesson_id", rows["lesson"]["id"])
                threads = [row["id"] for row in comments if row["parent"] is None]
                return {"text": chance.choice(TEXTS), "parent": chance.choice([*threads, None])}
            case "change_course_roles":
                lists, people = chance.sample(("managers", "joined", "unjoined"), 2), chance.sample(range(4, 15), 3)
                return {lists[0]: people[:1], lists[1]: people[1:]}
            case "create_media":
                url = f"https://pages.example/{quote(chance.choice(TEXTS[:4]))}"
                embed = {"embed_type": "video", "embed_id": "7", "metadata": {"a": [1]}}
                return {
                    **chance.choice(({"type": "url"}, {"type": "image"}, {"type": "embed", "embed": embed})),
                    "url": url,
                }
            case "oauth_token":
                return self._grant(world)
            case "revoke_token":
                granted = [row["access_token"] for row in world.grants if row["access_token"]]
                return {"client_id": "stub-app", "token": chance.choice(granted or ["none"])}
            case "verify_token":
                return {"token": self._token(world, chance.choice(PERSONAS))[0].partition(" ")[2]}
        needed = next(iter(operation.bodies.values())).schema.get("required", ())
        fields = {name: part for name, part in operation.fields.items() if name in needed or chance.random() < 0.3}
        return {name: self._value(name, part, world, rows) for name, part in fields.items()}

    def _grant(self, world: World) -> dict[str, Any]:
        app, user = self._chance.choice(list(world.apps)), world.users[self._chance.randint(1, 7)]
        secret = {"client_secret": app["client_secret"]} if app["client_secret"] else {}
        found = [{"grant_type": "password", "username": user["username"], "password": user["password"]}]
        for row in world.grants:
            if row["client_id"] == app["client_id"] and row["refresh_token"]:
                found.append({"grant_type": "refresh_token", "refresh_token": row["refresh_token"]})
            if row["code"]:
                code = {"code": row["code"], "redirect_uri": row["redirect_uri"]}
                return {"grant_type": "authorization_code", "client_id": row["client_id"], **code}
        return {"client_id": app["client_id"], **secret, **self._chance.choice(found)}

    def _value(self, name: str, schema: Mapping[str, Any], world: World, rows: Mapping[str, Row]) -> Any:
        chance = self._chance
        orders = {"sections_order": "course", "lessons_order": "section", "questions_order": "lesson"}
        match name, schema.get("type"):
            case _ if "enum" in schema:
                return chance.choice(schema["enum"])
            case "name", _:
                self._made += 1
                return f"{chance.choice(TEXTS[:4])} {self._made}"
            case "slug", _:
                return chance.choice(("", f"slug-{self._made}"))
            case "dripped_at", _:
                return chance.choice((None, (NOW + timedelta(days=chance.randint(-9, 9))).isoformat()))
            case "answers", _:
                right = chance.choice(("Yes", "No"))
                return [{"text": text, "correct": text == right} for text in ("Yes", "No")]
            case _, "array" if name in orders:
                order = rows.get(orders[name], {}).get(name, ())
                return chance.sample(order, len(order))
            case _, "array":
                known = [row["id"] for row in getattr(world, name)]
                return chance.sample(known, min(len(known), chance.randint(1, 3)))
            case _, "boolean":
                return chance.random() < 0.4
            case (("parent" | "in_reply_to"), _):
                return None
            case _, "integer":
                return chance.choice((0, 7, 60, 100))
        return chance.choice((*TEXTS, None) if schema.get("nullable") else TEXTS)

    def _with_body(self, request: Request, fields: Mapping[str, Any]) -> Request:
        media = self._chance.choice((JSON, JSON, JSON, FORM, "multipart"))
        parts = [part for value in fields.values() for part in (value if isinstance(value, list) else [value])]
        if media == JSON or any(isinstance(part, dict) for part in parts):
            text = json.dumps(fields, ensure_ascii=self._chance.random() < 0.5)
            return replace(request, body=text.encode()).with_("Content-Type", JSON)
        pairs = list(self._pairs(fields))
        if media == FORM:
            return replace(request, body=urlencode(pairs).encode()).with_("Content-Type", FORM)
        return multipart(request, *((f'name="{name}"', value.encode()) for name, value in pairs))

    def _pairs(self, fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The fields as a form writes them."""
        for name, value in fields.items():
            spelling = self._chance.randrange(3)
            for number, part in enumerate(value if isinstance(value, list) else [value]):
                brackets = ("", "[]", f"[{number}]")[spelling] if isinstance(value, list) else ""
                yield name + brackets, part if isinstance(part, str) else json.dumps(part)

    def _piece(self, request: Request, world: World) -> Request:
        """The first or the next piece of an upload."""
        chance, named = self._chance, []
        content = chance.choice((RED, RED, chance.randbytes(chance.choice((12, 300)))))
        start, size = 0, len(content) * chance.choice((1, 1, 2))
        waiting = [row for row in world.uploads if row["offset"] < row["size"] and row["user_id"] <= len(PERSONAS)]
        if waiting and chance.random() < 0.6:
            upload = chance.choice(waiting)
            start, size = upload["offset"], upload["size"]
            content, named = content[: size - start], [('name="upload_id"', str(upload["upload_id"]).encode())]
            request = request.with_("Authorization", f"Bearer stub-{PERSONAS[upload['user_id'] - 1]}")
        sent = multipart(request, *named, ('name="image"; filename="sky.png"', content))
        return sent.with_("Content-Range", f"bytes {start}-{start + len(content) - 1}/{size}")

    def _completion(self, request: Request, world: World) -> Request:
        """The completion of a finished upload, if there is one."""
        fields = {"upload_id": "none", "md5": "0" * 32}
        for upload in world.uploads:
            if upload["offset"] == upload["size"] and upload["user_id"] <= len(PERSONAS):
                pieces = world.pieces.where("upload_id", upload["upload_id"])
                digest = hashlib.md5(b"".join(piece["content"] for piece in pieces), usedforsecurity=False)
                fields = {"upload_id": upload["upload_id"], "md5": digest.hexdigest()}
                request = request.with_("Authorization", f"Bearer stub-{PERSONAS[upload['user_id'] - 1]}")
        return self._with_body(request, fields)

    # What happens to worlds

    def event(self) -> list[Request]:
        """An event that changes a world from outside, with requests that reveal the change."""
        name = self._chance.choice(WORLDS)
        seen = self._seen(name)
        kinds = (
            self._time,
            self._opening,
            self._faulty,
            self._varied,
            self._restored,
            self._begun_anew,
            self._released,
        )
        return [*seen, *self._chance.choice(kinds)(name), *seen, *self._seen(name)]

    def _seen(self, name: str) -> list[Request]:
        """Some earlier requests to the world."""
        asked = self._asked.get(name, [])
        return self._chance.sample(asked, min(4, len(asked)))

    def _time(self, name: str) -> list[Request]:
        moment = NOW + timedelta(hours=self._chance.randint(-99, 99))
        by = self._chance.choice(({"hours": 11}, {"days": 1}, {"days": 8}, {"seconds": 1}))
        onward = control("POST", "clock/advance", name, by)
        there = control("POST", "clock/set", name, {"at": moment.isoformat()})
        return [self._chance.choice((onward, there, freeze(name, moment)))]

    def _opening(self, name: str) -> list[Request]:
        """The moments around which sections open for the member, back and forth."""
        moments, asked = set(), []
        world = self._world(name)
        for membership in world.memberships.where("user_id", 3):
            course = world.courses[membership["course_id"]]
            for section in (world.sections[number] for number in course["sections_order"]):
                if course["type"] == "scheduled" and section["dripped_at"]:
                    moments.add(section["dripped_at"])
                elif course["type"] == "structured" and membership["joined_at"]:
                    moments.add(membership["joined_at"] + timedelta(days=section["drip_delay"]))
                paths = [
                    f"/course/{course['id']}/section/{section['id']}/lesson/{n}/" for n in section["lessons_order"]
                ]
                asked += [plain("GET", path, "member", name) for path in (f"/course/{course['id']}/", *paths)]
        asked = self._chance.sample(asked, min(12, len(asked)))
        found = []
        for moment in self._chance.sample(sorted(moments), min(2, len(moments))):
            just_before = moment - timedelta(microseconds=1)
            for at in (just_before, moment, just_before):
                found += [freeze(name, at), *asked]
        return [*found, freeze(name)]

    def _faulty(self, name: str) -> list[Request]:
        seen = self._seen(name)
        fault = self._chance.choice(
            (
                {"kind": "error", "status": 503, "times": 2},
                {"kind": "error", "status": 429, "method": "GET", "probability": 0.5},
                {"kind": "error", "operation": "get_course"},
                {"kind": "stale", "times": 4},
                {"kind": "truncate", "times": 1},
                {"kind": "reset", "times": 1},
                {"kind": "lost", "times": 1},
                {"kind": "drip", "seconds": 0},
                {"kind": "latency", "seconds": 0},
            )
        )
        also = {"kind": "error", "status": 500, "probability": 0.3, "switch": "storm"}
        switched = [one.with_("Cookie", "stub-fault=storm") for one in seen]
        changed = self.valid(name, self._contract.operations["patch_course"])
        made = [control("POST", "faults", name, wanted) for wanted in (fault, also)]
        return [*made, *seen, changed, *switched, *seen, control("DELETE", "faults", name), *switched]

    def _varied(self, name: str) -> list[Request]:
        seen = self._seen(name)
        changed = self.valid(name, self._contract.operations["patch_course"])
        kinds = self._chance.sample(KINDS, 3)
        made = [control("POST", "variants", name, {"kind": kind}) for kind in kinds]
        asked = [one.with_("Prefer", 'variant="unknown:"') for one in seen]
        return [*made, *seen, changed, *asked, *seen, control("DELETE", "variants", name), *seen]

    def _restored(self, name: str) -> list[Request]:
        """Restore the world to its state before two changes."""
        changes = [self.valid(name, self._contract.operations[wanted]) for wanted in ("patch_course", "create_course")]
        seen, restored = self._seen(name), control("POST", "snapshots/before/restore", name)
        taken = control("POST", "snapshots", name, {"name": "before"})
        return [taken, *changes, *seen, restored, *seen, *changes, *seen]

    def _begun_anew(self, name: str) -> list[Request]:
        """Reset or clear the world in one of several ways, and freeze it again at once."""
        gone = control("DELETE", f"worlds/{name}")
        fork = {"name": name, "fixture": "default"} if name == "default" else {"name": name, "world": "default"}
        reset, made, forgotten = (
            control("POST", f"worlds/{name}/reset"),
            control("POST", "worlds", body=fork),
            "requests",
        )
        ways = ([reset], [gone], [gone, made], [control("DELETE", forgotten, name)])
        return [*self._chance.choice(ways), freeze(name)]

    def _released(self, name: str) -> list[Request]:
        """While the clock runs, answers can be compared, but the journal cannot."""
        seen = self._seen(name)
        forgotten = control("DELETE", "requests", name)
        return [control("POST", "clock/release", name), *seen, *seen, freeze(name), forgotten]
