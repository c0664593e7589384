"""A first test with the stub server: run it with pytest."""

from conftest import Stub


def test_a_stranger_joins_an_open_course(stub: Stub) -> None:
    status, course = stub.request("POST", "/course/1/join/", "stranger")
    assert (status, course["join_status"]) == (200, "joined")
