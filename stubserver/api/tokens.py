"""Whom a token stands for: fixture tokens, OAuth grants and, if a secret is configured, JWTs (R001, R002)."""

from collections.abc import Mapping
from typing import Any

import jwt

from stubserver.worlds.base import Row
from stubserver.worlds.world import World


class BadCredentials(Exception):
    """The credentials do not identify a user; the message says why."""


def user_of(world: World, token: str) -> Row:
    """The user that `token` stands for. Raises BadCredentials (R002)."""
    number = world.tokens.get(token)
    if number is None:
        number = _grant_user(world, token)
    if number is None:
        number = _jwt_user(claims_of(world, token))
    user = world.users.get(number)
    if user is None or user["deleted"]:
        raise BadCredentials("The token's user does not exist or is disabled.")
    return user


def _grant_user(world: World, token: str) -> int | None:
    for grant in world.grants.where("access_token", token):
        if world.clock.has_come(grant["expires_at"]):
            raise BadCredentials("The access token has expired.")
        user: int = grant["user_id"]
        return user
    return None


def claims_of(world: World, token: str) -> Mapping[str, Any]:
    """The claims of a JWT signed with the world's secret and not yet expired. Raises BadCredentials."""
    if world.settings.jwt_secret is None:
        raise BadCredentials("Unknown token. Use one of the tokens that the server prints at startup.")
    try:
        # Only the world's clock counts, so expiry is checked below and not by the library.
        claims: Mapping[str, Any] = jwt.decode(
            token,
            world.settings.jwt_secret,
            algorithms=["HS256"],
            options={
                "require": ["user_id", "token_type", "jti", "iat", "exp"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
            },
        )
    except jwt.PyJWTError as error:
        raise BadCredentials(f"The token is not valid: {error}.") from None
    if not isinstance(claims["exp"], int | float) or not claims["exp"] > world.clock.now().timestamp():
        raise BadCredentials("The token is not valid: it has expired.")
    return claims


def _jwt_user(claims: Mapping[str, Any]) -> int:
    if claims["token_type"] != "access":  # noqa: S105 (a kind of token)
        raise BadCredentials("The token is not valid: token_type must be access.")
    if type(claims["user_id"]) is not int:
        raise BadCredentials("The token is not valid: user_id must be an integer.")
    return claims["user_id"]


def check_secret(jwt_secret: str | None) -> None:
    """Raises ValueError if PyJWT cannot sign with `jwt_secret`."""
    if jwt_secret is not None:
        try:
            jwt.encode({}, jwt_secret, "HS256")
        except jwt.PyJWTError as error:
            raise ValueError(f"the JWT secret cannot be used: {error}") from None
