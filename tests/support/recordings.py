"""Recordings of browsers, as small as they can be."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

API = "https://community.example/api/v2"


def entry(path: str, body: Any = None, **changes: Any) -> dict[str, Any]:
    """An entry of a HAR file: a GET that is answered with JSON. A `path` goes below the API, unless it is a URL;
    `changes` are `method`, `status`, `headers`, and those of the answer's content."""
    method, status = changes.pop("method", "GET"), changes.pop("status", 200)
    headers = [{"name": name, "value": value} for name, value in changes.pop("headers", {}).items()]
    content = {"size": 0, "mimeType": "application/json", "text": json.dumps(body), **changes}
    url = path if "://" in path else f"{API}{path}"
    return {
        "request": {"method": method, "url": url, "headers": headers},
        "response": {"status": status, "content": content},
    }


def har_file(file: Path, entries: Iterable[Any]) -> Path:
    """Write a HAR file."""
    file.write_text(json.dumps({"log": {"version": "1.2", "entries": [*entries]}}), encoding="utf-8")
    return file


def person(number: int, **more: Any) -> dict[str, Any]:
    """A user, as answers show one."""
    minimal = {"id": number, "username": f"secret{number}", "real_name": f"Secret Person{number}"}
    avatar = f"https://community.example/upfiles/secret{number}.png"
    return {**minimal, "avatar": avatar, "community_badge": False, "deleted": False, **more}


def course(number: int, **more: Any) -> dict[str, Any]:
    """A course, as answers show one."""
    named = {"id": number, "name": f"Course of {number}", "slug": f"course-of-{number}", "description": "All of it"}
    kind: dict[str, Any] = {"type": "self-paced", "privacy": "open", "join_status": None, "categories": []}
    return {**named, **kind, "created_by": person(1), "created_at": "2025-10-06T08:12:48.316205+00:00", **more}
