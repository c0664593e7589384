"""The journal shows no credentials, wherever they were sent."""

import base64
import json

import pytest

from tests.support.answers import ok
from tests.support.client import Api
from tests.support.faults import create
from tests.support.forms import FORM, JSON, MULTIPART, Options, form, part
from tests.support.journal import REQUESTS, newest
from tests.support.tokens import APP, SERVER_APP, TOKEN, WREN, basic, code, grant

pytestmark = pytest.mark.in_process("it is about the journal of the world default")

SECRET = "Ab3-xYz-hunter2"
BASIC = base64.b64encode(f"app:{SECRET}".encode()).decode()
CONFIDENTIAL: dict[str, tuple[str, Options]] = {
    "bearer": ("/user/me/", {"headers": {"Authorization": f"Bearer {SECRET}"}}),
    "no scheme": ("/user/me/", {"headers": {"Authorization": SECRET}}),
    "basic": (TOKEN, {"headers": {"Authorization": f"Basic {BASIC}"}, "json": {"grant_type": "password"}}),
    "proxy": ("/user/me/", {"headers": {"Proxy-Authorization": f"Basic {BASIC}"}}),
    "cookie": ("/user/me/", {"headers": {"Cookie": f"session={SECRET}; theme=dark"}}),
    "api key": ("/user/me/", {"headers": {"X-Api-Key": SECRET, "X-Auth-Token": SECRET}}),
    "password": (TOKEN, {"json": {**WREN, "password": SECRET}}),
    "password in a form": (TOKEN, {"data": {**WREN, **APP, "password": SECRET}}),
    "password in a multipart form": (
        TOKEN,
        {"content": form(part("grant_type", b"password"), part("password", SECRET.encode())), "headers": MULTIPART},
    ),
    "client secret": (TOKEN, {"json": {**WREN, "client_id": "stub-server-app", "client_secret": SECRET}}),
    "code": (TOKEN, {"json": {**APP, "grant_type": "authorization_code", "code": SECRET, "code_verifier": SECRET}}),
    "refresh token": (TOKEN, {"data": {**APP, "grant_type": "refresh_token", "refresh_token": SECRET}}),
    "revoked token": ("/oauth/revoke_token/", {"data": {**APP, "token": SECRET}}),
    "verified token": ("/api/v2/jwt/verify_token/", {"json": {"token": SECRET}}),
    "form without grant_type": (TOKEN, {"data": {"username": "wren_hollis", "password": SECRET}}),
    "multipart without grant_type": (
        TOKEN,
        {"content": form(part("password", SECRET.encode())), "headers": MULTIPART},
    ),
    "broken JSON": (TOKEN, {"content": f'{{"password": "{SECRET}"'.encode(), "headers": JSON}),
    "broken multipart form": (TOKEN, {"content": form(part("password", SECRET.encode()))[:-4], "headers": MULTIPART}),
    "JSON of another form": (TOKEN, {"json": [{"password": SECRET}]}),
    "JSON with a list": (TOKEN, {"json": {**WREN, "password": [SECRET]}}),
    "JSON with an object": (TOKEN, {"json": {**WREN, "client_secret": {"value": SECRET}}}),
    "JSON that says it is a form": (TOKEN, {"content": f'{{"password": "{SECRET}"}}'.encode(), "headers": FORM}),
    "another media type": (
        TOKEN,
        {"content": f"password={SECRET}", "headers": {"Content-Type": "text/plain"}},
    ),
    "not acceptable": (TOKEN, {"json": {"password": SECRET}, "headers": {"Accept": "text/html"}}),
    "without a slash": ("/oauth/token", {"json": {"password": SECRET}}),
    "misspelt": ("/oauth/tokens/", {"json": {"password": SECRET}}),
    "asked for an example": (TOKEN, {"data": {"password": SECRET}, "headers": {"Prefer": "code=200"}}),
    "in a broken query": (f"{TOKEN}?password={SECRET}&x=%ff", {"json": {"grant_type": "password"}}),
    "in the query": (f"{TOKEN}?password={SECRET}&client_secret={SECRET}", {"json": {"grant_type": "password"}}),
}


@pytest.mark.parametrize("case", CONFIDENTIAL)
def test_credentials_are_never_shown(api: Api, case: str) -> None:
    """Wherever they were sent, and however the request ended."""
    path, options = CONFIDENTIAL[case]
    assert api.request("GET" if path == "/user/me/" else "POST", path, **options).status_code >= 200
    text = api.get(REQUESTS).text
    assert json.loads(text)["count"] == 1
    for secret in (SECRET, BASIC):
        assert secret not in text


@pytest.mark.parametrize("kind", ["error", "reset", "lost", "truncate"])
def test_credentials_of_requests_that_met_a_fault_are_never_shown(api: Api, kind: str) -> None:
    create(api, kind)
    api.post(TOKEN, json={**WREN, **APP, "password": SECRET})
    api.post(TOKEN, data={**WREN, **SERVER_APP, "client_secret": SECRET})
    text = api.get(REQUESTS).text
    assert json.loads(text)["count"] == 2
    assert SECRET not in text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer abc", "Bearer [redacted]"),
        ("Basic YTpi", "Basic [redacted]"),
        ("bearer  abc", "bearer [redacted]"),
        ("Digest a=1, b=2", "Digest [redacted]"),
        ("abc", "[redacted]"),
    ],
)
def test_an_authorization_header_keeps_its_scheme(api: Api, header: str, expected: str) -> None:
    api.get("/user/me/", headers={"Authorization": header})
    assert newest(api)["request"]["headers"]["authorization"] == expected


def test_of_credentials_all_but_the_value_is_shown(api: Api) -> None:
    api.post(TOKEN, json={**WREN, **SERVER_APP}, headers={"Cookie": "a=b"})
    entry = newest(api)
    assert entry["request"]["body"] == {
        "grant_type": "password",
        "username": "wren_hollis",
        "password": "[redacted]",
        "client_id": "stub-server-app",
        "client_secret": "[redacted]",
    }
    assert entry["request"]["headers"]["cookie"] == "[redacted]"
    assert entry["response"]["body"] == {
        "access_token": "[redacted]",
        "refresh_token": "[redacted]",
        "token_type": "Bearer",
        "expires_in": 36000,
        "scope": "read write",
    }
    (change,) = entry["changes"]
    assert (change["value"]["access_token"], change["value"]["code"]) == ("[redacted]", None)


def test_granted_tokens_and_codes_are_never_shown(api: Api) -> None:
    """From the consent until the tokens end: not in bodies, answers, headers or changed rows."""
    secrets = [WREN["password"], SERVER_APP["client_secret"]]
    first = grant(api)
    second = grant(api, grant_type="refresh_token", refresh_token=first["refresh_token"])
    secrets += [pair[name] for pair in (first, second) for name in ("access_token", "refresh_token")]
    secrets.append(code(api))
    third = grant(api, grant_type="authorization_code", code=secrets[-1], redirect_uri="http://localhost:3000/callback")
    secrets += [third["access_token"], third["refresh_token"]]
    ok(api.get("/user/me/", headers={"Authorization": f"Bearer {third['access_token']}"}))
    ok(api.post(TOKEN, data=WREN, headers=basic(SERVER_APP["client_id"], SERVER_APP["client_secret"])))
    api.post("/oauth/revoke_token/", data={**APP, "token": third["access_token"]})
    text = api.get(REQUESTS).text
    assert json.loads(text)["count"] == 6
    for secret in secrets:
        assert secret not in text
