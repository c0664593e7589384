"""OAuth grants in snapshots: whoever was signed in still is, in the same server, in another, and after an import."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from stubserver.row_check import RowChecks
from stubserver.worlds.worlds_file import export, import_
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.snapshots import file_of, loaded, restore, take
from tests.support.tokens import (
    APP,
    CHALLENGES,
    REVOKE,
    SERVER_APP,
    TOKEN,
    VERIFIER,
    code,
    denied,
    exchange,
    grant,
    opens,
)

pytestmark = pytest.mark.no_world

WORLD = "default"
DILYS = 3
WREN = 1


def refresh(api: Api, pair: Any, app: dict[str, str] = APP) -> httpx.Response:
    """Refresh a pair of tokens."""
    body = {**app, "grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    return api.post(TOKEN, json=body)


@pytest.fixture
def signed_in(api: Api) -> dict[str, Any]:
    """What was granted to people in a world whose clock stands still: pairs of tokens, and codes not yet used."""
    ok(api.post(f"/__stub/clock/freeze?at={NOW.isoformat().replace('+00:00', 'Z')}"))
    pair, used, gone = grant(api), grant(api), grant(api)
    assert api.post(REVOKE, json={**APP, "token": gone["access_token"]}).is_success
    return {
        "pair": pair,
        "server": grant(api, SERVER_APP),
        "used": {**used, "again": ok(refresh(api, used))},
        "gone": gone,
        "code": code(api, code_challenge=CHALLENGES["S256"], code_challenge_method="S256"),
        "other": code(api, login_hint="dilys_pruett"),
        "exchanged": (taken := code(api)),
        "by code": ok(exchange(api, taken)),
    }


def by_restoring(api: Api, _: Api) -> Api:
    """The same server, after everything was revoked."""
    take(api, "s", WORLD)
    ok(api.post(f"/__stub/worlds/{WORLD}/reset"))
    restore(api, "s", WORLD)
    return api


def by_a_file(api: Api, there: Api) -> Api:
    """Another server, over its control plane."""
    loaded(there, file_of(api, WORLD), WORLD)
    return there


def by_all_worlds(api: Api, there: Api) -> Api:
    """Another server, with all worlds in one file."""
    stored = import_(export(api.app.worlds), there.app.worlds.load_fixture, RowChecks(there.app.contract))
    for name, strict, snapshot in stored:
        there.app.worlds.restore(name, snapshot).strict = strict
    return there


Carry = Callable[[Api, Api], Api]


@pytest.fixture(params=[by_restoring, by_a_file, by_all_worlds], ids=["restored", "file", "all worlds"])
def after(request: pytest.FixtureRequest, api: Api, there: Api, signed_in: dict[str, Any]) -> Api:
    """The server to which the world was carried."""
    carry: Carry = request.param
    return carry(api, there)


def test_access_tokens_are_accepted(after: Api, signed_in: dict[str, Any]) -> None:
    """R713: of each kind of grant, for as long as they would have been."""
    for pair in (signed_in["pair"], signed_in["server"], signed_in["used"]["again"], signed_in["by code"]):
        assert opens(after, pair["access_token"]) == WREN
    ok(after.post("/__stub/clock/advance", json={"seconds": 35_999}))
    assert opens(after, signed_in["pair"]["access_token"]) == WREN
    ok(after.post("/__stub/clock/advance", json={"seconds": 1}))
    assert opens(after, signed_in["pair"]["access_token"]) is None


def test_refresh_tokens_can_be_refreshed(after: Api, signed_in: dict[str, Any]) -> None:
    """R715: once, by the same app; the new pair is none that there was before."""
    pair = signed_in["pair"]
    assert denied(refresh(after, pair, SERVER_APP)) == "invalid_grant"
    new = ok(refresh(after, pair))
    assert denied(refresh(after, pair)) == "invalid_grant"
    granted = [signed_in[name] for name in ("pair", "server", "used", "gone", "by code")]
    assert new["access_token"] not in [one["access_token"] for one in granted]
    assert opens(after, new["access_token"]) == WREN
    assert opens(after, pair["access_token"]) is None
    ok(after.post("/__stub/clock/advance", json={"days": 3650}))
    assert opens(after, ok(refresh(after, signed_in["server"], SERVER_APP))["access_token"]) == WREN


def test_codes_can_be_exchanged(after: Api, signed_in: dict[str, Any]) -> None:
    """R714: once, with the verifier of the challenge that came with the request."""
    assert denied(exchange(after, signed_in["code"], code_verifier="another")) == "invalid_grant"
    pair = ok(exchange(after, signed_in["code"], code_verifier=VERIFIER))
    assert opens(after, pair["access_token"]) == WREN
    assert denied(exchange(after, signed_in["code"], code_verifier=VERIFIER)) == "invalid_grant"
    assert opens(after, ok(exchange(after, signed_in["other"]))["access_token"]) == DILYS


def test_a_code_expires_by_the_clock_of_the_world(after: Api, signed_in: dict[str, Any]) -> None:
    ok(after.post("/__stub/clock/advance", json={"minutes": 1}))
    assert denied(exchange(after, signed_in["other"])) == "invalid_grant"


def test_what_was_used_or_revoked_stays_so(after: Api, signed_in: dict[str, Any]) -> None:
    """R717: tokens and codes alike."""
    for name in ("used", "gone"):
        assert opens(after, signed_in[name]["access_token"]) is None
        assert denied(refresh(after, signed_in[name])) == "invalid_grant"
    assert denied(exchange(after, signed_in["exchanged"])) == "invalid_grant"


def test_what_was_revoked_later_is_accepted_again(api: Api, signed_in: dict[str, Any]) -> None:
    """A snapshot is the state that was."""
    take(api, "s", WORLD)
    token = signed_in["pair"]["access_token"]
    assert api.post(REVOKE, json={**APP, "token": token}).is_success
    assert opens(api, token) is None
    restore(api, "s", WORLD)
    assert opens(api, token) == WREN
