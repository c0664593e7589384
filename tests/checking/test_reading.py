"""Checking with nothing but GET requests."""

from collections.abc import Iterator

import httpx
import pytest

from stubserver.app import create_app
from stubserver.checking.check import Effort, check
from stubserver.checking.findings import Report
from stubserver.contract.contract import Contract
from stubserver.serving.in_process import InProcess
from tests.checking.bugs import BUGS, URL, Bug, Buggy, Exchange

TOKENS = {"member": "stub-member", "creator": "stub-creator"}


@pytest.fixture(scope="module")
def server() -> Iterator[InProcess]:
    transport = InProcess(create_app("default"))
    yield transport
    transport.close()


def read(contract: Contract, transport: httpx.BaseTransport) -> Report:
    return check(contract, URL, TOKENS, 0, Effort(read_only=True), lambda _: None, transport)


def test_nothing_but_get_is_sent_and_our_own_server_agrees(contract: Contract, server: InProcess) -> None:
    methods = set[str]()

    def note(one: Exchange) -> None:
        methods.add(one.method)

    report = read(contract, Buggy(server, Bug(before=note)))
    assert report.findings == []
    assert methods == {"GET"}
    assert report.sent > 200


@pytest.mark.parametrize(
    "name",
    [
        "lists count one too many",
        "next leads to the same page",
        "offsets are off by one",
        "privacy has a value of its own",
        "times have no zone",
    ],
)
def test_bugs_that_can_be_seen_by_reading(contract: Contract, server: InProcess, name: str) -> None:
    assert read(contract, Buggy(server, BUGS[name])).findings


def _hides(one: Exchange) -> None:
    if one.status == 200 and one.is_about("GET", r"/api/v2/course/\d+/"):
        one.status, one.answer = 404, {"errors": [{"message": "No.", "code": "not_found"}]}


def _repeats(one: Exchange) -> None:
    if one.is_about("GET", "/api/v2/course/search/") and one.query.get("offset") == ["1"]:
        one.query["offset"] = ["0"]


@pytest.mark.parametrize(
    ("bug", "at"), [(Bug(after=_hides), "status"), (Bug(before=_repeats), "/results")], ids=["hidden", "repeated"]
)
def test_what_is_listed_is_there_once(contract: Contract, server: InProcess, bug: Bug, at: str) -> None:
    assert at in {finding.difference.at for finding in read(contract, Buggy(server, bug)).findings}


def test_a_dead_target_is_said(contract: Contract) -> None:
    from stubserver.checking.meeting import CannotCheck

    def dead(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(CannotCheck, match="the target does not answer: refused"):
        read(contract, httpx.MockTransport(dead))


def test_a_server_without_the_api_cannot_be_read(contract: Contract) -> None:
    from stubserver.checking.meeting import CannotCheck

    absent = httpx.MockTransport(lambda _: httpx.Response(404, text="Not here."))
    with pytest.raises(CannotCheck, match=r"as if it had none of the operations: is the API below another address\?"):
        check(contract, URL, {}, 0, Effort(read_only=True), lambda _: None, absent)


def test_operations_that_are_not_there_are_told_once(contract: Contract, server: InProcess) -> None:
    def forget(one: Exchange) -> None:
        if one.path.startswith("/api/v2/user/") and not one.path.startswith("/api/v2/user/me/"):
            one.status, one.answer = 404, {"detail": "Not found."}

    found = {finding.key for finding in read(contract, Buggy(server, Bug(after=forget))).findings}
    assert {f"{name} operation missing" for name in ("search_users", "autocomplete_users")} <= found
    assert not {key for key in found if key.startswith("search_users") and "missing" not in key}
