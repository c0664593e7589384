"""Whom a token stands for, and for how long."""

import asyncio
from datetime import timedelta

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from tests.support.answers import GENERAL, codes
from tests.support.client import Api
from tests.support.default import NOW
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
