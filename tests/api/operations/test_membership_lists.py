"""The lists of people in a course: who is in them, in which order, and who may see them."""

import pytest

from tests.api.operations.memberships import ACTIONS
from tests.support.answers import done, ids, ok, refused
from tests.support.client import Api
from tests.support.default import AVATARS, STRANGER, iso
from tests.support.rows import be

SHORT = {"id", "username", "real_name", "ext_id", "avatar"}


def test_list_course_joined_users_shows_members(api: Api) -> None:
    """R213, R214, R610, R611: managers and members by id, the creator only on request, for all who may see them."""
    for caller in ("manager", "member", "stranger", None):
        assert ids(api.as_(caller).get("/course/1/join/")) == [2, 3, 8, 9, 10, 11, 12, 13, 14]
    assert ids(api.get("/course/4/join/")) == [2, 3, 8]
    assert ids(api.get("/course/15/join/")) == []
    assert ok(api.get("/course/4/join/?limit=1"))["results"] == [
        {
            "id": 2,
            "username": "ottoline-marsh",
            "real_name": "Ottoline Marsh",
            "avatar": AVATARS[2],
            "community_badge": False,
            "deleted": False,
        }
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("statuses=", [2, 3, 8]),
        ("statuses=[]", [2, 3, 8]),
        ("statuses=creator", [1]),
        ('statuses=["manager"]', [2]),
        ('statuses=["manager","creator"]', [1, 2]),
        ("statuses=manager,creator", [1, 2]),
        ("statuses[]=manager&statuses[]=creator", [1, 2]),
        ("statuses=manager&statuses=creator", [1, 2]),
        ("statuses=creator,joined,manager", [1, 2, 3, 8]),
    ],
)
def test_list_course_joined_users_reads_statuses_in_every_spelling(api: Api, query: str, expected: list[int]) -> None:
    """R013, R214: five spellings of statuses mean the same, and omitting them means the default."""
    assert ids(api.as_("stranger").get(f"/course/4/join/?{query}")) == expected
    assert sorted(ids(api.as_("manager").get(f"/course/4/users/?{query}"))) == expected


@pytest.mark.parametrize("query", ["statuses=invited", 'statuses=["joined","requested"]', "statuses=joined,x"])
def test_list_course_joined_users_refuses_other_statuses(api: Api, query: str) -> None:
    """R013, R214: only creator, manager and joined are allowed; the dashboard accepts any status but nothing else."""
    assert refused(api.as_("manager").get(f"/course/1/join/?{query}"), 400) == {"statuses": "invalid_choice"}
    dashboard = api.as_("manager").get(f"/course/1/users/?{query}")
    if "x" in query:
        assert refused(dashboard, 400) == {"statuses": "invalid_choice"}
    else:
        assert dashboard.status_code == 200


@pytest.mark.parametrize(
    ("course", "caller", "status"),
    [
        (13, "creator", 200),
        (13, "manager", 200),
        (13, "member", 403),
        (13, "invited", 403),
        (13, "stranger", 403),
        (10, "creator", 200),
        (10, "manager", 200),
        (10, "member", 404),
        (10, "stranger", 404),
        (10, None, 404),
        (7, "member", 200),
        (7, "invited", 200),
        (7, "requested", 404),
        (7, "stranger", 404),
        (7, None, 404),
        (4, "requested", 200),
        (4, "stranger", 200),
        (4, None, 200),
        (99, "creator", 404),
    ],
)
def test_list_course_joined_users_follows_visibility(api: Api, course: int, caller: str | None, status: int) -> None:
    """R101, R104, R127, R213: a hidden member count hides the roster from everyone but the creator and managers."""
    response = api.as_(caller).get(f"/course/{course}/join/")
    if status == 200:
        assert 2 in ids(response)
    else:
        assert refused(response, status) == {"": "permission_denied" if status == 403 else "not_found"}


def test_list_course_invited_users_shows_invitations(api: Api) -> None:
    """R610, R611: invited users by id, with five fields each."""
    be(api, 4, "invited")
    response = api.as_("manager").get("/course/4/invite/")
    assert ids(response) == [4, 6, 12, 13]
    rows = response.json()["results"]
    assert rows[0] == {
        "id": 4,
        "username": "zebedee-fenn",
        "real_name": "Zebedee Fenn",
        "ext_id": None,
        "avatar": AVATARS[4],
    }
    assert all(set(row) == SHORT for row in rows)
    assert ids(api.as_("creator").get("/course/15/invite/")) == []
    row = ok(api.as_("creator").get("/course/14/invite/?limit=1&offset=1"))["results"][0]
    assert (row["id"], row["ext_id"]) == (14, "learner-0014")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [5, 6, 10, 11]),
        ("?search=", [5, 6, 10, 11]),
        ("?search=CARYS_", [5]),
        ("?search='s l'", [5]),
        ("?search=s l", [5, 6, 10]),
        ("?search=a", [5, 6, 11]),
        ("?search=wren", []),
    ],
)
def test_list_course_join_requests_searches(api: Api, query: str, expected: list[int]) -> None:
    """R025, R611: waiting users by id; the search covers username and real name, in any case."""
    be(api, 4, "requested")
    assert ids(api.as_("manager").get(f"/course/4/request_join/{query}")) == expected


def test_list_course_join_requests_shows_whole_users(api: Api) -> None:
    """R020, R610: full users, including the time they joined the community."""
    assert ok(api.as_("creator").get("/course/6/request_join/"))["results"][0] == {
        "id": 5,
        "username": "carys_lund",
        "real_name": "Carys Lund",
        "avatar": AVATARS[5],
        "ext_id": None,
        "followings_counter": 0,
        "followers_counter": 0,
        "posts_counter": 0,
        "discussions_counter": 0,
        "polls_counter": 0,
        "connection_status": None,
        "categories_counter": 0,
        "date_joined": "2025-05-18T09:22:57.340118+00:00",
        "bio": "I like small groups and quiet hobbies.",
        "location": "Kirkwall",
        "location_lat_lng": None,
        "position_lat_lng": None,
        "date_of_birth": None,
        "description": "Knitter and stargazer",
        "gender": "Unspecified",
        "website": "",
        "cover": None,
        "tags": [],
        "reputation": 0,
        "community_badge": False,
        "reg_approved": True,
        "company_name": "",
        "company_role": "",
        "deleted": False,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [14, 7, 6, 9]),
        ("?search=", [14, 7, 6, 9]),
        ("?search=_QUILL", [7]),
        ("?search=tobin ash", [6]),
        ("?search=dilys", []),
        ("?search=kirkwall", []),
    ],
)
def test_list_course_suggested_users_offers_people_without_status(api: Api, query: str, expected: list[int]) -> None:
    """R221, R025, R610, R611: only users without a status in the course, by username, with five fields each."""
    response = api.as_("manager").get(f"/course/4/user/{query}")
    assert ids(response) == expected
    assert all(set(row) == SHORT for row in response.json()["results"])


@pytest.mark.parametrize("status", ["requested", "invited", "joined", "manager"])
def test_list_course_suggested_users_leaves_out_every_status(api: Api, status: str) -> None:
    """R221: any status takes a user off the list, and losing it brings the user back."""
    be(api, 4, status, days=-100)
    assert ids(api.as_("manager").get("/course/4/user/")) == [14, 7, 9]
    done(ACTIONS["leave"](api.as_("manager"), 4, STRANGER))
    assert ids(api.as_("manager").get("/course/4/user/")) == [14, 7, 6, 9]


def test_list_course_dashboard_users_shows_progress(api: Api) -> None:
    """R107, R131, R607, R608: status, completion and times of each member, most recently joined first."""
    response = api.as_("manager").get("/course/1/users/")
    assert ids(response) == [13, 10, 14, 11, 3, 12, 9, 8, 2]
    rows = {row["id"]: row for row in response.json()["results"]}
    assert rows[3] == {
        "id": 3,
        "username": "dilys_pruett",
        "real_name": "Dilys Pruett",
        "avatar": AVATARS[3],
        "join_status": "joined",
        "user_completion_rate": 40,
        "last_active_at": iso(-2),
        "joined_at": "2026-01-16T14:52:24.400913+00:00",
    }
    assert (rows[2]["join_status"], rows[2]["last_active_at"]) == ("manager", None)
    rates = {user: row["user_completion_rate"] for user, row in rows.items()}
    assert rates == {2: 0, 3: 40, 8: 60, 9: 100, 10: 0, 11: 20, 12: 0, 13: 0, 14: 60}


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("joined_at", [2, 8, 9, 12, 3, 11, 14, 10, 13]),
        ("-joined_at", [13, 10, 14, 11, 3, 12, 9, 8, 2]),
        ("last_active_at", [9, 8, 14, 3, 11]),
        ("-last_active_at", [11, 3, 14, 8, 9]),
        ("username", [13, 10, 14, 11, 3, 12, 9, 8, 2]),
        ("", [13, 10, 14, 11, 3, 12, 9, 8, 2]),
    ],
)
def test_list_course_dashboard_users_orders(api: Api, ordering: str, expected: list[int]) -> None:
    """R024, R607, R608: either time in either direction; users without it still appear; unknown values are ignored."""
    found = ids(api.as_("creator").get("/course/1/users/", params={"ordering": ordering}))
    assert sorted(found) == [2, 3, 8, 9, 10, 11, 12, 13, 14]
    assert [user for user in found if user in expected] == expected


@pytest.mark.parametrize("ordering", ["joined_at", "-joined_at", "last_active_at", "-last_active_at"])
def test_list_course_dashboard_users_lists_people_without_times(api: Api, ordering: str) -> None:
    """R201, R607, R608: any status may be requested; missing times do not break the order, and paging loses no one."""
    path = f"/course/4/users/?ordering={ordering}&statuses=creator,manager,joined,invited,requested"
    everybody = ids(api.as_("creator").get(path))
    assert sorted(everybody) == [1, 2, 3, 4, 5, 8, 10, 11, 12, 13]
    paged = [
        row["id"] for n in range(5) for row in ok(api.as_("creator").get(f"{path}&limit=2&offset={2 * n}"))["results"]
    ]
    assert paged == everybody


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=DILYS", [3]),
        ("search='s p'", [3]),
        ("search=s p", [13, 3]),
        ("search=hamish_", [14]),
        ("search=", [13, 10, 14, 11, 3, 12, 9, 8, 2]),
        ("search=wren", []),
        ("search=wren&statuses=creator", [1]),
        ("statuses=invited", [4]),
        ("statuses=requested", []),
        ("statuses=manager", [2]),
        ("statuses=", [13, 10, 14, 11, 3, 12, 9, 8, 2]),
    ],
)
def test_list_course_dashboard_users_filters(api: Api, query: str, expected: list[int]) -> None:
    """R025, R607: by username and real name in any case, and by any status (default manager and joined)."""
    assert ids(api.as_("manager").get(f"/course/1/users/?{query}")) == expected
