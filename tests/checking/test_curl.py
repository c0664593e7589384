"""Requests as lines for the shell."""

import shlex

from stubserver.checking.curl import curl
from stubserver.checking.sides import Request
from stubserver.contract.contract import Contract


def test_a_line_is_what_was_sent_but_for_the_token(contract: Contract) -> None:
    operation = contract.operations["create_course_section"]
    line = curl(Request(operation, {"id": 7}, {"a": True}, {"name": "it's $5"}, token="secret"))
    assert "secret" not in line
    assert shlex.split(line) == [
        *("curl", "-X", "POST", "-H", "Authorization: Bearer $TOKEN", "-H", "Content-Type: application/json"),
        *("-d", '{"name": "it\'s $5"}', "$TARGET/api/v2/course/7/section/?a=true"),
    ]


def test_files_and_nobody(contract: Contract) -> None:
    files = {"image_original": ("picture.png", b"x", "image/png")}
    line = curl(Request(contract.operations["patch_course"], {"id": 7}, files=files))
    assert shlex.split(line)[3:5] == ["-F", "image_original=@picture.png"]
    assert "Authorization" not in line


def test_headers_are_named(contract: Contract) -> None:
    line = curl(Request(contract.operations["get_me"], headers={"Accept": "text/plain, */*"}))
    assert shlex.split(line)[3:5] == ["-H", "Accept: text/plain, */*"]
