"""The lists of courses: search, joined courses, suggestions, and the courses of a user."""

import pytest

from tests.api.operations.courses import EVERY, FULL, MINIMAL, do, ids
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import PUBLIC
from tests.support.rows import be

# Searching


SEEN = {
    "creator": EVERY,
    "manager": EVERY,
    "member": [15, 14, 13, 9, 8, 7, *range(6, 0, -1)],
    "invited": [15, 14, 13, 9, 8, 7, *range(6, 0, -1)],
    "requested": PUBLIC,
    "staff": PUBLIC,
    None: PUBLIC,
}


@pytest.mark.parametrize(("caller", "expected"), SEEN.items())
def test_search_courses_finds_what_the_caller_may_know(api: Api, caller: str | None, expected: list[int]) -> None:
    """R601-R603: secret courses from invited on, drafts for creator and managers only, newest id first, all minimal."""
    response = api.as_(caller).get("/course/search/")
    assert ids(response) == expected
    for row in response.json()["results"]:
        assert set(row) == MINIMAL
        assert row == {**row, "deleted": False}
    assert "description" not in {key for row in response.json()["results"] for key in row}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=", PUBLIC),
        ("search=SOURDOUGH", [2]),
        ("search=sOuR", [2]),
        ("search=north-FACING", [15]),
        ("search=pai", [3, 1]),
        ("search=nothing like it", []),
        ("categories=2", [15, 2]),
        ("categories=2&search=bread", []),
        ("categories=2&search=bake", [2]),
        ("categories=[]", PUBLIC),
        ("statuses=", PUBLIC),
        ("statuses=[]", PUBLIC),
        ("statuses=joined", []),
        ("ordering=id", [1, 2, 3, 4, 5, 6, 13, 14, 15]),
        ("ordering=-id", PUBLIC),
        ("ordering=name", [15, 3, 5, 4, 14, 2, 13, 6, 1]),
        ("ordering=-name", [1, 6, 13, 2, 14, 4, 5, 3, 15]),
        ("ordering=created_at", [1, 2, 13, 4, 5, 3, 14, 6, 15]),
        ("ordering=-created_at", [15, 6, 14, 3, 5, 4, 13, 2, 1]),
        ("ordering=added_at", PUBLIC),
        ("ordering=--id", PUBLIC),
        ("ordering=", PUBLIC),
        ("undocumented=1", PUBLIC),
    ],
)
def test_search_courses_filters_and_orders(api: Api, query: str, expected: list[int]) -> None:
    """R024, R025, R603: text in any case, any category; unknown orderings are ignored, and so are empty filters."""
    assert ids(api.get(f"/course/search/?{query}")) == expected


@pytest.mark.parametrize(
    ("caller", "found"),
    [("member", [4]), ("invited", [4]), ("manager", [4]), ("requested", []), ("stranger", []), (None, [])],
)
def test_search_courses_does_not_search_hidden_descriptions(api: Api, caller: str | None, found: list[int]) -> None:
    """R103, R603: text that only insiders may read is searched only for insiders; names are searched for everyone."""
    assert ids(api.as_(caller).get("/course/search/?search=White Card")) == found
    assert ids(api.as_(caller).get("/course/search/?search=window light")) == [4]


@pytest.mark.parametrize(
    ("caller", "statuses", "expected"),
    [
        ("member", "joined", [14, 13, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("invited", "invited", [14, 13, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("requested", "requested", [6, 5, 4]),
        ("manager", "creator", []),
        ("creator", "creator", EVERY),
        (None, "joined,creator,manager,invited,requested", []),
    ],
)
def test_search_courses_filters_by_status(api: Api, caller: str | None, statuses: str, expected: list[int]) -> None:
    """R603: statuses are those of the caller, and hidden courses stay hidden."""
    assert ids(api.as_(caller).get(f"/course/search/?statuses={statuses}")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "categories=[1,4]",
        'categories=["1","4"]',
        "categories=%5B1,%204%5D",
        "categories=1,4",
        "categories[]=1&categories[]=4",
        "categories%5B%5D=1&categories%5B%5D=4",
        "categories=1&categories=4",
    ],
)
def test_search_courses_reads_categories_in_every_spelling(api: Api, query: str) -> None:
    """R013, R603: JSON text, comma-joined, bracketed and repeated categories mean the same."""
    assert ids(api.get(f"/course/search/?{query}")) == [13, 6, 5, 4, 1]
    assert ids(api.get("/course/search/?categories=4")) == ids(api.get("/course/search/?categories=[4]")) == [6, 4]


def test_search_courses_orders_by_newest_id_where_the_ordering_is_unknown(api: Api) -> None:
    """R024, R603: in the direction of that default."""
    ids = [row["id"] for row in api.as_("creator").get("/course/search/?ordering=privacy").json()["results"]]
    assert ids == sorted(ids, reverse=True)


# The other lists


STATUS_SPELLINGS = [
    'statuses=["joined","invited"]',
    "statuses=joined,invited",
    "statuses[]=joined&statuses[]=invited",
    "statuses%5B%5D=joined&statuses%5B%5D=invited",
    "statuses=joined&statuses=invited",
]


@pytest.mark.parametrize("query", STATUS_SPELLINGS)
def test_list_joined_courses_reads_statuses_in_every_spelling(api: Api, query: str) -> None:
    """R013: JSON text, comma-joined, bracketed, repeated and bare statuses mean the same, in every list."""
    for course, status in ((1, "joined"), (2, "manager"), (4, "invited"), (5, "requested")):
        be(api, course, status)
    stranger = api.as_("stranger")
    for path in ("/course/", "/course/search/", "/user/6/courses/"):
        assert sorted(ids(stranger.get(f"{path}?{query}"))) == [1, 4]
        assert ids(stranger.get(f"{path}?statuses=manager")) == ids(stranger.get(f'{path}?statuses=["manager"]')) == [2]


@pytest.mark.parametrize(
    "path", ["/course/", "/course/search/", "/user/3/courses/", "/course/1/users/", "/course/1/quiz/"]
)
def test_list_joined_courses_knows_who_waits_for_a_payment(api: Api, path: str) -> None:
    """R129, R201: the client's status filters every list but that of joined users (R214). Nobody has it."""
    creator = api.as_("creator")
    assert ids(creator.get(f"{path}?statuses=payment_waiting")) == []
    both = [creator.get(f"{path}?limit=100&statuses={value}") for value in ('["joined","payment_waiting"]', "joined")]
    assert ids(both[0]) == ids(both[1])
    refusal = refused(creator.get("/course/1/join/?statuses=payment_waiting"), 400)
    assert refusal == {"statuses": "invalid_choice"}


@pytest.mark.parametrize("value", ["member", "joined,member", '["joined","member"]', "joined&statuses=member", "[1]"])
@pytest.mark.parametrize("path", ["/course/", "/course/search/", "/user/6/courses/"])
def test_list_joined_courses_refuses_unknown_statuses(api: Api, path: str, value: str) -> None:
    """R013: an unknown status is refused, in every spelling."""
    assert set(refused(api.as_("member").get(f"{path}?statuses={value}"), 400)) == {"statuses"}
    assert refused(api.as_("member").get(f"{path}?statuses=member"), 400) == {"statuses": "invalid_choice"}


@pytest.mark.parametrize(
    ("caller", "query", "expected"),
    [
        ("member", "", [*range(1, 10), 13, 14]),
        ("member", "?statuses=", [*range(1, 10), 13, 14]),
        ("member", "?statuses=[]", [*range(1, 10), 13, 14]),
        ("member", "?statuses=&statuses=", [*range(1, 10), 13, 14]),
        ("manager", "", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        ("creator", "", []),
        ("creator", "?statuses=creator", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        ("invited", "", []),
        ("requested", "?statuses=requested", [4, 5, 6]),
        ("stranger", "", []),
        ("manager", "?created_by=6", [2]),
        ("manager", "?created_by=999", []),
    ],
)
def test_list_joined_courses_filters(api: Api, caller: str, query: str, expected: list[int]) -> None:
    """R101, R104, R601: the caller's courses as manager or member, unless told otherwise; by author, too."""
    if "created_by=6" in query:
        do(api, 2, created_by=6)
    assert sorted(ids(api.as_(caller).get(f"/course/{query}"))) == expected


def test_list_joined_courses_shows_courses_in_full(api: Api) -> None:
    """R107, R601: rows are full courses with the caller's own status and progress."""
    rows = ok(api.as_("member").get("/course/"))["results"]
    assert all(set(row) == FULL for row in rows)
    assert {row["join_status"] for row in rows} == {"joined"}
    assert {row["id"]: row["user_completion_rate"] for row in rows} == {
        **{1: 40, 2: 60, 3: 20, 4: 100, 5: 67, 6: 50, 7: 50, 8: 0, 9: 0, 13: 0, 14: 50}
    }


def test_list_joined_courses_leaks_no_description(api: Api) -> None:
    """R103: no list shows outsiders the description or sections of a private course."""
    for caller, paths in {
        "requested": ["/course/?statuses=requested", "/course/search/", "/user/3/courses/", "/suggestion/course/"],
        "stranger": ["/course/search/", "/user/3/courses/", "/user/8/courses/", "/suggestion/course/"],
        None: ["/course/search/", "/user/3/courses/"],
    }.items():
        for path in paths:
            response = api.as_(caller).get(path)
            rows = {row["id"]: row for row in ok(response)["results"]}
            for text in ("white card", "casting on to the last sleeve", "without a telescope"):
                assert text not in response.text, (caller, path)
            for course in {4, 5, 6} & set(rows):
                assert rows[course].get("sections_order", []) == []
    assert "white card" in api.as_("member").get("/course/").text


def test_list_suggested_courses_offers_what_is_new(api: Api) -> None:
    """R606: published courses that the caller can see and has no status in, newest first, in full."""
    response = api.as_("stranger").get("/suggestion/course/")
    assert ids(response) == [15, 6, 14, 3, 5, 4, 13, 2, 1]
    assert all(set(row) == FULL for row in response.json()["results"])


@pytest.mark.parametrize(
    ("caller", "expected"),
    [("creator", []), ("manager", [15]), ("member", [15]), ("invited", [15]), ("requested", [1, 2, 3, 13, 14, 15])],
)
def test_list_suggested_courses_leaves_out_own_ones(api: Api, caller: str, expected: list[int]) -> None:
    """R606: a course in which the caller has any status is not suggested, nor is one that the caller cannot see."""
    assert sorted(ids(api.as_(caller).get("/suggestion/course/"))) == expected


def test_list_user_courses_shows_what_the_caller_sees(api: Api) -> None:
    """R604, R605, R127, R107: a page of the user's courses that the caller can see, with the caller's own status."""
    for caller in ("stranger", None):
        response = api.as_(caller).get("/user/3/courses/")
        assert sorted(ids(response)) == [1, 2, 3, 4, 5, 6, 13, 14]
        rows = response.json()["results"]
        assert all(set(row) == FULL | {"member_count"} for row in rows)
        assert {row["join_status"] for row in rows} == {None}
        counts = {1: 9, 2: 4, 3: 4, 4: 3, 5: 3, 6: 3, 13: None, 14: 4}
        assert {row["id"]: row["member_count"] for row in rows} == counts
    rows = ok(api.as_("manager").get("/user/3/courses/"))["results"]
    assert sorted(row["id"] for row in rows) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert {row["join_status"] for row in rows} == {"manager"}
    assert sorted(ids(api.as_("invited").get("/user/3/courses/"))) == [*range(1, 10), 13, 14]


@pytest.mark.parametrize(
    ("caller", "count"), [("creator", 5), ("manager", 5), ("member", None), ("stranger", None), (None, None)]
)
def test_list_user_courses_hides_the_member_count(api: Api, caller: str | None, count: int | None) -> None:
    """R127: with hide_member_count, only the creator and managers see the number of members."""
    rows = {row["id"]: row for row in ok(api.as_(caller).get("/user/8/courses/"))["results"]}
    assert rows[13]["member_count"] == count
    assert rows[13]["hide_member_count"] is True
    assert rows[1]["member_count"] == 9


@pytest.mark.parametrize(
    ("user", "query", "expected"),
    [
        (1, "", []),
        (1, "?statuses=creator", [1, 2, 3, 4, 5, 6, 13, 14, 15]),
        (1, "?statuses=", []),
        (4, "?statuses=invited", [1, 2, 3, 4, 5, 6, 13, 14]),
        (5, "?statuses=requested", [4, 5, 6]),
        (6, "", []),
        (9, "", [1, 2, 3, 14]),
    ],
)
def test_list_user_courses_filters_by_the_users_status(api: Api, user: int, query: str, expected: list[int]) -> None:
    """R604: statuses are those of the user, by default manager and joined."""
    assert sorted(ids(api.get(f"/user/{user}/courses/{query}"))) == expected


@pytest.mark.parametrize("user", ["0", "999", "-1", "abc", "9" * 25])
def test_list_user_courses_answers_404_for_nobody(api: Api, user: str) -> None:
    """R004, R007: an unknown user is absent."""
    assert refused(api.get(f"/user/{user}/courses/"), 404) == {"": "not_found"}
