"""What is served besides the operations: contracts, pictures, and the way to the docs."""

from urllib.parse import urlsplit

import pytest

from stubserver.api import images
from stubserver.contract.contract import Contract
from tests.support.answers import codes, ok
from tests.support.client import Api
from tests.support.control import CONTROL


def test_people_are_led_to_the_docs(api: Api) -> None:
    response = api.get("//docs")
    assert response.status_code in (301, 302, 307, 308)
    assert urlsplit(response.headers["location"]).path == "/docs/"


def test_the_document_is_served_as_json(api: Api, contract: Contract) -> None:
    response = api.get("//openapi.json")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json()["paths"] == contract.document["paths"]
    assert '"$ref":"#/components/' in response.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("svg/T9.svg", "image/svg+xml"),
        ("avatars/1/resized/209/209/28b0.png", "image/png"),
        ("courses/small/a_0001.png", "image/png"),
        ("documents/a.pdf", "application/pdf"),
    ],
)
def test_browsers_take_files_for_nothing_else(api: Api, path: str, kind: str) -> None:
    answer = api.get(f"//upfiles/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    if kind == "image/svg+xml":
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "path", ["svg/T.svg", "svg/x.svg", "avatars/1/resized/209/64/a.png", "avatars/a/resized/1/1/a.png"]
)
def test_avatars_of_no_known_form_are_absent(api: Api, path: str) -> None:
    response = api.get(f"//upfiles/{path}")
    assert (response.status_code, codes(response)) == (404, {"": "not_found"})


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
