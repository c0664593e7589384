"""Tokens: granted, refreshed, taken back and checked. Apps and passwords are the fixture's, and no secrets."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from stubserver.api.body_checks import required
from stubserver.api.tokens import BadCredentials, claims_of, user_of
from stubserver.call import Call
from stubserver.errors import Problem, Refusal, unauthenticated
from stubserver.worlds.table import Row

LIFETIME = timedelta(seconds=36000)
"""How long an access token opens the API (R713)."""
SCOPE = "read write"


def oauth_token(call: Call) -> Mapping[str, Any]:
    """Tokens for a password, a code or a refresh token (R713-R716)."""
    app = _app(call)
    match call.body["grant_type"]:
        case "password":
            return _issued(call, _by_password(call, app))
        case "authorization_code":
            return _issued(call, _by_code(call, app))
    return _issued(call, _granted(call, app, "refresh_token", _needed(call, "refresh_token")))


def revoke_token(call: Call) -> None:
    """End both tokens of a pair, if either is given (R717)."""
    app, token = _app(call), call.body["token"]
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


def _by_password(call: Call, app: Row) -> Row:
    """A new grant to the app. Raises a 400 refusal."""
    name, password = _needed(call, "username"), _needed(call, "password")
    for user in call.world.users.where("username", name):
        if user["password"] == password and not user["deleted"]:
            number = call.world.grants.next_id()
            return {"id": number, "client_id": app["client_id"], "user_id": user["id"], "code": None}
    raise _denied("No user has this name and password.")


def _by_code(call: Call, app: Row) -> Row:
    """The grant that /oauth/authorize/ made. Raises a 400 refusal (R714)."""
    grant = _granted(call, app, "code", _needed(call, "code"))
    if grant["expires_at"] <= call.world.clock.now():
        raise _denied("The code has expired.")
    if grant["redirect_uri"] != call.body.get("redirect_uri"):
        raise _denied("redirect_uri is not the one that the code was sent to.")
    if grant["challenge"] not in (None, _challenge(grant["challenge_method"], call.body.get("code_verifier", ""))):
        raise _denied("code_verifier does not fit the code challenge.")
    return grant


def _granted(call: Call, app: Row, field: str, value: str) -> Row:
    """The app's grant with that value. Raises a 400 refusal."""
    for grant in call.world.grants.where(field, value):
        if grant["client_id"] == app["client_id"] and not call.world.users[grant["user_id"]]["deleted"]:
            return grant
    raise _denied(f"No such {field}; it may have been used, revoked, or given to another app.")


def _issued(call: Call, grant: Row) -> Mapping[str, Any]:
    """A new pair of tokens for a grant; the pair before, and the code, are worth nothing any more (R715)."""
    world = call.world
    pair = {name: world.token(f"{name} {world.grants.next_id()}") for name in ("access_token", "refresh_token")}
    world.grants.put({**grant, **pair, "code": None, "expires_at": world.clock.now() + LIFETIME})
    return {**pair, "token_type": "Bearer", "expires_in": int(LIFETIME.total_seconds()), "scope": SCOPE}


def _app(call: Call) -> Row:
    """The app that calls, with its secret if it has one (R716). Raises a 401 refusal."""
    name, secret = _basic(call.headers.get("authorization", ""))
    if name is None:
        name, secret = call.body.get("client_id"), call.body.get("client_secret")
    app = call.world.apps.get(name)
    if app is None:
        raise _unknown_app(
            f"No app has this client_id. There are {', '.join(row['client_id'] for row in call.world.apps)}."
        )
    if app["client_secret"] not in (None, secret):
        raise _unknown_app("The client_secret is not the one of this app.")
    return app


def _basic(header: str) -> tuple[str | None, str | None]:
    """Name and secret in an Authorization header of the scheme Basic; None and None in any other."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        name, _, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:  # not base64, or not UTF-8
        raise _unknown_app("The Authorization header is no Basic authentication.") from None
    return name, secret


def _unknown_app(message: str) -> Refusal:
    return Refusal(401, [Problem("invalid_client", message)], {"WWW-Authenticate": 'Basic realm="oauth"'})


def _denied(message: str) -> Refusal:
    """A 400: what is offered is worth nothing."""
    return Refusal(400, [Problem("invalid_grant", message)])


def _needed(call: Call, field: str) -> str:
    text: str = required(call.body, field, f"grant_type {call.body['grant_type']}")
    return text


def _challenge(method: str, verifier: str) -> str:
    """What a code challenge of that method must have been (RFC 7636)."""
    if method == "plain":
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
