"""Who may come in: under which hosts the server answers, and what pages of other sites may do."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer, create_app
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal
from stubserver.pipeline.visitors import Visitors
from stubserver.serving.background import Background
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from tests.lane.both import Both
from tests.lane.requests import plain
from tests.support.answers import codes, ok
from tests.support.client import Api

Fresh = Callable[..., Api]

# Hosts

OURS = ["localhost", "LocalHost:8765", "127.0.0.1", "127.0.0.1:8765", "[::1]", "[::1]:8765", "10.0.0.7:8765", "0.0.0.0"]
OURS += ["[2001:db8::1]:8765", "127.0.0.2", ""]
FOREIGN = [
    "evil.example",
    "evil.example:8765",
    "localhost.evil.example",
    "evil-localhost",
    "127.0.0.1.evil.example",
    "evil.localhost",
    "localhost.",
    "localhost@evil.example",
    "localhost,evil.example",
    "localhost evil.example",
    "localhost:x",
    "[::1",
    "[evil.example]",
    "::1",
    "2130706433",
    "dev.example.evil.example",
]


def answers_to(host: str, **settings: Any) -> bool:
    """Whether a server with these settings answers to the host."""
    try:
        Visitors(Settings(**settings)).check_host(host)
    except Refusal:
        return False
    return True


NAMED = {"allowed_hosts": ("Stub_1", "dev.example"), "public_url": "https://public.example:8443/stub"}


@pytest.mark.parametrize("host", OURS)
def test_a_server_answers_to_localhost_and_addresses(host: str) -> None:
    """A browser that sends no name has not been given a false one."""
    assert answers_to(host)
    assert answers_to(host, **NAMED)


@pytest.mark.parametrize("host", FOREIGN)
def test_it_does_not_answer_to_other_names(host: str) -> None:
    assert not answers_to(host)
    assert not answers_to(host, **NAMED)


@pytest.mark.parametrize(
    "host", ["stub_1", "STUB_1:8765", "dev.example", "dev.example:1", "public.example", "public.example:8443"]
)
def test_it_answers_to_the_names_it_was_started_with(host: str) -> None:
    """On any port."""
    assert answers_to(host, **NAMED)
    assert not answers_to(host)


@pytest.mark.parametrize("host", [*FOREIGN, *OURS])
def test_it_may_answer_to_any_host(host: str) -> None:
    assert answers_to(host, allowed_hosts=("*",))


@pytest.mark.parametrize(
    ("host", "remedy"),
    [("stub:8765", "stub"), ("Dev.Example", "dev.example"), ("a b", "NAME"), ("x" * 3000, "x" * 100)],
)
def test_the_refusal_says_what_to_do(host: str, remedy: str) -> None:
    with pytest.raises(Refusal) as caught:
        Visitors(Settings()).check_host(host)
    assert (caught.value.status, caught.value.reason) == (
        403,
        f"This server does not answer to the host {host[:100]!r}, only to localhost, IP addresses and hosts that it "
        f"was started with. To add this one, start it with --allowed-host {remedy}.",
    )


@pytest.mark.parametrize(
    ("host", "like"),
    [
        ("", "dev.example"),
        ("http://stub:8765/", "stub"),
        ("stub:8765", "stub"),
        ("stub/path", "stub"),
        ("*.example", "dev.example"),
        ("a b", "a"),
        ("a,b", "a"),
    ],
)
def test_what_is_no_host_is_refused(host: str, like: str) -> None:
    with pytest.raises(ValueError, match="--allowed-host") as caught:
        Visitors(Settings(allowed_hosts=("good", host)))
    right = f"write it as {like}, without scheme, port and path, or * for all"
    assert str(caught.value) == f"--allowed-host: {host!r} is not the name of a host: {right}"


@pytest.mark.parametrize("host", ["stub", "Stub_1.local", "10.0.0.7", "::1", "*"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert answers_to(f"[{host}]" if ":" in host else host, allowed_hosts=(host,))


def test_hosts_must_come_in_a_list() -> None:
    with pytest.raises(ValueError, match="must be in a tuple or list of names"):
        answers_to("stub", allowed_hosts="stub")


# Over a socket


@pytest.fixture(scope="module")
def rebound() -> Iterator[tuple[httpx.Client, StubServer]]:
    """A server on loopback as users start it, which trusts proxies on this machine, and a client of it."""
    app = create_app(forwarded_allow_ips="127.0.0.1", allowed_hosts=("good.example",))
    with Background(lambda: app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client, app


REBOUND = [
    {"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Host": "evil.example", "X-Forwarded-Host": "localhost"},
    {"Host": "evil.example", "Forwarded": "host=localhost"},
    {"Host": "localhost", "X-Forwarded-Host": "evil.example"},
]
"""What the page of a rebound name can send, directly or through a proxy that asks everything of its server."""


@pytest.mark.parametrize("headers", REBOUND, ids=str)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/~new/api/v2/course/15/"),
        ("GET", "/~new/api/v2/course/1/"),
        ("GET", "/~new/api/v2/nowhere"),
        ("POST", "/~new/oauth/token/"),
        ("GET", "/~new/oauth/authorize/"),
        ("GET", "/~new/openapi.json"),
        ("GET", "/docs/"),
        ("GET", "/"),
        ("GET", "/upfiles/courses/small/a_1.png"),
        ("DELETE", "/__stub/requests"),
        ("GET", "/__stub/health"),
        ("GET", "/nowhere"),
    ],
)
def test_a_rebound_name_reaches_nothing(
    rebound: tuple[httpx.Client, StubServer], headers: dict[str, str], method: str, path: str
) -> None:
    client, app = rebound
    before = len(app.worlds)
    answer = client.request(method, path, headers={**headers, "Authorization": "Bearer stub-creator"})
    assert (answer.status_code, codes(answer)) == (403, {"": "permission_denied"})
    assert "--allowed-host evil.example" in answer.text
    assert len(app.worlds) == before
    assert "new" not in app.worlds


@pytest.mark.parametrize("host", ["good.example", "GOOD.example:80", "localhost:1", "10.0.0.7", "127.0.0.1"])
def test_an_allowed_host_reaches_the_api(rebound: tuple[httpx.Client, StubServer], host: str) -> None:
    answer = rebound[0].get("/api/v2/course/1/", headers={"Host": host})
    assert answer.status_code == 200


def test_an_allowed_host_does_not_open_the_control_plane(rebound: tuple[httpx.Client, StubServer]) -> None:
    """Which needs a token then."""
    answer = rebound[0].get("/__stub/clock", headers={"Host": "good.example"})
    assert (answer.status_code, codes(answer)) == (403, {"": "permission_denied"})
    assert "--control-token" in answer.text


def test_an_allowed_host_that_a_proxy_tells_does_not_either(rebound: tuple[httpx.Client, StubServer]) -> None:
    """Although the proxy itself asks for localhost."""
    headers = {"Host": "localhost", "X-Forwarded-Host": "good.example"}
    assert rebound[0].get("/__stub/clock", headers=headers).status_code == 403
    assert rebound[0].get("/api/v2/course/1/", headers=headers).status_code == 200


def test_an_application_without_a_socket_answers_to_any_host(fresh: Fresh) -> None:
    """No browser reaches it."""
    assert fresh().get("/course/1/", headers={"Host": "evil.example"}).status_code == 200


# Pages of other sites

CROSS = {"Sec-Fetch-Site": "cross-site"}
IMAGE = {**CROSS, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
LINK = {**CROSS, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FRAME = {**LINK, "Sec-Fetch-Dest": "iframe"}
FORM = {**LINK, "Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"}
SCRIPT = {**CROSS, "Sec-Fetch-Mode": "cors", "Origin": "https://evil.example"}
PICTURE = "/upfiles/courses/small/a_1.png"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/~new/api/v2/course/1/", IMAGE),
        ("GET", "/~new/api/v2/course/1/", SCRIPT),
        ("GET", "/~new/api/v2/course/1/", FRAME),
        ("GET", "/~new/api/v2/course/1/", LINK),
        ("HEAD", "/~new/api/v2/course/1/", SCRIPT),
        ("GET", "/~new/api/v2/course/1", IMAGE),
        ("GET", "/~new/api/v2/course/1/", {**CROSS, "Origin": "null"}),
        ("GET", "/~new/api/v2/course/1/", {**CROSS, "Origin": "http://localhost.evil.example"}),
        ("POST", "/~new/oauth/token/", FORM),
        ("POST", "/~new/api/v2/course/", FORM),
        ("GET", "/~new/oauth/authorize/", IMAGE),
        ("GET", "/~new/oauth/authorize/", FRAME),
        ("GET", f"/~new{PICTURE}", IMAGE),
        ("GET", "/~new/docs/", FRAME),
        ("POST", "/~new/docs/", FORM),
        ("GET", "/~new/nowhere", IMAGE),
        ("GET", "/api/v2/course/1/", {**IMAGE, "X-Stub-World": "new"}),
    ],
)
def test_a_page_of_another_site_makes_no_world(fresh: Fresh, method: str, path: str, headers: dict[str, str]) -> None:
    api = fresh(max_worlds=2)
    ok(api.get("/~one/api/v2/course/1/"))
    ok(api.get("/~two/api/v2/course/1/"))
    before = [world.name for world in api.app.worlds]
    answer = api.request(method, f"/{path}" if path.startswith("/api") else path, headers=headers)
    assert answer.status_code == 403
    assert method == "HEAD" or codes(answer) == {"": "permission_denied"}
    assert method == "HEAD" or "--cors-origin" in answer.text
    assert ([world.name for world in api.app.worlds], api.app.worlds.evicted) == (before, 0)


@pytest.mark.parametrize("path", ["/~one/api/v2/course/1/", "/~one/oauth/authorize/"])
def test_it_does_not_call_the_api_of_a_world_that_exists(fresh: Fresh, path: str) -> None:
    api = fresh()
    ok(api.get("/~one/api/v2/course/1/"))
    assert api.get(path, headers=IMAGE).status_code == 403
    assert api.app.worlds.get("one").asked == 1


def test_it_may_show_the_pictures_of_a_world_that_exists(fresh: Fresh) -> None:
    """Browsers do not tell the origin of a page that merely shows them. That keeps no world from being evicted."""
    api = fresh(max_worlds=2)
    for name in ("one", "two"):
        ok(api.get(f"/~{name}/api/v2/course/1/"))
    assert api.get(f"/~one{PICTURE}", headers=IMAGE).status_code == 200
    ok(api.get("/~three/api/v2/course/1/"))
    assert {world.name for world in api.app.worlds} == {"two", "three"}


@pytest.mark.parametrize("path", ["/~new/docs/", "/~new/oauth/authorize/?client_id=stub-app"])
def test_a_link_to_a_page_may_be_followed(fresh: Fresh, path: str) -> None:
    api = fresh()
    assert api.get(path, headers=LINK).status_code in (200, 400)
    assert "new" in api.app.worlds


@pytest.mark.parametrize(
    "headers",
    [
        {**SCRIPT, "Origin": "https://app.example"},
        {**SCRIPT, "Origin": "http://localhost:3000"},
        {**SCRIPT, "Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
    ids=str,
)
def test_pages_that_may_call_and_all_tools_are_let_in(fresh: Fresh, headers: dict[str, str]) -> None:
    api = fresh(cors_origins=("https://app.example",))
    assert ok(api.get("/~new/api/v2/course/1/", headers=headers))["id"] == 1


@pytest.mark.parametrize("headers", [IMAGE, SCRIPT, FRAME, FORM])
def test_where_all_may_call_all_are_let_in(fresh: Fresh, headers: dict[str, str]) -> None:
    assert ok(fresh(cors_origins=("*",)).get("/~new/api/v2/course/1/", headers=headers))["id"] == 1


# The fast lane


def test_the_lane_refuses_nobody_else_than_the_stack(contract: Contract, default_fixture: Fixture) -> None:
    """What is refused is refused by the stack, and what is not takes the lane."""
    both = Both(contract, default_fixture, allowed_hosts=("good.example",))
    asked = plain("GET", "/course/1/", "member").with_("Host", "localhost")
    refused = [asked.with_("Host", "evil.example"), asked.with_("Sec-Fetch-Site", "cross-site")]
    for request in (*refused, asked, *refused):
        answer = both.ask(request)
        assert (answer.status, answer.by_lane) == ((403, False) if request in refused else (200, True))
    for host in ("good.example:80", "10.0.0.7"):
        assert both.ask(asked.with_("Host", host)).by_lane
    both.stop()
