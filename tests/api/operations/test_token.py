"""Tokens: granting them for a password or a code, refreshing and revoking them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from stubserver.api.tokens import BadCredentials, user_of
from stubserver.app import StubServer
from stubserver.settings import Settings
from stubserver.worlds.base import FixtureTable
from stubserver.worlds.snapshot import TABLES, Fixture
from stubserver.worlds.world import World
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW, PERSONAS
from tests.support.forms import FORM, JSON
from tests.support.rows import snapshot
from tests.support.tokens import (
    APP,
    CALLBACK,
    CHALLENGES,
    LIFETIME,
    REVOKE,
    SERVER_APP,
    TOKEN,
    VERIFIER,
    WREN,
    basic,
    code,
    denied,
    exchange,
    grant,
    opens,
)

TICK = timedelta(microseconds=1)


# Passwords


@pytest.mark.parametrize(
    "encode",
    [
        lambda body: {"json": body},
        lambda body: {"data": body},
        lambda body: {"files": {name: (None, text) for name, text in body.items()}},
    ],
    ids=["json", "urlencoded", "multipart"],
)
def test_oauth_token_for_a_password(api: Api, encode: Any) -> None:
    """R009, R713: a pair of tokens for ten hours, not to be cached; the access token stands for the user."""
    response = api.post(TOKEN, **encode({**APP, **WREN, "scope": "admin"}))
    body = ok(response)
    access, refresh = body.pop("access_token"), body.pop("refresh_token")
    assert body == {"expires_in": 36000, "token_type": "Bearer", "scope": "read write"}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    assert access != refresh
    assert (opens(api, access), opens(api, refresh)) == (1, None)


@pytest.mark.parametrize(("number", "persona"), [*enumerate(PERSONAS, start=1)])
def test_oauth_token_is_the_user_everywhere(api: Api, number: int, persona: str) -> None:
    """R002, R713: the token may do exactly what the persona may do."""
    user = api.world.users[number]
    access = grant(api, **{**WREN, "username": user["username"]})["access_token"]
    headers = {"Authorization": f"bearer {access}"}
    assert opens(api, access) == number
    assert api.get("/course/1/status/", headers=headers).json() == api.as_(persona).get("/course/1/status/").json()
    changed = api.patch("/course/1/", json={"description": "New"}, headers=headers)
    assert changed.status_code == (200 if persona in ("creator", "manager") else 403)


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong"},
        {"password": ""},
        {"password": "Stub-password"},
        {"password": " stub-password"},
        {"password": "stub-password\n"},
        {"password": "stub-password\0"},
        {"username": "nobody"},
        {"username": ""},
        {"username": "Wren_Hollis"},
        {"username": "Wren Hollis"},
        {"username": "1"},
        {"username": "wren_hollis\0"},
        {"username": "\u00fc\u6c34"},
        {"username": "fergus_nettle"},
    ],
    ids=str,
)
def test_oauth_token_refuses_a_wrong_password(api: Api, changes: dict[str, str]) -> None:
    """R713, R717: the same goes for unknown and deleted users (Fergus); nothing tells one from the other."""
    api.world.users.put({**api.world.users[10], "deleted": True})
    before = snapshot(api.world)
    response = api.post(TOKEN, json={**APP, **WREN, **changes})
    assert denied(response) == "invalid_grant"
    assert response.json()["errors"] == [{"message": "No user has this name and password.", "code": "invalid_grant"}]
    assert snapshot(api.world) == before


def test_oauth_token_reads_all_letters(api: Api) -> None:
    """R713: in names and passwords, in JSON and in forms."""
    api.world.users.put({**api.world.users[6], "username": "zo\u00eb", "password": "\u5bc6 p\u00e4ss&=+%:\U0001f511"})
    body = {**APP, **WREN, "username": "zo\u00eb", "password": "\u5bc6 p\u00e4ss&=+%:\U0001f511"}
    for options in ({"json": body}, {"data": body}, {"files": {name: (None, text) for name, text in body.items()}}):
        assert opens(api, ok(api.post(TOKEN, **options))["access_token"]) == 6
    assert denied(api.post(TOKEN, json={**body, "password": "stub-password"})) == "invalid_grant"


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"grant_type": "password"}, "username"),
        ({"grant_type": "password", "password": "stub-password"}, "username"),
        ({"grant_type": "password", "username": "wren_hollis"}, "password"),
        ({"grant_type": "password", "username": "nobody"}, "password"),
        ({"grant_type": "authorization_code", "redirect_uri": CALLBACK}, "code"),
        ({"grant_type": "refresh_token"}, "refresh_token"),
        ({"grant_type": "refresh_token", "token": "x"}, "refresh_token"),
        ({"username": "wren_hollis", "password": "stub-password"}, "grant_type"),
        ({}, "grant_type"),
    ],
)
def test_oauth_token_needs_what_the_grant_has(api: Api, fields: dict[str, str], missing: str) -> None:
    """R713, R717: the refusal names the missing field."""
    before = snapshot(api.world)
    response = api.post(TOKEN, json={**APP, **fields})
    assert denied(response) == "invalid_request"
    assert [entry["field"] for entry in response.json()["errors"]] == [missing]
    assert missing in response.json()["error_description"]
    assert snapshot(api.world) == before


def test_oauth_token_expires_by_the_clock_of_the_world(api: Api) -> None:
    """R713: after ten hours, and not before."""
    access = grant(api)["access_token"]
    api.world.clock.advance(LIFETIME - TICK)
    assert opens(api, access) == 1
    api.world.clock.advance(TICK)
    response = api.get("/course/", headers={"Authorization": f"Bearer {access}"})
    assert refused(response, 401) == {"": "authentication_failed"}
    assert "expired" in response.text
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_oauth_token_ends_with_its_user(api: Api) -> None:
    """R002, R713: both tokens of a deleted user stop working, and so does the code."""
    pair, waiting = grant(api), code(api)
    api.world.users.put({**api.world.users[1], "deleted": True})
    assert opens(api, pair["access_token"]) is None
    fields = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert denied(api.post(TOKEN, json={**APP, **fields})) == "invalid_grant"
    assert denied(exchange(api, waiting)) == "invalid_grant"


# Refreshing


def test_oauth_token_is_refreshed(api: Api) -> None:
    """R715: a refresh token works once; the new pair replaces both old tokens, for ten hours from now."""
    first = grant(api)
    api.world.clock.advance(LIFETIME * 3)
    response = api.post(TOKEN, json={**APP, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
    second = ok(response)
    assert response.headers["cache-control"] == "no-store"
    changed = ("access_token", "refresh_token")
    assert {name: second[name] for name in second if name not in changed} == {
        name: first[name] for name in first if name not in changed
    }
    assert len({first[name] for name in changed} | {second[name] for name in changed}) == 4
    assert (opens(api, first["access_token"]), opens(api, second["access_token"])) == (None, 1)
    before = snapshot(api.world)
    again = {**APP, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert denied(api.post(TOKEN, json=again)) == "invalid_grant"
    assert snapshot(api.world) == before
    api.world.clock.advance(LIFETIME - TICK)
    assert opens(api, second["access_token"]) == 1
    third = grant(api, grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert (opens(api, second["access_token"]), opens(api, third["access_token"])) == (None, 1)


@pytest.mark.parametrize("text", ["", "x", "stub-creator", "\0", "\u00fc"])
def test_oauth_token_is_refreshed_by_refresh_tokens_alone(api: Api, text: str) -> None:
    """R715: not by a persona's token, an access token or a code."""
    for offered in (text, grant(api)["access_token"], code(api)):
        fields = {"grant_type": "refresh_token", "refresh_token": offered}
        assert denied(api.post(TOKEN, json={**APP, **fields})) == "invalid_grant"


def test_oauth_token_is_refreshed_for_its_app_alone(api: Api) -> None:
    """R715, R716: another app is refused, and the refresh token still works for its own."""
    for own, other in ((APP, SERVER_APP), (SERVER_APP, APP)):
        pair = grant(api, own)
        fields = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
        assert denied(api.post(TOKEN, json={**other, **fields})) == "invalid_grant"
        assert opens(api, pair["access_token"]) == 1
        assert opens(api, grant(api, own, **fields)["access_token"]) == 1


def test_oauth_token_leaves_other_grants_alone(api: Api) -> None:
    """R715: two grants of the same user live independently."""
    first, second = grant(api), grant(api)
    assert first["access_token"] != second["access_token"]
    grant(api, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (opens(api, first["access_token"]), opens(api, second["access_token"])) == (None, 1)


# Apps


@pytest.mark.parametrize("path", [TOKEN, REVOKE])
@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        (APP, {}),
        ({**APP, "client_secret": "whatever"}, {}),
        (SERVER_APP, {}),
        ({}, basic("stub-server-app", "stub-secret")),
        ({}, basic("stub-app", "")),
        ({}, basic("stub-app", "whatever")),
        ({"client_id": "nobody", "client_secret": "no"}, basic("stub-server-app", "stub-secret")),
        ({}, {"Authorization": basic("stub-server-app", "stub-secret")["Authorization"].replace("Basic", "bASIC ")}),
        (APP, {"Authorization": "Bearer stub-member"}),
        (APP, {"Authorization": "Bearer nobody"}),
        (APP, {"Authorization": "Digest x"}),
        (APP, {"Authorization": ""}),
    ],
)
def test_oauth_token_knows_the_app(api: Api, path: str, fields: dict[str, str], headers: dict[str, str]) -> None:
    """R716: by its client_id, plus its secret if it has one, in the body or by HTTP Basic, which takes precedence."""
    response = api.post(path, json={**WREN, "token": "x", **fields}, headers=headers)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("path", [TOKEN, REVOKE])
@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {}),
        ({"client_id": "nobody"}, {}),
        ({"client_id": ""}, {}),
        ({"client_id": "STUB-APP"}, {}),
        ({"client_id": "stub-app\0"}, {}),
        ({"client_id": "\u00fc"}, {}),
        ({"client_secret": "stub-secret"}, {}),
        ({"client_id": "stub-server-app"}, {}),
        ({"client_id": "stub-server-app", "client_secret": ""}, {}),
        ({"client_id": "stub-server-app", "client_secret": "Stub-secret"}, {}),
        ({}, basic("nobody", "stub-secret")),
        ({}, basic("stub-server-app", "wrong")),
        ({}, basic("stub-server-app", "")),
        (APP, basic("", "")),
        ({}, basic("st\u00fcb", "s\u00e9cret")),
        (SERVER_APP, basic("stub-server-app", "wrong")),
        (APP, basic("nobody", "")),
        (APP, {"Authorization": "Basic"}),
        (APP, {"Authorization": "Basic ==="}),
        (APP, {"Authorization": "Basic c3R1Yi1hcHA"}),
        (APP, {"Authorization": "Basic c3R1Yi1hcHA6 c3R1Yi1hcHA6"}),
        (APP, {"Authorization": "Basic c3R1-_=="}),
        (APP, {"Authorization": "Basic /w=="}),
        (APP, {"Authorization": b"Basic \xfc\xfc\xfc\xfc"}),
    ],
)
def test_oauth_token_refuses_an_app_it_does_not_know(
    api: Api, path: str, fields: dict[str, str], headers: dict[str, Any]
) -> None:
    """R716, R717: 401 that names the authentication scheme; a header of that scheme is never ignored."""
    if headers.get("Authorization") == "Basic":
        fields = {}
    before = snapshot(api.world)
    response = api.post(path, json={**WREN, "token": "x", **fields}, headers=headers)
    assert denied(response, 401) == "invalid_client"
    assert snapshot(api.world) == before


def test_oauth_token_knows_the_apps_of_the_fixture(api: Api, app: StubServer, default_fixture: Fixture) -> None:
    """R716: the fixture's own apps and passwords replace the defaults."""
    apps = FixtureTable(
        *TABLES["apps"], [{"client_id": "mine", "name": "Mine", "client_secret": "s:c\u00fc", "redirect_uris": []}]
    )
    app.worlds.reset(fixture=replace(default_fixture, tables={**default_fixture.tables, "apps": apps}))
    api.world.users.put({**api.world.users[1], "password": "open sesame"})
    body = {"grant_type": "password", "username": "wren_hollis", "password": "open sesame"}
    for wrong in (APP, {"client_id": "mine"}, {"client_id": "mine", "client_secret": "s"}):
        assert denied(api.post(TOKEN, json={**body, **wrong}), 401) == "invalid_client"
    ok(api.post(TOKEN, json=body, headers=basic("mine", "s:c\u00fc")))
    ok(api.post(TOKEN, json={**body, "client_id": "mine", "client_secret": "s:c\u00fc"}))


# Malformed requests


@pytest.mark.parametrize(
    "kind", ["client_credentials", "implicit", "", "Password", "refresh_token ", "\u00fc", "a\0", "x" * 1000]
)
def test_oauth_token_knows_three_grants(api: Api, kind: str) -> None:
    """R713, R717: any other is an unsupported_grant_type."""
    assert denied(api.post(TOKEN, json={**APP, **WREN, "grant_type": kind})) == "unsupported_grant_type"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"content": b"{", "headers": JSON},
        {"content": b"[]", "headers": JSON},
        {"content": b"null", "headers": JSON},
        {"content": b"\xff", "headers": JSON},
        {"content": b"[" * 100_000, "headers": JSON},
        {"content": b'{"grant_type":"password","client_id":"\\ud800"}', "headers": JSON},
        {"content": b'{"grant_type":NaN}', "headers": JSON},
        {"content": b'{"grant_type":1e999}', "headers": JSON},
        {"content": b'{"grant_type":' + b"9" * 5000 + b"}", "headers": JSON},
        {"json": {**APP, **WREN, "grant_type": 5}},
        {"json": {**APP, **WREN, "grant_type": None}},
        {"json": {**APP, **WREN, "grant_type": ["password"]}},
        {"json": {**APP, **WREN, "client_id": [5]}},
        {"json": {**APP, **WREN, "username": None}},
        {"json": {**APP, **WREN, "username": {"a": 1}}},
        {"json": {**APP, **WREN, "password": 2**64}},
        {"json": {**APP, **WREN, "client_secret": False}},
        {"content": b"grant_type=%ff", "headers": FORM},
        {"content": b"\xff", "headers": FORM},
        {"content": b'{"grant_type":"password"}', "headers": FORM},
        {"content": b"grant_type[]=password", "headers": FORM},
        {"content": b"&".join(b"a%d=1" % n for n in range(1001)), "headers": FORM},
        {"files": {"grant_type": ("a.txt", b"password")}},
        {"content": b"--b", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
    ],
)
@pytest.mark.parametrize("path", [TOKEN, REVOKE])
def test_oauth_token_refuses_what_is_no_request(api: Api, path: str, options: dict[str, Any]) -> None:
    """R717: in both the form of RFC 6749 and the vendor's; nothing changes."""
    before = snapshot(api.world)
    assert denied(api.post(path, **options)) == "invalid_request"
    assert snapshot(api.world) == before


@pytest.mark.parametrize("path", [TOKEN, REVOKE])
def test_oauth_token_is_an_operation_like_any_other(api: Api, path: str) -> None:
    """R017, R026: all other refusals have the vendor's form."""
    assert refused(api.get(path), 405) == {"": "method_not_allowed"}
    assert refused(api.post(path, content=b"<a/>", headers={"Content-Type": "text/xml"}), 415)
    assert refused(api.post(path, json=WREN, headers={"Accept": "text/html"}), 406) == {"": "not_acceptable"}
    assert refused(api.post(path.rstrip("/"), json=WREN), 404) == {"": "not_found"}


def test_oauth_token_takes_the_last_of_two(api: Api) -> None:
    """R009: the last value counts if a body has a field twice."""
    fields = [*APP.items(), *WREN.items()]
    wrong = [("grant_type", "none"), ("client_id", "nobody"), ("username", "nobody"), ("password", "")]
    ok(api.post(TOKEN, content=urlencode([*wrong, *fields]), headers=FORM))
    assert denied(api.post(TOKEN, content=urlencode([*fields, ("password", "x")]), headers=FORM)) == "invalid_grant"
    twice = b'{"client_id":"x","client_id":"stub-app","grant_type":"refresh_token","refresh_token":"a"}'
    assert denied(api.post(TOKEN, content=twice, headers=JSON)) == "invalid_grant"


# Worlds


def test_oauth_token_is_the_same_in_worlds_that_are_alike(api: Api, app: StubServer) -> None:
    """R713: tokens follow from the world and the order of requests, so runs can be repeated."""

    def run() -> list[str]:
        api.world.clock.freeze(NOW)
        pairs = [grant(api), grant(api, SERVER_APP)]
        pairs.append(ok(exchange(api, code(api))))
        pairs.append(grant(api, grant_type="refresh_token", refresh_token=pairs[0]["refresh_token"]))
        return [pair[name] for pair in pairs for name in ("access_token", "refresh_token")]

    first = run()
    app.worlds.reset()
    assert run() == first
    assert len(set(first)) == 8
    app.worlds.reset()
    denied(api.post(TOKEN, json={**APP, **WREN, "password": "wrong"}))
    assert run() == first
    assert not set(run()) & set(first)


def test_oauth_token_opens_its_world_alone(api: Api, app: StubServer, default_fixture: Fixture) -> None:
    """R713: other worlds do not know it, and issue tokens of their own for the same request."""
    pair, other = grant(api), app.worlds.reset("other")
    assert user_of(api.world, pair["access_token"])["id"] == 1
    for world in (other, World("default", default_fixture), World("default", default_fixture, Settings(seed=1))):
        for text in (pair["access_token"], pair["refresh_token"]):
            with pytest.raises(BadCredentials):
                user_of(world, text)
        assert list(world.grants) == []
    texts = {
        world.token("access_token 1")
        for world in (api.world, other, World("default", default_fixture, Settings(seed=1)))
    }
    assert len(texts) == 3
    assert app.worlds.get("other") is other


# Revoking


@pytest.mark.parametrize("given", ["access_token", "refresh_token"])
def test_revoke_token_ends_both_of_a_pair(api: Api, given: str) -> None:
    """R717: whichever token is given; other grants live on, and revoking again is not an error."""
    pair, other = grant(api), grant(api)
    for _ in range(2):
        response = api.post(REVOKE, json={**APP, "token": pair[given]})
        assert (response.status_code, response.content) == (200, b"")
    assert opens(api, pair["access_token"]) is None
    refresh = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert denied(api.post(TOKEN, json={**APP, **refresh})) == "invalid_grant"
    assert opens(api, other["access_token"]) == 1
    assert opens(api, grant(api, **{**refresh, "refresh_token": other["refresh_token"]})["access_token"]) == 1


@pytest.mark.parametrize("text", ["", "x", "stub-creator", "\0", "\u00fc", "a.b.c", "x" * 100_000])
def test_revoke_token_takes_what_it_does_not_know(api: Api, text: str) -> None:
    """R717: there is nothing to revoke, and tokens of personas cannot be revoked."""
    pair, waiting = grant(api), code(api)
    before = snapshot(api.world)
    assert api.post(REVOKE, data={**APP, "token": text}).status_code == 200
    assert snapshot(api.world) == before
    assert (opens(api, "stub-creator"), opens(api, pair["access_token"])) == (1, 1)
    ok(exchange(api, waiting))


@pytest.mark.parametrize("given", ["access_token", "refresh_token"])
def test_revoke_token_ends_nothing_of_another_app(api: Api, given: str) -> None:
    """R716, R717: grants belong to the app that received them; the request succeeds but does nothing."""
    for own, other in ((APP, SERVER_APP), (SERVER_APP, APP)):
        pair = grant(api, own)
        assert api.post(REVOKE, json={**other, "token": pair[given]}).status_code == 200
        assert opens(api, pair["access_token"]) == 1
        assert api.post(REVOKE, json={**own, "token": pair[given]}).status_code == 200
        assert opens(api, pair["access_token"]) is None


@pytest.mark.parametrize("fields", [{}, {"token": None}, {"token": 5}, {"token": ["x"]}, {"access_token": "x"}])
def test_revoke_token_needs_a_token(api: Api, fields: dict[str, Any]) -> None:
    """R717: it must be a string."""
    assert denied(api.post(REVOKE, json={**APP, **fields})) == "invalid_request"


# Codes


def test_oauth_token_for_a_code(api: Api) -> None:
    """R713, R714: the same as for a password, but only once."""
    waiting = code(api)
    assert opens(api, waiting) is None
    response = exchange(api, waiting)
    body = ok(response)
    assert set(body) == {"access_token", "refresh_token", "expires_in", "token_type", "scope"}
    assert response.headers["cache-control"] == "no-store"
    assert opens(api, body["access_token"]) == 1
    before = snapshot(api.world)
    assert denied(exchange(api, waiting)) == "invalid_grant"
    assert snapshot(api.world) == before
    following = grant(api, grant_type="refresh_token", refresh_token=body["refresh_token"])
    assert denied(exchange(api, waiting)) == "invalid_grant"
    assert opens(api, following["access_token"]) == 1


def test_oauth_token_for_a_code_within_a_minute(api: Api) -> None:
    """R714: a minute of the world's time; the tokens then last their full time."""
    first, second = code(api), code(api)
    assert first != second
    api.world.clock.advance(timedelta(minutes=1) - TICK)
    access = ok(exchange(api, first))["access_token"]
    api.world.clock.advance(TICK)
    response = exchange(api, second)
    assert denied(response) == "invalid_grant"
    assert "expired" in response.json()["error_description"]
    api.world.clock.advance(LIFETIME - TICK * 2)
    assert opens(api, access) == 1
    api.world.clock.advance(TICK)
    assert opens(api, access) is None


@pytest.mark.parametrize(
    "uri", ["", f"{CALLBACK}/", f"{CALLBACK}?", CALLBACK.upper(), "http://localhost:3001/callback", "http://[", "\0"]
)
def test_oauth_token_for_a_code_at_its_address(api: Api, uri: str) -> None:
    """R714: redirect_uri must be the same as before, character for character; a refusal does not use up the code."""
    waiting = code(api)
    before = snapshot(api.world)
    assert denied(exchange(api, waiting, redirect_uri=uri)) == "invalid_grant"
    assert snapshot(api.world) == before
    ok(exchange(api, waiting))


def test_oauth_token_for_a_code_of_its_app(api: Api) -> None:
    """R714, R716: another app gets nothing for it, and an app with a secret must authenticate."""
    for own, other in ((APP, SERVER_APP), (SERVER_APP, APP)):
        waiting = code(api, client_id=own["client_id"])
        assert denied(exchange(api, waiting, other)) == "invalid_grant"
        assert opens(api, ok(exchange(api, waiting, own))["access_token"]) == 1
    waiting = code(api, client_id="stub-server-app")
    assert denied(exchange(api, waiting, {"client_id": "stub-server-app"}), 401) == "invalid_client"
    ok(exchange(api, waiting, SERVER_APP))


@pytest.mark.parametrize("text", ["x", "stub-creator", "\0", "\u00fc", "None", "null"])
def test_oauth_token_for_no_code(api: Api, text: str) -> None:
    """R714: neither made-up text nor any other token; grants made without a code cannot be found through it."""
    pair = grant(api)
    for offered in (text, pair["access_token"], pair["refresh_token"]):
        assert denied(exchange(api, offered)) == "invalid_grant"


@pytest.mark.parametrize("method", ["S256", "plain", None])
def test_oauth_token_for_a_code_with_a_challenge(api: Api, method: str | None) -> None:
    """R714: only with the verifier; plain if no method is named."""
    challenge = CHALLENGES[method or "plain"]
    waiting = code(api, code_challenge=challenge, code_challenge_method=method)
    before = snapshot(api.world)
    wrong = ["", "x", VERIFIER[:-1], VERIFIER + "=", VERIFIER.lower(), "\u00fc", "\0", CHALLENGES["S256"]]
    for verifier in wrong:
        response = exchange(api, waiting, code_verifier=verifier)
        assert denied(response) == "invalid_grant", verifier
    assert snapshot(api.world) == before
    assert opens(api, ok(exchange(api, waiting, code_verifier=VERIFIER))["access_token"]) == 1


def test_oauth_token_for_a_code_without_a_challenge(api: Api) -> None:
    """R714: a verifier without a challenge is ignored, and so is a method without a challenge."""
    ok(exchange(api, code(api), code_verifier="x"))
    ok(exchange(api, code(api, code_challenge_method="S512")))
