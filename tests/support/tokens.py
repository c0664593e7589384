"""Tokens: signed, and granted by OAuth in the way the vendor's pages use it."""

import base64
import warnings
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
from jwt.warnings import InsecureKeyLengthWarning

from tests.support.answers import codes, ok
from tests.support.client import Api
from tests.support.default import NOW, SECRET

TOKEN, PAGE = "/oauth/token/", "/oauth/authorize/"
REVOKE, VERIFY = "/oauth/revoke_token/", "/jwt/verify_token/"
LIFETIME = timedelta(seconds=36000)
"""How long an access token is valid."""
APP = {"client_id": "stub-app"}
SERVER_APP = {"client_id": "stub-server-app", "client_secret": "stub-secret"}
WREN = {"grant_type": "password", "username": "wren_hollis", "password": "stub-password"}
CALLBACK = "http://localhost:3000/callback"
REQUEST_OF_CODE = {**APP, "response_type": "code", "redirect_uri": CALLBACK}
"""What an app sends to the consent page."""
ASKED = {**REQUEST_OF_CODE, "state": "xyz", "login_hint": "wren_hollis"}
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGES = {"S256": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "plain": VERIFIER}
"""Method -> the challenge for VERIFIER; the S256 value is from RFC 7636."""


def signed(key: str = SECRET, algorithm: str = "HS256", without: str = "", **claims: Any) -> str:
    """A JWT of the member, unless `claims` say otherwise."""
    now = int(NOW.timestamp())
    usual = {"user_id": 3, "token_type": "access", "jti": "1", "iat": now, "exp": now + 60, **claims}
    usual.pop(without, None)
    with warnings.catch_warnings(category=InsecureKeyLengthWarning, action="ignore"):  # short secrets are fine here
        return jwt.encode(usual, key, algorithm=algorithm)


def grant(api: Api, app: dict[str, str] = APP, **fields: Any) -> Any:
    """The answer to a token request that must succeed, by default with Wren's password."""
    return ok(api.post(TOKEN, json={**app, **(fields or WREN)}))


def basic(name: str, secret: str) -> dict[str, str]:
    """The header with which an app authenticates itself."""
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


def authorize(api: Api, path: str = PAGE, /, **changes: str | None) -> httpx.Response:
    """Request a code, with changes to the usual parameters; None leaves one out."""
    asked = {name: text for name, text in {**ASKED, **changes}.items() if text is not None}
    return api.get(path, params=asked)


def answered(response: httpx.Response, uri: str = CALLBACK) -> dict[str, str]:
    """The parameters of a redirect to this address."""
    assert response.status_code == 302, response.text
    location = response.headers["location"]
    assert location.startswith(uri)
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def code(api: Api, **changes: str | None) -> str:
    """A code, requested with changes to the usual parameters."""
    return answered(authorize(api, **changes), changes.get("redirect_uri") or CALLBACK)["code"]


def bearer(text: str) -> dict[str, Any]:
    """Options for httpx with a token."""
    return {"headers": {"Authorization": f"Bearer {text}"}}


def exchange(api: Api, text: str, app: dict[str, str] = APP, **fields: str) -> httpx.Response:
    """Exchange a code for tokens."""
    body = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, **app, **fields, "code": text}
    return api.post(TOKEN, json={name: value for name, value in body.items() if value})


def opens(api: Api, text: str) -> int | None:
    """Id of the user whom the token stands for; None if the token is not accepted."""
    response = api.get("/user/me/", headers={"Authorization": f"Bearer {text}"})
    if response.status_code == 401:
        assert codes(response) == {"": "authentication_failed"}
        return None
    number: int = ok(response)["id"]
    return number


def denied(response: httpx.Response, status: int = 400) -> str:
    """The `error` of an OAuth refusal, which must have the status; also checks the shape."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error", "error_description", "errors"}
    assert body["error_description"]
    codes(httpx.Response(status, json={"errors": body["errors"]}))
    assert response.headers["content-type"] == "application/json"
    assert response.headers.get("www-authenticate") == ('Basic realm="oauth"' if status == 401 else None)
    error: str = body["error"]
    return error
