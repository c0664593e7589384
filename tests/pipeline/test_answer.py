"""Answers as they go out: their headers, their length, and HEAD."""

from stubserver.contract.contract import Contract
from tests.support.client import Api


def test_head_equals_get_without_a_body(api: Api, contract: Contract) -> None:
    paths = [o.path.replace("{id}", "1") for o in contract.operations.values() if o.method == "get"]
    for path in [*paths, "//openapi.json", "//docs/", "//upfiles/courses/small/a_0001.png", "/course/99/"]:
        for persona in (None, "creator"):
            get, head = (api.as_(persona).request(method, path) for method in ("GET", "HEAD"))
            assert head.status_code == get.status_code, path
            for response in (get, head):
                for own in ("x-stub-request", "date"):  # each request has an id and a time of its own
                    response.headers.pop(own, None)
            assert head.headers == get.headers, path
            assert head.content == b""
