"""Tokens: issued, refreshed, revoked and verified. Apps and passwords come from the fixture and are not secret."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from stubserver.addressing import basic_credentials
from stubserver.api.body_checks import required
from stubserver.api.tokens import BadCredentials, claims_of, user_of
from stubserver.call import Call
from stubserver.errors import Problem, Refusal, unauthenticated
from stubserver.worlds.base import Row

LIFETIME = timedelta(seconds=36000)
"""How long an access token is valid (R713)."""
SCOPE = "read write"


def oauth_token(call: Call) -> Mapping[str, Any]:
    """Issue tokens for a password, a code or a refresh token (R713-R716)."""
    app = _client_app(call)
    match call.body["grant_type"]:
        case "password":
            return _issue(call, _password_grant(call, app))
        case "authorization_code":
            return _issue(call, _code_grant(call, app))
    return _issue(call, _find_grant(call, app, "refresh_token", _required(call, "refresh_token")))


def revoke_token(call: Call) -> None:
    """Revoke both tokens of a pair, given either of them (R717)."""
    app, token = _client_app(call), call.body["token"]
    grants = call.world.grants
    for grant in [*grants.where("access_token", token), *grants.where("refresh_token", token)]:
        if grant["client_id"] == app["client_id"]:
            grants.delete(grant["id"])


def verify_token(call: Call) -> None:
    """Refuse a token that is not valid (R712)."""
    token = call.body["token"]
    try:
        if token.count(".") == 2:
            claims_of(call.world, token)
        else:
            user_of(call.world, token)
    except BadCredentials as error:
        raise unauthenticated(str(error), "authentication_failed") from None


def _password_grant(call: Call, app: Row) -> Row:
    """A new grant to the app, for a username and a password. Raises a 400 refusal if they are wrong."""
    name, password = _required(call, "username"), _required(call, "password")
    for user in call.world.users.where("username", name):
        if user["password"] == password and not user["deleted"]:
            number = call.world.grants.next_id()
            return {"id": number, "client_id": app["client_id"], "user_id": user["id"], "code": None}
    raise _invalid_grant("No user has this name and password.")


def _code_grant(call: Call, app: Row) -> Row:
    """The grant that /oauth/authorize/ made. Raises a 400 refusal if its code cannot be used (R714)."""
    grant = _find_grant(call, app, "code", _required(call, "code"))
    if grant["expires_at"] <= call.world.clock.now():
        raise _invalid_grant("The code has expired.")
    if grant["redirect_uri"] != call.body.get("redirect_uri"):
        raise _invalid_grant("redirect_uri is not the URI that the code was sent to.")
    if grant["challenge"] not in (None, _challenge(grant["challenge_method"], call.body.get("code_verifier", ""))):
        raise _invalid_grant("code_verifier does not match the code challenge.")
    return grant


def _find_grant(call: Call, app: Row, field: str, value: str) -> Row:
    """The app's grant that has `value` in `field`. Raises a 400 refusal if there is none."""
    for grant in call.world.grants.where(field, value):
        if grant["client_id"] == app["client_id"] and not call.world.users[grant["user_id"]]["deleted"]:
            return grant
    raise _invalid_grant(f"No such {field}; it may have been used, revoked, or given to another app.")


def _issue(call: Call, grant: Row) -> Mapping[str, Any]:
    """A new pair of tokens for a grant; the previous pair and the code are no longer valid (R715)."""
    world = call.world
    pair = {name: world.token(f"{name} {world.grants.next_id()}") for name in ("access_token", "refresh_token")}
    world.grants.put({**grant, **pair, "code": None, "expires_at": world.clock.now() + LIFETIME})
    return {**pair, "token_type": "Bearer", "expires_in": int(LIFETIME.total_seconds()), "scope": SCOPE}


def _client_app(call: Call) -> Row:
    """The calling app (R716). Raises a 401 refusal if it is unknown, or if it has a secret and did not send that."""
    try:
        sent = basic_credentials(call.headers.get("authorization", ""))
    except ValueError:
        raise _invalid_client("The Authorization header is not valid Basic authentication.") from None
    name, secret = sent or (call.body.get("client_id"), call.body.get("client_secret"))
    app = call.world.apps.get(name)
    if app is None:
        raise _invalid_client(
            f"No app has this client_id. Known apps: {', '.join(row['client_id'] for row in call.world.apps)}."
        )
    if app["client_secret"] not in (None, secret):
        raise _invalid_client("The client_secret is not that of this app.")
    return app


def _invalid_client(message: str) -> Refusal:
    return Refusal(401, [Problem("invalid_client", message)], {"WWW-Authenticate": 'Basic realm="oauth"'})


def _invalid_grant(message: str) -> Refusal:
    return Refusal(400, [Problem("invalid_grant", message)])


def _required(call: Call, field: str) -> str:
    text: str = required(call.body, field, f"grant_type {call.body['grant_type']}")
    return text


def _challenge(method: str, verifier: str) -> str:
    """The code challenge that belongs to `verifier` (RFC 7636)."""
    if method == "plain":
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
