"""Behind proxies: which address absolute URLs in answers begin with."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from stubserver.app import StubServer, create_app
from stubserver.pipeline.proxies import Addresses
from stubserver.serving.banner import banner
from stubserver.settings import Settings
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.wire import ask

Fresh = Callable[..., Api]
PUBLIC = "https://dev.example/stub"


def urls_in(value: Any) -> list[str]:
    return re.findall(r'https?://[^"\\]*', json.dumps(value))


# The public URL


@pytest.mark.parametrize("public", [PUBLIC, f"{PUBLIC}/", "http://localhost:15999", "https://[::1]:8443/a/b-c_d.e~f"])
@pytest.mark.parametrize("base", ["", "/~w"])
@pytest.mark.parametrize("host", ["localhost:8765", "other.example"])
def test_all_urls_begin_with_the_public_url(fresh: Fresh, public: str, base: str, host: str) -> None:
    """Whatever the Host header says; the base path of a world goes after the prefix."""
    api = fresh(public_url=public)
    page = ok(api.get(f"{base}/api/v2/course/search/?limit=1&offset=1", headers={"Host": host}))
    root = public.rstrip("/") + base
    assert page["next"] == f"{root}/api/v2/course/search/?limit=1&offset=2"
    assert page["previous"] == f"{root}/api/v2/course/search/?limit=1"
    assert len(urls_in(page)) >= 6
    assert all(url.startswith(f"{root}/") for url in urls_in(page))


@pytest.mark.parametrize("base", ["", "/~w"])
@pytest.mark.parametrize("below", ["", "/__stub"])
def test_the_docs_work_at_the_public_url(fresh: Fresh, base: str, below: str) -> None:
    """With redirects that stay below the prefix; what they name is found once the proxy has taken it away."""
    api, own = fresh(public_url=PUBLIC), {"Host": "localhost"}
    asked = api.get(f"/{base}{below}/docs", headers=own)
    (address,) = re.findall(r'url: "([^"]+)"', api.get(f"/{base}{below}/docs/", headers=own).text)
    assert urlsplit(asked.headers["location"]).path == f"/stub{base}{below}/docs/"
    assert address == f"/stub{base}{below}/openapi.json"
    document = ok(api.get(f"/{address.removeprefix('/stub')}", headers=own))
    assert document["servers"] == [{"url": f"{PUBLIC}{base}{below}"}]


def test_the_way_to_the_docs_stays_below_the_prefix(fresh: Fresh) -> None:
    assert ok(fresh(public_url=PUBLIC).get("//"))["docs"] == f"{PUBLIC}/docs/"


def test_the_index_of_the_control_plane_is_at_the_public_url(fresh: Fresh) -> None:
    index = ok(fresh(public_url=PUBLIC).get("/~w/__stub/", headers={"Host": "localhost"}))
    assert index["docs"] == f"{PUBLIC}/~w/__stub/docs/"


@pytest.mark.parametrize("origin", ["https://dev.example", "http://localhost:8765"])
def test_the_docs_at_the_public_url_may_use_the_control_plane(fresh: Fresh, origin: str) -> None:
    """They are the server's own pages, and so are those that are opened without the proxy."""
    headers = {"Host": "localhost:8765", "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert ok(fresh(public_url=PUBLIC).post("/__stub/worlds", json={"name": "made"}, headers=headers), 201)


def test_no_other_page_may_because_of_the_public_url(fresh: Fresh) -> None:
    for origin in ("https://dev.example:8443", "http://dev.example", "https://evil.example"):
        headers = {"Host": "localhost:8765", "Origin": origin}
        response = fresh(public_url=PUBLIC).post("/__stub/worlds", json={"name": "made"}, headers=headers)
        assert refused(response, 403) == {"": "permission_denied"}


def test_the_banner_shows_both_addresses() -> None:
    shown = banner(create_app(public_url=f"{PUBLIC}/"), "http://127.0.0.1:8765")
    assert f"API    {PUBLIC}/api/v2/\n" in shown
    assert "Local  http://127.0.0.1:8765 " in shown
    assert "Local" not in banner(create_app(), "http://127.0.0.1:8765")


@pytest.mark.parametrize(
    ("url", "mistake"),
    [
        ("", "its scheme must be http or https"),
        ("dev.example", "its scheme must be http or https"),
        ("//dev.example", "its scheme must be http or https"),
        ("ftp://dev.example", "its scheme must be http or https"),
        ("javascript://dev.example", "its scheme must be http or https"),
        ("https://user@dev.example", "it must not name a user"),
        ("https://user:secret@dev.example/stub", "it must not name a user"),
        ("https://dev.example/stub?a=b", "it must have no query and no fragment"),
        ("https://dev.example?", "it must have no query and no fragment"),
        ("https://dev.example/#top", "it must have no query and no fragment"),
        ("https://", "write its beginning as https://dev.example"),
        ("HTTPS://Dev.Example/stub", "write its beginning as https://dev.example"),
        ("https://local.example:443", "write its beginning as https://local.example"),
        ("https://a b.example", "write its beginning as https://a"),
        ("https://dev.example:99999", "write its beginning as https://dev.example"),
        ("https://[::1", "write its beginning as https://dev.example"),
        ("https://dev.example/a b", "its path may have only letters, digits and ._~- between slashes"),
        ("https://dev.example/a/../b", "its path may have only letters, digits and ._~- between slashes"),
        ("https://dev.example//a", "its path may have only letters, digits and ._~- between slashes"),
        ("https://dev.example/%61", "its path may have only letters, digits and ._~- between slashes"),
        ("https://dev.example/a\nb", "its path may have only letters, digits and ._~- between slashes"),
    ],
)
def test_an_unusable_public_url_is_refused(url: str, mistake: str) -> None:
    with pytest.raises(ValueError, match="--public-url") as caught:
        Addresses(Settings(public_url=url))
    assert str(caught.value) == f"--public-url: {url!r} is not a URL such as https://dev.example/stub: {mistake}"


# Trusted proxies


TRUSTED = "10.0.0.7, 192.168.0.0/16,2001:db8::/32"
PROXIES = ["10.0.0.7", "192.168.3.4", "2001:db8::5", "::ffff:10.0.0.7"]
OTHERS = ["127.0.0.1", "10.0.0.8", "192.169.0.1", "2001:db9::1", "::ffff:10.0.0.8", "::1", "", "a socket"]
TOLD = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "dev.example", "X-Forwarded-Prefix": "/stub"}


@pytest.fixture(scope="module")
def proxied() -> StubServer:
    return create_app(forwarded_allow_ips=TRUSTED)


@pytest.fixture
def address(proxied: StubServer, runner: asyncio.Runner) -> Callable[..., str]:
    """The address with which URLs begin in answers to a request with these headers."""

    def found(peer: str, app: StubServer = proxied, **headers: str) -> str:
        sent = {"Host": "stub.test", **{name.replace("_", "-"): value for name, value in headers.items()}}
        status, _, body = ask(app, runner, "GET", "/api/v2/category/1/", sent, peer=peer)
        assert status == 200
        text: str = json.loads(body)["image_small"]
        return text.partition("/upfiles/")[0]

    return found


@pytest.mark.parametrize("peer", PROXIES)
def test_a_trusted_proxy_tells_the_address(address: Callable[..., str], peer: str) -> None:
    assert address(peer, **TOLD) == "https://dev.example/stub"
    assert address(peer, Forwarded="for=192.0.2.1;proto=https;host=dev.example") == "https://dev.example"


@pytest.mark.parametrize("peer", OTHERS)
def test_nobody_else_tells_anything(address: Callable[..., str], peer: str) -> None:
    """Not even who connects from this machine."""
    assert address(peer, **TOLD, Forwarded="proto=https;host=dev.example") == "http://stub.test"


@pytest.mark.parametrize("peer", [*PROXIES, *OTHERS])
def test_by_default_no_proxy_is_trusted(address: Callable[..., str], server: StubServer, peer: str) -> None:
    assert address(peer, server, **TOLD, Forwarded="proto=https;host=dev.example") == "http://stub.test"


@pytest.mark.parametrize("peer", [*PROXIES, *OTHERS])
def test_all_may_be_trusted(address: Callable[..., str], fresh: Fresh, peer: str) -> None:
    assert address(peer, fresh(forwarded_allow_ips=" * ").app, **TOLD) == "https://dev.example/stub"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        # One at a time
        ({"X-Forwarded-Proto": "HTTPS"}, "https://stub.test"),
        ({"X-Forwarded-Host": "dev.example:8443"}, "http://dev.example:8443"),
        ({"X-Forwarded-Host": "[2001:db8::1]:8443"}, "http://[2001:db8::1]:8443"),
        ({"X-Forwarded-Port": "8443"}, "http://stub.test:8443"),
        ({"X-Forwarded-Prefix": "/stub/"}, "http://stub.test/stub"),
        ({"X-Forwarded-Prefix": "/a/b"}, "http://stub.test/a/b"),
        ({"X-Forwarded-For": "192.0.2.1"}, "http://stub.test"),
        # Ports
        ({"X-Forwarded-Port": "80"}, "http://stub.test"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}, "https://stub.test"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Port": "80"}, "https://stub.test:80"),
        ({"X-Forwarded-Host": "localhost:15999", "X-Forwarded-Port": "443"}, "http://localhost:15999"),
        ({"X-Forwarded-Host": "[::1]", "X-Forwarded-Port": "8443"}, "http://[::1]:8443"),
        # The last proxy is the nearest
        ({"X-Forwarded-Proto": "http, https"}, "https://stub.test"),
        ({"X-Forwarded-Host": "evil.example, dev.example"}, "http://dev.example"),
        ({"X-Forwarded-Prefix": "/evil,/stub"}, "http://stub.test/stub"),
        ({"Forwarded": "host=evil.example;proto=http, host=dev.example;proto=https"}, "https://dev.example"),
        ({"Forwarded": 'host="evil.example, x", for="[::1]:80"'}, "http://stub.test"),
        # RFC 7239
        ({"Forwarded": 'For="[2001:db8::1]:4711" ; Host="dev.example:8443";PROTO=https'}, "https://dev.example:8443"),
        ({"Forwarded": "for=_hidden;by=unknown"}, "http://stub.test"),
        ({"Forwarded": "for=_hidden", "X-Forwarded-For": "192.0.2.1"}, "http://stub.test"),
        ({"Forwarded": "host=evil.example", "X-Forwarded-Proto": "https"}, "https://stub.test"),
        # Malformed
        ({"X-Forwarded-Proto": "javascript"}, "http://stub.test"),
        ({"X-Forwarded-Proto": "https://evil.example/"}, "http://stub.test"),
        ({"X-Forwarded-Proto": "https,"}, "http://stub.test"),
        ({"X-Forwarded-Proto": ""}, "http://stub.test"),
        ({"X-Forwarded-Host": "evil.example/path"}, "http://stub.test"),
        ({"X-Forwarded-Host": "evil.example/"}, "http://stub.test"),
        ({"X-Forwarded-Host": "user@evil.example"}, "http://stub.test"),
        ({"X-Forwarded-Host": 'evil" onload="x'}, "http://stub.test"),
        ({"X-Forwarded-Host": ""}, "http://stub.test"),
        ({"X-Forwarded-Port": "0"}, "http://stub.test"),
        ({"X-Forwarded-Port": "80@evil.example"}, "http://stub.test"),
        ({"X-Forwarded-Port": "123456"}, "http://stub.test"),
        ({"X-Forwarded-Prefix": "stub"}, "http://stub.test"),
        ({"X-Forwarded-Prefix": "//evil.example"}, "http://stub.test"),
        ({"X-Forwarded-Prefix": "/../up"}, "http://stub.test"),
        ({"X-Forwarded-Prefix": "@evil.example"}, "http://stub.test"),
        ({"X-Forwarded-Prefix": "/<b>"}, "http://stub.test"),
        ({"Forwarded": "host=evil.example/path;proto=gopher"}, "http://stub.test"),
        ({"Forwarded": 'host="evil.example'}, "http://stub.test"),
        ({"Forwarded": ";;=,;"}, "http://stub.test"),
        ({"Forwarded": ""}, "http://stub.test"),
    ],
    ids=str,
)
def test_what_a_trusted_proxy_may_tell(address: Callable[..., str], headers: dict[str, str], expected: str) -> None:
    """A malformed value counts as none, and never gets into a URL."""
    assert address(PROXIES[0], **headers) == expected


def test_the_public_url_goes_before_what_a_proxy_tells(address: Callable[..., str]) -> None:
    app = create_app(forwarded_allow_ips="*", public_url=PUBLIC)
    assert address(PROXIES[0], app, **{**TOLD, "X-Forwarded-Host": "other.example"}) == PUBLIC


def test_the_docs_work_behind_a_trusted_proxy(fresh: Fresh) -> None:
    """Their addresses need no host, so they work for whoever opens them."""
    api, headers = fresh(forwarded_allow_ips="127.0.0.1"), {**TOLD, "Host": "localhost"}
    assert 'url: "/stub/~w/openapi.json"' in api.get("/~w/docs/", headers=headers).text
    assert ok(api.get("/~w/openapi.json", headers=headers))["servers"] == [{"url": "/stub/~w"}]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("localhost", "localhost"),
        ("10.0.0.7:80", "10.0.0.7:80"),
        ("10.0.0.1/8", "10.0.0.1/8"),
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("10.0.0.7 10.0.0.8", "10.0.0.7 10.0.0.8"),
        ("10.0.0.7,,::1", ""),
        ("10.0.0.7,*", "*"),
        ("**", "**"),
        (" ", ""),
        ("", ""),
    ],
)
def test_what_is_no_proxy_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="--forwarded-allow-ips") as caught:
        Addresses(Settings(forwarded_allow_ips=text))
    right = "is not an address such as 10.0.0.7, a network such as 10.0.0.0/8, or * alone: "
    assert str(caught.value).startswith(f"--forwarded-allow-ips: {wrong!r} {right}")
