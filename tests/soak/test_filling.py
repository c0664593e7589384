"""What fills the server before a soak is more than it may keep."""

from stubserver.lane.head import MAX_HEADS, MAX_ROUTES
from tests.soak import filling
from tests.soak.running import OPTIONS


def test_there_is_more_than_the_server_may_keep() -> None:
    requests = [*filling._requests()]
    bodies = [len(body) for *_, body in requests if body]
    assert sum(bodies) > int(OPTIONS["--max-memory"])
    assert sum(bodies) > int(OPTIONS["--max-journal"])
    assert max(bodies) < int(OPTIONS["--max-body"])
    assert len({path for _, path, *_ in requests}) > MAX_ROUTES > MAX_HEADS
