"""Snapshots as other versions wrote them, over a small fixture; nothing here is computed by the code of today."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FIXTURE = """\
# Of the lab
name: lab
personas:
- {token: lab-teacher, user: 1, role: creator}
users:
- {id: 1, username: ada, real_name: Ada Ashby, date_joined: '2026-01-01T00:00:00Z', role: admin}
courses:
- {id: 1, name: Knots, slug: knots, type: self-paced, privacy: open, created_by: 1, created_at: '2026-01-01T00:00:00Z'}
sections:
- {id: 1, course_id: 1, name: First steps}
memberships:
- {course_id: 1, user_id: 1, status: creator, joined_at: '2026-01-01T00:00:00Z'}
"""
OLD: Mapping[str, Any] = {
    "stubserver": "0.1.0",
    "fixture": "lab",
    "digest": hashlib.sha256(FIXTURE.encode()).hexdigest(),
    "moment": "2026-02-01T12:00:00+00:00",
    "clock": {"frozen": "2026-03-01T12:00:00+00:00"},
    "tables": {
        "courses": {
            "next_id": 3,
            "rows": [
                {
                    "key": 2,
                    "row": {
                        "id": 2,
                        "name": "Knots, at last",
                        "slug": "knots-at-last",
                        "description": "",
                        "type": "structured",
                        "privacy": "open",
                        "categories": [],
                        "created_by": 1,
                        "created_at": "2026-03-01T12:00:00+00:00",
                        "sections_order": [2],
                        "image_original": None,
                        "deleted": False,
                        "new_comment_notification_enabled": True,
                        "hide_member_count": True,
                        "enforce_lessons_order": False,
                        "meta_title": "",
                        "meta_description": "",
                        "og_title": "",
                        "og_description": "",
                        "og_image": None,
                    },
                    "times": ["created_at"],
                }
            ],
        },
        "sections": {
            "next_id": 3,
            "rows": [
                {
                    "key": 2,
                    "row": {
                        "id": 2,
                        "course_id": 2,
                        "name": "Bends",
                        "drip_delay": 0,
                        "dripped_at": "2026-04-01T12:00:00+00:00",
                        "lessons_order": [],
                    },
                    "times": ["dripped_at"],
                }
            ],
        },
        "memberships": {
            "next_id": 1,
            "rows": [
                {
                    "key": [2, 1],
                    "row": {
                        "course_id": 2,
                        "user_id": 1,
                        "status": "creator",
                        "joined_at": "2026-03-01T12:00:00+00:00",
                        "last_active_at": None,
                    },
                    "times": ["joined_at"],
                }
            ],
        },
    },
}
"""As version 0.1.0 wrote it before there was a format, but for its checksum."""


def fixture(folder: Path) -> str:
    """The file of the fixture."""
    file = folder / "lab.yaml"
    file.write_text(FIXTURE, encoding="utf-8")
    return str(file)


def signed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its checksum; it must have no numbers with a fraction."""
    plain = {name: value for name, value in content.items() if name != "checksum"}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**plain, "checksum": hashlib.sha256(text.encode()).hexdigest()}
