"""What Connexion is given, and what it serves by itself."""

import asyncio
import copy
import re

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.merging import SpecError
from stubserver.worlds.snapshot import Fixture
from tests.support.client import Api
from tests.support.wire import ask


def test_the_docs_page_needs_no_other_host(api: Api, app: StubServer, runner: asyncio.Runner) -> None:
    page = api.get("//docs/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']""", page.text)
    assert any(link.endswith(".js") for link in links)
    assert any(link.endswith(".css") for link in links)
    texts = [page.text]
    for link in links:
        assert not re.match(r"(https?:)?//", link), link
        status, headers, body = ask(app, runner, "GET", "/docs/" + link.removeprefix("./"), {"Host": "stub.test"})
        assert status == 200, link
        kind = {"css": "text/css", "js": "javascript", "png": "image/png"}[link.rsplit(".", 1)[1]]
        assert kind in headers["content-type"]
        texts.append(body.decode("latin-1"))
    assert any('"/openapi.json"' in text for text in texts)


def test_a_document_that_is_no_openapi_is_one_line(contract: Contract, default_fixture: Fixture) -> None:
    document = {**contract.document, "surprise": "a key that OpenAPI does not know"}
    with pytest.raises(SpecError, match=r"the merged document is not OpenAPI 3\.0") as caught:
        StubServer(Contract(document), default_fixture)
    assert "\n" not in str(caught.value)


def test_connexion_changes_no_document(contract: Contract, default_fixture: Fixture) -> None:
    """It resolves references in place."""
    before = copy.deepcopy(contract.document)
    StubServer(contract, default_fixture)
    assert contract.document == before
