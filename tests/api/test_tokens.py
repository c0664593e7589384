"""Which user a token stands for, and for how long."""

import asyncio
from datetime import timedelta

import pytest

from stubserver.api.tokens import BadCredentials, user_of
from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.answers import GENERAL, codes
from tests.support.client import Api
from tests.support.default import NOW, SECRET
from tests.support.tokens import bearer, signed


def test_jwts_expire_by_the_clock_of_the_world(api: Api) -> None:
    long_ago = NOW - timedelta(days=9000)
    late = bearer(signed(exp=int(long_ago.timestamp())))
    assert api.get("/course/", **late).status_code == 401
    api.world.clock.freeze(long_ago - timedelta(seconds=1))
    assert api.get("/course/", **late).status_code == 200
    api.world.clock.advance(timedelta(seconds=1))
    assert api.get("/course/", **late).status_code == 401


def test_jwts_are_refused_without_a_secret(contract: Contract, server: StubServer, runner: asyncio.Runner) -> None:
    api = Api(StubServer(contract, server.fixture), runner)
    for text in (signed(), signed("", "none")):
        response = api.get("/course/", **bearer(text))
        assert (response.status_code, codes(response)) == (401, {GENERAL: "authentication_failed"})
        assert "Unknown token" in response.text


@pytest.mark.parametrize("secret", ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_an_unusable_secret_is_refused_at_start(contract: Contract, server: StubServer, secret: str) -> None:
    with pytest.raises(ValueError, match="the JWT secret cannot be used"):
        StubServer(contract, server.fixture, Settings(jwt_secret=secret))


def why_not(world: World, token: str) -> str:
    """The reason why a token is refused."""
    with pytest.raises(BadCredentials) as caught:
        user_of(world, token)
    return str(caught.value)


@pytest.fixture
def secretive(default_fixture: Fixture) -> World:
    """A world whose server accepts JWTs."""
    world = World("w", default_fixture, Settings(jwt_secret=SECRET))
    world.clock.freeze(NOW)
    return world


def test_a_token_stands_for_a_user(secretive: World) -> None:
    """R001: either a token of the fixture or a JWT."""
    assert user_of(secretive, "stub-creator") is secretive.users[1]
    assert user_of(secretive, signed(user_id=8)) is secretive.users[8]


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (signed(without="jti"), 'Token is missing the "jti" claim'),
        (signed(exp=int(NOW.timestamp())), "it has expired"),
        (signed(exp="soon"), "it has expired"),
        (signed(token_type="refresh"), "token_type must be access"),
        (signed(user_id="3"), "user_id must be an integer"),
        (signed(user_id=True), "user_id must be an integer"),
        (signed(user_id=99), "does not exist or is disabled"),
        (signed("another-secret-that-is-long-enough-too"), "Signature verification failed"),
    ],
    ids=["no id", "too late", "no time", "to refresh", "a text", "a flag", "nobody", "another secret"],
)
def test_a_jwt_says_why_it_is_not_valid(secretive: World, token: str, why: str) -> None:
    """R002."""
    assert why in why_not(secretive, token)


def test_a_user_who_was_deleted_is_nobody(world: World) -> None:
    """R002: whatever kind of token it is."""
    world.users.put({**world.users[3], "deleted": True})
    assert why_not(world, "stub-member") == "The token's user does not exist or is disabled."


def test_a_granted_token_ends_by_the_clock_of_the_world(world: World) -> None:
    grant = {"id": 1, "access_token": "abc", "refresh_token": "def", "code": None, "user_id": 8}
    world.grants.put({**grant, "expires_at": NOW + timedelta(hours=1)})
    assert user_of(world, "abc") is world.users[8]
    assert "Unknown token" in why_not(world, "def")
    world.clock.advance(timedelta(hours=1))
    assert why_not(world, "abc") == "The access token has expired."
