"""Behind proxies: which address absolute URLs in answers begin with."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from stubserver.app import create_app
from stubserver.serving.server import banner
from tests.support.answers import ok, refused
from tests.support.client import Api

Fresh = Callable[..., Api]
PUBLIC = "https://dev.example/stub"


def urls_in(value: Any) -> list[str]:
    return re.findall(r'https?://[^"\\]*', json.dumps(value))


# The public URL


@pytest.mark.parametrize("public", [PUBLIC, f"{PUBLIC}/", "http://localhost:15999", "https://[::1]:8443/a/b-c_d.e~f"])
@pytest.mark.parametrize("base", ["", "/~w"])
@pytest.mark.parametrize("host", ["localhost:8765", "other.example", "", "a b"])
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
    assert fresh(public_url=PUBLIC).get("//").headers["location"] == "/stub/docs/"


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
        create_app(public_url=url)
    assert str(caught.value) == f"--public-url: {url!r} is not a URL such as https://dev.example/stub: {mistake}"
