"""The page /oauth/authorize/, where users authorize an app (R714). There is no login: they choose who they are."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from stubserver.addressing import LOCAL_HOST
from stubserver.call import SCOPE_KEY, Call
from stubserver.errors import invalid
from stubserver.worlds.base import Row

CODE_LIFETIME = timedelta(minutes=1)
METHODS = ("S256", "plain")
"""Supported code challenge methods (RFC 7636)."""
_LOCAL_URI = re.compile(rf"https?://{LOCAL_HOST}(/[^\s#\\]*)?", re.ASCII)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Who are you?</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem; }}
  li {{ margin: .5rem 0; }}
</style>
<h1>Who are you?</h1>
<p>{app} wants to act on your behalf in this stub of the community. Choose whom to sign in as:</p>
<ul>
{people}
</ul>
</html>
"""


async def authorize(request: Request) -> Response:
    """Ask who the user is, or, if `login_hint` says so, send them back to the app with a code.

    Raises a 400 refusal if the app or its redirect_uri is unknown: users are never sent to an unregistered address.
    """
    call: Call = request.scope[SCOPE_KEY]
    query = dict(request.query_params)
    app = _app(call, query)
    if mistake := _mistake(query):
        return _back(query, error=mistake)
    if "login_hint" not in query:
        return HTMLResponse(_PAGE.format(app=escape(app["name"]), people="\n".join(_people(call, query))))
    people = call.world.users.where("username", query["login_hint"])
    if not people or people[0]["deleted"]:
        return _back(query, error="access_denied")
    with call.world.transaction() as transaction:
        code = _code(call, query, people[0])
    call.changes = transaction.changes()
    return _back(query, code=code)


def _app(call: Call, query: dict[str, str]) -> Row:
    app = call.world.apps.get(query.get("client_id"))
    if app is None:
        raise invalid("client_id", "invalid_client", "No app has this client_id.")
    uri = query.get("redirect_uri", "")
    if uri not in app["redirect_uris"] and not _LOCAL_URI.fullmatch(uri):
        raise invalid("redirect_uri", "invalid", "It is neither registered for this app nor on this machine.")
    return app


def _mistake(query: dict[str, str]) -> str | None:
    """The RFC 6749 error code of a request that may be answered at its redirect_uri; None if nothing is wrong."""
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if "code_challenge" in query and query.get("code_challenge_method", "plain") not in METHODS:
        return "invalid_request"
    return None


def _people(call: Call, query: dict[str, str]) -> Iterator[str]:
    """A link for each persona of the world."""
    for number in call.world.personas:
        user = call.world.users[number]
        if user["deleted"]:
            continue
        address = f"?{urlencode({**query, 'login_hint': user['username']})}"
        yield f'<li><a href="{escape(address)}">{escape(user["real_name"])}</a> ({escape(user["username"])})</li>'


def _code(call: Call, query: dict[str, str], user: Row) -> str:
    """A new code, stored with its grant until it is exchanged."""
    world = call.world
    number = world.grants.next_id()
    code = world.token(f"code {number}")
    world.grants.put(
        {
            "id": number,
            "client_id": query["client_id"],
            "user_id": user["id"],
            "code": code,
            "redirect_uri": query["redirect_uri"],
            "challenge": query.get("code_challenge"),
            "challenge_method": query.get("code_challenge_method", "plain"),
            "expires_at": world.clock.now() + CODE_LIFETIME,
            "access_token": None,
            "refresh_token": None,
        }
    )
    return code


def _back(query: dict[str, str], **answer: str) -> Response:
    """Send the browser back to the app."""
    uri = query["redirect_uri"]
    if "state" in query:
        answer["state"] = query["state"]
    return RedirectResponse(f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}", 302)
