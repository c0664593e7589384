"""The contracts as they are served: addresses in the world of the request, and the tokens of its personas."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import pytest
from markdown_it import MarkdownIt

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.pages.documents import TOKEN_SCHEME
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import PERSONAS
from tests.support.worlds import found, named

pytestmark = pytest.mark.in_process("it is about the names of worlds")


def tokens_named(document: dict[str, Any]) -> str:
    """What Swagger UI says in the dialog "Authorize"."""
    text: str = document["components"]["securitySchemes"][TOKEN_SCHEME]["description"]
    return text


def shown(text: str) -> str:
    """Markdown as a browser shows it: without tags, and with HTML as in Swagger UI."""
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def configured(api: Api, page: str) -> dict[str, Any]:
    """The document that a Swagger UI page loads, by the address in the page's script."""
    answer = api.get(f"/{page}" if page.startswith("/docs") else page)
    (address,) = re.findall(r'url: "([^"]+)"', answer.text)
    target = urljoin(page, address)
    document: dict[str, Any] = ok(api.get(f"/{target}" if target.startswith("/openapi") else target))
    return document


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("/docs/", "/"),
        ("/~w/docs/", "/~w"),
        ("/~w/docs/index.html", "/~w"),
        ("/~a.b-c_d/docs/", "/~a.b-c_d"),
        ("/__stub/docs/", "/__stub"),
        ("/~w/__stub/docs/", "/~w/__stub"),
    ],
)
def test_a_page_loads_the_document_that_leads_to_its_world(api: Api, page: str, address: str) -> None:
    assert configured(api, page)["servers"] == [{"url": address}]


def test_what_the_page_of_a_world_sends_lands_in_that_world(api: Api) -> None:
    """The API and the control plane: the address in the document, joined with a path of it."""
    (server,) = configured(api, "/~w/docs/")["servers"]
    body = {"name": "Made on the page", "type": "self-paced"}
    ok(api.as_("creator").post(f"{server['url']}/api/v2/course/", json=body), 201)
    assert "Made on the page" in found(api, "w") - found(api)
    (server,) = configured(api, "/~w/__stub/docs/")["servers"]
    ok(api.post(f"{server['url']}/clock/freeze", json={"at": "2031-05-01T09:00:00Z"}))
    frozen = ok(api.get("/__stub/clock", headers=named("w")))
    assert (frozen["now"][:10], ok(api.get("/__stub/clock"))["now"][:10] == "2031-05-01") == ("2031-05-01", False)


def test_no_parameter_leads_elsewhere(api: Api) -> None:
    """Swagger UI sends the default of a header, and a world named by a header must be that of the address."""
    text = json.dumps(configured(api, "/~w/__stub/docs/"))
    assert '"name": "X-Stub-World"' in text
    assert '"default": "default"' not in text


@pytest.mark.parametrize("path", ["/~w", "/~w/"])
def test_the_way_to_the_docs_stays_in_the_world(api: Api, path: str) -> None:
    assert api.get("/~w/docs").headers["location"] == "/~w/docs/"
    assert ok(api.get(path))["docs"].endswith("/~w/docs/")


def test_a_world_named_by_a_header_has_the_plain_addresses(api: Api) -> None:
    """Whoever sends the header sends it with the other requests, too."""
    assert ok(api.get("//openapi.json", headers=named("w")))["servers"] == [{"url": "/"}]


def test_apart_from_that_the_served_document_is_the_contract(api: Api, contract: Contract, app: StubServer) -> None:
    before = json.dumps([contract.document, app.control.document])
    served = ok(api.get("/~w/openapi.json"))
    assert tokens_named(served).startswith(tokens_named(contract.document))
    served["components"]["securitySchemes"] = contract.document["components"]["securitySchemes"]
    assert {**served, "servers": contract.document["servers"]} == contract.document
    assert list(served) == list(contract.document)
    control = ok(api.get("/~w/__stub/openapi.json"))
    assert {**control, "servers": app.control.document["servers"]} == app.control.document
    assert json.dumps([contract.document, app.control.document]) == before


# Personas


def test_the_document_names_every_persona_of_the_fixture(api: Api) -> None:
    text = tokens_named(ok(api.get("//openapi.json")))
    users = ok(api.get("/__stub/personas"))["results"]
    assert [user["token"] for user in users] == [f"stub-{name}" for name in PERSONAS]
    items = re.findall(r"<li><strong>(.*)</strong>: (.*) \((.*)\)</li>", shown(text))
    assert items == [(user["token"], user["username"], user["role"]) for user in users]
    assert "**stub-creator**: wren\\_hollis (creator)" in text


def test_the_personas_are_those_of_the_world(api: Api, default_fixture: Fixture) -> None:
    api.app.worlds.reset("w", replace(default_fixture, personas=default_fixture.personas[-1:]))
    for request in (api.get("/~w/openapi.json"), api.get("//openapi.json", headers=named("w"))):
        assert re.findall(r"stub-\w+", tokens_named(ok(request))) == ["stub-staff"]
    assert len(re.findall(r"stub-\w+", tokens_named(ok(api.get("//openapi.json"))))) == len(PERSONAS)


def with_personas(
    contract: Contract, fixture: Fixture, runner: asyncio.Runner, *personas: dict[str, Any], username: str = "ada"
) -> str:
    """What the document of a server with these personas says about tokens."""
    api = Api(StubServer(contract, replace(fixture, personas=personas)), runner)
    users = api.world.users
    users.put({**users[1], "username": username})
    return tokens_named(ok(api.get("//openapi.json")))


ODD = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "<http://evil.example>",
    "**bold** _em_ `code` ~~no~~",
    "a | b",
    "# heading",
    "- - item",
    "1. one",
    "> quote",
    "&lt;b&gt; &amp; &#60;",
    "\\*not em\\*",
    '" onmouseover="alert(1)',
    "a\n\n# b\n\n---\n\n<b>c</b>",
    "a\u2028b\tc",
    "ünïcode ✓",
]
"""What a fixture may hold, and Markdown or HTML would not show as it is."""


@pytest.mark.parametrize("text", ODD)
def test_what_comes_from_a_fixture_is_shown_as_it_is(
    contract: Contract, default_fixture: Fixture, runner: asyncio.Runner, text: str
) -> None:
    persona = {"token": "t-" + text, "user": 1, "role": text, "about": ""}
    said = with_personas(contract, default_fixture, runner, persona, username=text)
    (item,) = re.findall(r"<li>.*</li>", shown(said), re.DOTALL)
    plain = " ".join(text.split())
    escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert item == f"<li><strong>t-{escaped}</strong>: {escaped} ({escaped})</li>"


def test_a_document_names_a_bounded_number_of_personas(
    contract: Contract, default_fixture: Fixture, runner: asyncio.Runner
) -> None:
    personas = [{"token": f"t{number}", "user": 1, "role": "member", "about": ""} for number in range(1000)]
    items = re.findall(r"^- .*$", with_personas(contract, default_fixture, runner, *personas), re.MULTILINE)
    assert len(items) == 51
    assert items[-2:] == ["- **t49**: ada (member)", "- and 950 more"]


def test_a_fixture_without_personas_names_none(
    contract: Contract, default_fixture: Fixture, runner: asyncio.Runner
) -> None:
    assert with_personas(contract, default_fixture, runner) == tokens_named(contract.document)
