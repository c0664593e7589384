"""How comments are shown: with their newest reply, or with all replies."""

from datetime import timedelta

from stubserver.api.views import OMIT
from stubserver.api.views.comment import CommentView, ThreadView, by_age
from stubserver.contract.contract import Contract
from stubserver.worlds.world import World
from tests.support.calls import called
from tests.support.default import NOW


def test_a_comment_shows_its_newest_reply_and_no_other(world: World) -> None:
    """R507: newest by time, not by id."""
    world.comments.put({**world.comments[2], "created_at": NOW})
    view = CommentView(called(world), world.comments[1])
    assert view.latest_reply.row["id"] == 2
    assert view.latest_reply.latest_reply is None
    assert (view.replies, view.extras) == (OMIT, OMIT)


def test_a_thread_shows_all_replies_and_where_it_stands(world: World, contract: Contract) -> None:
    """R507, R508."""
    call = called(world, contract.operations["list_course_comments"], ids={"id": 1})
    view = ThreadView(call, world.comments[5])
    assert [reply.row["id"] for reply in view.replies] == [6, 7, 8]
    assert view.extras == {"course": world.courses[1], "section": world.sections[1], "lesson": world.lessons[1]}
    assert view.latest_reply is OMIT


def test_of_two_comments_of_one_moment_the_first_id_is_the_older() -> None:
    rows = [{"id": number, "created_at": NOW + timedelta(days=days)} for number, days in ((4, 1), (2, 1), (3, 0))]
    assert [row["id"] for row in by_age(rows)] == [3, 2, 4]
