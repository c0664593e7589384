"""Checking tokens: those of personas, granted tokens, and JWTs."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from tests.support.answers import refused
from tests.support.client import Api
from tests.support.default import NOW, PERSONAS
from tests.support.forms import JSON
from tests.support.tokens import (
    APP,
    LIFETIME,
    REVOKE,
    VERIFY,
    code,
    grant,
    signed,
)


def verdict(api: Api, text: Any, **options: Any) -> bool:
    """Whether the server calls the token valid; also checks the shape of the answer."""
    response = api.post(VERIFY, json={"token": text}, **options)
    if response.status_code == 200:
        assert response.content == b""
        return True
    assert refused(response, 401) == {"": "authentication_failed"}
    assert response.headers["www-authenticate"].startswith("Bearer")
    return False


@pytest.mark.parametrize("persona", PERSONAS)
def test_verify_token_of_a_persona(api: Api, persona: str) -> None:
    """R712: valid as long as it opens the API; a bad Authorization header is ignored."""
    text = f"stub-{persona}"
    assert verdict(api, text)
    assert verdict(api, text, headers={"Authorization": "Bearer nobody"})
    number = api.world.tokens[text]
    api.world.users.put({**api.world.users[number], "deleted": True})
    assert not verdict(api, text)


def test_verify_token_of_oauth(api: Api) -> None:
    """R712: an access token is valid until it expires, is replaced or is revoked."""
    pair = grant(api)
    assert verdict(api, pair["access_token"])
    assert not verdict(api, pair["refresh_token"])
    assert not verdict(api, code(api))
    following = grant(api, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert (verdict(api, pair["access_token"]), verdict(api, following["access_token"])) == (False, True)
    assert api.post(REVOKE, json={**APP, "token": following["access_token"]}).status_code == 200
    assert not verdict(api, following["access_token"])
    last = grant(api)["access_token"]
    api.world.clock.advance(LIFETIME)
    assert not verdict(api, last)


@pytest.mark.parametrize(
    ("claims", "valid"),
    [
        ({}, True),
        ({"token_type": "refresh"}, True),
        ({"user_id": 999}, True),
        ({"user_id": "x"}, True),
        ({"exp": 4e9, "aud": "a"}, True),
        ({"exp": int(NOW.timestamp()) + 1}, True),
        ({"exp": int(NOW.timestamp())}, False),
        ({"exp": 0}, False),
        ({"exp": -1}, False),
        ({"exp": "soon"}, False),
        ({"exp": True}, False),
        ({"exp": [4e9]}, False),
        ({"exp": float("nan")}, False),
        ({"without": "exp"}, False),
        ({"key": "another-secret-that-is-long-enough-for-it"}, False),
        ({"key": "", "algorithm": "none"}, False),
    ],
    ids=str,
)
def test_verify_token_of_a_jwt(api: Api, claims: dict[str, Any], valid: bool) -> None:
    """R712: only signature and time matter, not whom it names or what it is for."""
    assert verdict(api, signed(**claims)) is valid


def test_verify_token_asks_the_clock_of_the_world(api: Api) -> None:
    """R712: a JWT expires when the world's clock says so."""
    text = signed(exp=int(NOW.timestamp()) + 60)
    api.world.clock.advance(timedelta(seconds=59))
    assert verdict(api, text)
    api.world.clock.advance(timedelta(seconds=1))
    assert not verdict(api, text)


def forged(header: bytes, payload: bytes = b"{}") -> str:
    parts = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (header, payload, b"signature"))
    return ".".join(parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rubbish",
        "stub-nobody",
        " stub-member",
        "Bearer stub-member",
        "..",
        "a.b.c",
        "a.b.c.d",
        "\0.\0.\0",
        "\u00fc.\u00fc.\u00fc",
        forged(b"[]"),
        forged(b"null"),
        forged(b"\xff"),
        forged(b'{"alg":null}'),
        forged(b'{"alg":["HS256"]}'),
        forged(b'{"alg":"HS256","kid":5}'),
        forged(b'{"alg":"HS256","b64":false,"crit":["b64"]}'),
        forged(b'{"alg":"HS256"}', b"[" * 50_000),
        forged(b"[" * 50_000),
        forged(b'{"alg":' + b"9" * 5000 + b"}"),
        "x" * 100_000,
        signed()[:-3],
        signed() + "x",
        signed().upper(),
    ],
    ids=lambda text: repr(text)[:30],
)
def test_verify_token_refuses_rubbish(api: Api, text: str) -> None:
    """R712: in any shape, and with a tampered signature."""
    assert not verdict(api, text)


def test_verify_token_without_a_secret(contract: Contract, server: StubServer, runner: asyncio.Runner) -> None:
    """R712: a server without a secret accepts no JWT."""
    api = Api(StubServer(contract, server.fixture), runner)
    assert verdict(api, "stub-member")
    assert not verdict(api, signed(exp=4 * 10**9))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"json": {}}, {"token": "required"}),
        ({"json": {"token": None}}, {"token": "null"}),
        ({"json": {"token": 5}}, {"token": "invalid"}),
        ({"json": {"token": ["stub-member"]}}, {"token": "invalid"}),
        ({"data": {"tokens": "x"}}, {"token": "required"}),
        ({"files": {"token": ("a.txt", b"stub-member")}}, {"token": "invalid"}),
        ({"content": b'{"token":"\\ud800"}', "headers": JSON}, {"": "parse_error"}),
        ({"content": b"", "headers": JSON}, {"": "required"}),
    ],
)
def test_verify_token_needs_a_token(api: Api, options: dict[str, Any], expected: dict[str, str]) -> None:
    """R009, R017, R712: refused in the vendor's form, without the members of OAuth."""
    assert refused(api.post(VERIFY, **options), 400) == expected


def test_verify_token_reads_every_media_type(api: Api) -> None:
    """R009: JSON and both kinds of forms."""
    for options in ({"json": {"token": "stub-member"}}, {"data": {"token": "stub-member"}}):
        assert api.post(VERIFY, **options).status_code == 200
    assert api.post(VERIFY, files={"token": (None, "stub-member")}).status_code == 200
