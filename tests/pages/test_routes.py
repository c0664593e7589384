"""What is served besides the operations: contracts, pictures, and the way to the docs."""

from urllib.parse import urlsplit

import pytest

from stubserver.api import images
from stubserver.contract.contract import Contract
from tests.support.answers import codes, ok
from tests.support.client import Api
from tests.support.control import CONTROL


@pytest.mark.parametrize(("path", "target"), [("//", "/docs/"), ("//docs", "/docs/")])
def test_people_are_led_to_the_docs(api: Api, path: str, target: str) -> None:
    response = api.get(path)
    assert response.status_code in (301, 302, 307, 308)
    assert urlsplit(response.headers["location"]).path == target


def test_the_document_is_served_as_json(api: Api, contract: Contract) -> None:
    response = api.get("//openapi.json")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json()["paths"] == contract.document["paths"]
    assert '"$ref":"#/components/' in response.text


@pytest.mark.parametrize("path", ["courses/huge/a_0001.png", "courses/small/a_0001.jpg", "courses/small/", "x"])
def test_pictures_of_no_known_size_are_absent(api: Api, path: str) -> None:
    response = api.get(f"//upfiles/{path}")
    assert (response.status_code, codes(response)) == (404, {"": "not_found"})


def test_the_document_of_the_control_plane_is_served_below_its_base(api: Api) -> None:
    assert ok(api.get(f"{CONTROL.base}/openapi.json"))["paths"] == CONTROL.document["paths"]
    assert CONTROL.base == "/__stub"


def test_documents_are_served_as_such(api: Api) -> None:
    """Whatever their file names; browsers also ask for an icon, but there is none."""
    for name in ("document_0001", "anything"):
        answer = api.get(f"//upfiles/documents/{name}.pdf")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.content == images.PDF
    assert api.get("//favicon.ico").status_code == 204


@pytest.mark.parametrize("path", ["//openapi.json/", "//upfiles/", "//oauth/authorise/", "//docs.html"])
def test_nothing_else_is_served(api: Api, path: str) -> None:
    """Not even through a redirect that adds or removes a slash."""
    answer = api.get(path)
    assert (answer.status_code, codes(answer)) == (404, {"": "not_found"})
