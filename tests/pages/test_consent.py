"""The page where a user lets an app act for them: which users it offers, and where it redirects."""

import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.support.answers import codes, ok, refused
from tests.support.client import Api
from tests.support.rows import snapshot
from tests.support.tokens import (
    ASKED,
    CALLBACK,
    CHALLENGES,
    PAGE,
    answered,
    authorize,
    denied,
    exchange,
    opens,
)


def links(page: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'href="([^"]*)"', page)]


@pytest.mark.parametrize("path", [PAGE, "/oauth/authorize"])
def test_authorize_lists_the_personas(api: Api, path: str) -> None:
    """R714: a page with a link for each persona, which leads back to the app with a code and the state."""
    before = snapshot(api.world)
    response = authorize(api, path, login_hint=None, state="a&b=c d\u00fc")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "The stub&#x27;s public app" in response.text
    assert snapshot(api.world) == before
    found = links(response.text)
    assert len(found) == 7
    for number, link in enumerate(found, start=1):
        assert html.escape(api.world.users[number]["real_name"]) in response.text
        assert link.startswith("?")
        back = answered(api.get(path + link))
        assert back.pop("state") == "a&b=c d\u00fc"
        assert set(back) == {"code"}
        assert opens(api, ok(exchange(api, back["code"]))["access_token"]) == number


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml;q=0.9", "*/*", "image/png"])
@pytest.mark.parametrize("path", [PAGE, "/oauth/authorize"])
def test_authorize_is_for_browsers(api: Api, path: str, accept: str) -> None:
    """R714: whatever they accept, and whatever token they send."""
    asked = {name: text for name, text in ASKED.items() if name != "login_hint"}
    headers = {"Accept": accept, "Authorization": "Bearer nobody"}
    assert api.get(path, params=asked, headers=headers).status_code == 200
    assert refused(api.post(path, data=asked), 405) == {"": "method_not_allowed"}


def test_authorize_keeps_what_was_asked_in_its_links(api: Api) -> None:
    """R714: the links repeat every parameter unchanged."""
    asked = {"code_challenge": CHALLENGES["S256"], "code_challenge_method": "S256", "copy": "read", "extra": "<&\">'"}
    found = links(authorize(api, login_hint=None, **asked).text)
    expected = {**ASKED, **asked, "login_hint": "ottoline-marsh"}
    assert dict(parse_qsl(found[1].removeprefix("?"))) == expected


def test_authorize_escapes_names(api: Api) -> None:
    """R714: names of users and apps, and parameters, appear as text, not as HTML."""
    bad = "<script>alert('x')</script>\" onclick=\"y"
    api.world.users.put({**api.world.users[3], "real_name": bad, "username": "<b>"})
    api.world.apps.put({**api.world.apps["stub-app"], "name": "<i>{people}"})
    page = authorize(api, login_hint=None, state=bad).text
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot; onclick=&quot;y" in page
    assert "(&lt;b&gt;)" in page
    assert "&lt;i&gt;{people}" in page
    assert answered(api.get(PAGE + links(page)[2]))["state"] == bad


@pytest.mark.parametrize("state", [None, "", "xyz", "a b&c=d#e%20", "\r\nSet-Cookie: a=b", "\u00fc\u6c34", "x" * 5000])
def test_authorize_takes_the_one_it_is_told(api: Api, state: str | None) -> None:
    """R714: login_hint chooses the user, and the state comes back unchanged."""
    response = authorize(api, login_hint="dilys_pruett", state=state)
    back = answered(response, f"{CALLBACK}?")
    assert back.get("state") == state
    assert "set-cookie" not in response.headers
    assert set(back) == {"code"} | ({"state"} if state is not None else set())
    assert opens(api, ok(exchange(api, back["code"]))["access_token"]) == 3


@pytest.mark.parametrize("hint", ["nobody", "", "Dilys_Pruett", "3", "\0", "\u00fc", "fergus_nettle"])
@pytest.mark.parametrize("state", ["xyz", None])
def test_authorize_denies_whom_it_does_not_know(api: Api, hint: str, state: str | None) -> None:
    """R714: it leads back with access_denied and without a code, for a deleted user (Fergus), too."""
    api.world.users.put({**api.world.users[10], "deleted": True})
    before = snapshot(api.world)
    back = answered(authorize(api, login_hint=hint, state=state))
    assert back == {"error": "access_denied", **({"state": state} if state else {})}
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "CODE"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"code_challenge": "x", "code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": ""}, "invalid_request"),
    ],
)
@pytest.mark.parametrize("hint", ["wren_hollis", "nobody", None])
def test_authorize_tells_the_app_what_is_wrong(
    api: Api, changes: dict[str, str | None], error: str, hint: str | None
) -> None:
    """R714: errors that may go to the app's address are reported there before any user is asked."""
    before = snapshot(api.world)
    assert answered(authorize(api, **{**changes, "login_hint": hint})) == {"error": error, "state": "xyz"}
    assert snapshot(api.world) == before


@pytest.mark.parametrize("client", [None, "", "nobody", "STUB-APP", "stub-app\0", "\u00fc"])
@pytest.mark.parametrize("hint", ["wren_hollis", None])
def test_authorize_needs_an_app(api: Api, client: str | None, hint: str | None) -> None:
    """R714: without a known app there is no redirect at all."""
    response = authorize(api, client_id=client, login_hint=hint)
    assert refused(response, 400) == {"client_id": "invalid_client"}
    assert "location" not in response.headers


FOREIGN = [
    None,
    "",
    "/callback",
    "callback",
    "//evil.example",
    "//localhost/",
    "javascript:alert(1)",
    "javascript://localhost/%0aalert(1)",
    "data:text/html,x",
    "ftp://localhost/",
    "localhost:3000",
    "http:localhost",
    "http:/localhost/",
    "http:///localhost/",
    "http://",
    "http://[",
    "https://app.example/callback",
    "http://localhost.evil.example/",
    "http://localhost@evil.example/",
    "http://localhost:3000@evil.example/",
    "http://user@localhost/",
    "http://localhost:@evil.example/",
    "http://localhost:pass@evil.example/",
    "http://localhost%40evil.example/",
    "http://localhost\\@evil.example/",
    "http://localhost/\\evil.example",
    "http://evil.example/http://localhost/",
    "http://evil.example#http://localhost/",
    "http://evil.example?http://localhost/",
    "http://127.0.0.1.evil.example/",
    "http://127.0.0.1:80.evil.example/",
    "http://127x0x0x1/",
    "http://127.0.0.2/",
    "http://1270.0.1/",
    "http://0.0.0.0/",
    "http://[::2]/",
    "http://[::1].evil.example/",
    "http://::1/",
    "http://localhost:/",
    "http://localhost:123456/",
    "http://localhost:\u0663000/",
    "http://localhost:-1/",
    "http://loc\u0430lhost/",
    "http://localhost\u3002evil.example/",
    "http://localhost/#fragment",
    "http://localhost/#",
    "http://localhost/a b",
    "http://localhost/\r\nLocation: http://evil.example/",
    "http://localhost/\n",
    "http://localhost\n",
    "\nhttp://localhost/",
    " http://localhost/",
    "http://localhost/\t",
    "http://localhost\0.evil.example/",
    "HTTP://localhost/",
]


@pytest.mark.parametrize("uri", FOREIGN, ids=ascii)
@pytest.mark.parametrize(
    "changes", [{}, {"login_hint": None}, {"response_type": "token"}], ids=["hint", "page", "wrong"]
)
def test_authorize_sends_nobody_to_a_foreign_place(api: Api, uri: str | None, changes: dict[str, Any]) -> None:
    """R714: only a registered redirect_uri or the local machine is allowed; lookalikes get no redirect and no code."""
    before = snapshot(api.world)
    response = authorize(api, redirect_uri=uri, **changes)
    assert refused(response, 400) == {"redirect_uri": "invalid"}
    assert "location" not in response.headers
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("uri", "back"),
    [
        ("http://localhost", "http://localhost?"),
        ("https://localhost/", "https://localhost/?"),
        ("http://localhost:5173/callback", "http://localhost:5173/callback?"),
        ("http://127.0.0.1:8000/a/b.html", "http://127.0.0.1:8000/a/b.html?"),
        ("http://[::1]:3000/", "http://[::1]:3000/?"),
        ("http://localhost:3000/cb?next=/a%26b&x=1", "http://localhost:3000/cb?next=/a%26b&x=1&"),
        ("http://localhost:3000/cb?next=http://evil.example/", "http://localhost:3000/cb?next=http://evil.example/&"),
        ("http://localhost/@evil.example", "http://localhost/@evil.example?"),
        ("http://localhost:3000/\u00fc", "http://localhost:3000/%C3%BC?"),
    ],
)
def test_authorize_sends_people_to_the_own_machine(api: Api, uri: str, back: str) -> None:
    """R714: in every spelling of it; an existing query stays, and codes and errors are appended to it."""
    response = authorize(api, redirect_uri=uri)
    location = response.headers["location"]
    found = re.fullmatch(re.escape(back) + "code=([0-9a-f]{32})&state=xyz", location)
    assert found
    assert denied(exchange(api, found[1], redirect_uri=CALLBACK)) == "invalid_grant"
    ok(exchange(api, found[1], redirect_uri=uri))
    assert authorize(api, redirect_uri=uri, login_hint="").headers["location"] == f"{back}error=access_denied&state=xyz"


@pytest.mark.parametrize("uri", ["http://localhost:3000/cb?", "http://localhost:3000/cb?x=1&"])
def test_authorize_answers_so_that_the_app_can_read_it(api: Api, uri: str) -> None:
    """R714: even if the redirect_uri ends in the middle of a query."""
    back = answered(authorize(api, redirect_uri=uri), "http://localhost:3000/cb?")
    assert {"code", "state"} <= set(back)
    ok(exchange(api, back["code"], redirect_uri=uri))


def test_authorize_knows_registered_addresses(api: Api) -> None:
    """R714: those of this app, compared character for character, and no other app's."""
    own = ["https://app.example/cb", "com.example.app:/cb", "https://app.example/q?a=1"]
    api.world.apps.put({**api.world.apps["stub-app"], "redirect_uris": own})
    for uri in own:
        back = answered(authorize(api, redirect_uri=uri), uri)
        assert back["state"] == "xyz"
        ok(exchange(api, back["code"], redirect_uri=uri))
        response = authorize(api, redirect_uri=uri, client_id="stub-server-app")
        assert refused(response, 400) == {"redirect_uri": "invalid"}
    for rest in ("x", "/", "/x", "?x=1", "#x", "\n", "%2F"):
        assert refused(authorize(api, redirect_uri=own[0] + rest), 400) == {"redirect_uri": "invalid"}
    for uri in ("https://APP.example/cb", "http://app.example/cb", "https://app.example/", "https://app.example/q"):
        assert refused(authorize(api, redirect_uri=uri), 400) == {"redirect_uri": "invalid"}
    answered(authorize(api))


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 400, "client_id"),
        ("?", 400, "client_id"),
        ("?%ff=%ff", 400, "client_id"),
        ("?client_id=stub-app&client_id=nobody", 400, "client_id"),
        (f"?{urlencode(ASKED)}&redirect_uri=http://evil.example/", 400, "redirect_uri"),
        (f"?{urlencode(ASKED)}&redirect_uri=", 400, "redirect_uri"),
        ("?" + "&".join(f"a{number}=1" for number in range(1001)), 400, "client_id"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_authorize_refuses_odd_queries(api: Api, query: str, status: int, field: str) -> None:
    """R017, R714: empty, malformed, repeated and far too many parameters."""
    response = api.get(PAGE + query)
    assert response.status_code == status
    assert set(codes(response)) <= {field, ""}
    assert "location" not in response.headers


@pytest.mark.parametrize("name", ASKED)
def test_authorize_never_mixes_repeated_parameters(api: Api, name: str) -> None:
    """R714: the address that is checked is the address of the redirect, whichever parameter is repeated."""
    evil = {"redirect_uri": "http://evil.example/", "client_id": "stub-server-app"}.get(name, "other")
    for query in (f"{urlencode(ASKED)}&{name}={evil}", f"{name}={evil}&{urlencode(ASKED)}"):
        response = api.get(f"{PAGE}?{query}")
        assert response.status_code in (302, 400)
        assert "evil" not in response.headers.get("location", "")


@pytest.mark.parametrize("query", ["state=%ff", "state=%00", "x=%", "&&&=&", "state", "state=a;b", "login_hint=%ff"])
def test_authorize_survives_odd_escapes(api: Api, query: str) -> None:
    """R017, R714: escapes that are not valid text cause no server error."""
    asked = {name: text for name, text in ASKED.items() if name not in ("state", "login_hint")}
    assert api.get(f"{PAGE}?{urlencode(asked)}&{query}").status_code in (200, 302, 400)
