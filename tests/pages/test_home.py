"""What is at `/`: the inspector for browsers, an index for others. Its bundle is what its sources are built to."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.pages.home import FOLDER, MEDIA, POLICY
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from tests.sources import ROOT
from tests.support.answers import codes, ok
from tests.support.client import Api
from tests.support.default import CONTROL_TOKEN, HOST

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
CLIENT = ROOT / "clients" / "inspector"
SAFE = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
pytestmark = pytest.mark.no_world


@pytest.mark.parametrize(
    ("path", "world"), [("//", "default"), ("/~w/", "w"), ("/~w", "w"), ("//?fork=w", "default"), ("//index", None)]
)
def test_browsers_get_the_inspector_of_a_world(api: Api, path: str, world: str | None) -> None:
    answer = api.get(path, headers=BROWSER)
    if world is None:
        assert (answer.status_code, codes(answer)) == (404, {"": "not_found"})
        return
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f'data-prefix="" data-world="{world}"' in answer.text
    assert re.search("<title>Inspector .*</title>", answer.text)
    assert '<a href="/docs/">' in answer.text


@pytest.mark.parametrize("path", ["/~new/", "/~new", "/~new/inspector/inspector.js"])
@pytest.mark.parametrize("headers", [{}, BROWSER, {**BROWSER, "Sec-Fetch-Site": "same-origin"}])
def test_whoever_looks_makes_no_world(api: Api, app: StubServer, path: str, headers: dict[str, str]) -> None:
    assert api.get(path, headers=headers).status_code == 200
    assert "new" not in app.worlds


def test_head_gets_the_same_without_a_body(api: Api) -> None:
    page, head = api.get("//", headers=BROWSER), api.request("HEAD", "//", headers=BROWSER)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(page.content))


@pytest.mark.parametrize("accept", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}])
@pytest.mark.parametrize("base", ["", "/~w"])
def test_others_get_an_index_whose_addresses_are_served(api: Api, accept: dict[str, str], base: str) -> None:
    answer = api.get(f"{base or '/'}/", headers=accept)
    assert answer.headers["vary"].startswith("Accept")
    index = ok(answer)
    assert {name: url for name, url in index.items() if name not in ("name", "version")} == {
        "inspector": f"http://{HOST}{base}/",
        "api": f"http://{HOST}{base}/api/v2/",
        "docs": f"http://{HOST}{base}/docs/",
        "openapi": f"http://{HOST}{base}/openapi.json",
        "control": f"http://{HOST}{base}/__stub/",
    }
    for name in ("docs", "openapi"):
        assert api.get("/" * (not base) + index[name].removeprefix(f"http://{HOST}")).status_code == 200


def test_it_is_found_behind_a_proxy(contract: Contract, default_fixture: Fixture, runner: Any) -> None:
    settings = Settings(public_url="https://dev.example/stub", control_token=CONTROL_TOKEN, allowed_hosts=("*",))
    api = Api(StubServer(contract, default_fixture, settings), runner)
    page = api.get("/~w/", headers=BROWSER).text
    assert 'data-prefix="/stub" data-world="w"' in page
    assert 'src="/stub/inspector/inspector.js"' in page
    assert ok(api.get("//"))["inspector"] == "https://dev.example/stub/"


@pytest.mark.parametrize("path", ["//", *(f"//inspector/{name}" for name in MEDIA)])
def test_the_page_lets_in_nothing_foreign(api: Api, path: str) -> None:
    """Its policy allows its own script and no other, none within the page, no frame, no form and no other host."""
    answer = api.get(path, headers=BROWSER)
    assert {name: answer.headers[name] for name in SAFE} == SAFE
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert {name: rules[name] for name in ("default-src", "script-src", "style-src", "connect-src")} == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
    }
    assert {rules[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    if path == "//":
        assert re.findall(r"<script[^>]*>([^<]*)", answer.text) == [""]
        assert " style=" not in answer.text
        assert "<style" not in answer.text
        assert not re.search(r"\son\w+=", answer.text)


@pytest.mark.parametrize(("name", "media"), MEDIA.items())
def test_its_parts_are_served_and_name_no_other_host(api: Api, name: str, media: str) -> None:
    answer = api.get(f"//inspector/{name}")
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert answer.content == (FOLDER / name).read_bytes()
    found = set(re.findall(r"https?://[\w.]+", answer.text))
    assert found <= {"http://www.w3.org"}, "names of namespaces only"
    assert "eval(" not in answer.text
    assert "new Function" not in answer.text


@pytest.mark.parametrize("name", ["index.html", "..%2fhome.py", "inspector.js.map", ""])
def test_no_other_file_is_served(api: Api, name: str) -> None:
    assert api.get(f"//inspector/{name}").status_code == 404


@pytest.mark.parametrize("world", ["%3Cb%3E", "a%22b", "a'b"])
def test_a_hostile_name_of_a_world_is_never_in_the_page(api: Api, world: str) -> None:
    answer = api.get(f"/~{world}/", headers=BROWSER)
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/json"


def test_a_foreign_page_gets_no_frame_of_it_and_makes_no_world(api: Api, app: StubServer) -> None:
    framed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert api.get("/~new/", headers={**BROWSER, **framed}).status_code == 403
    assert "new" not in app.worlds


@pytest.mark.slow
@pytest.mark.untraced
def test_the_bundle_is_what_its_sources_are_built_to(tmp_path: Path) -> None:
    """`make inspector` builds it; the same sources give the same bytes."""
    node = shutil.which("node")
    if node is None or not (CLIENT / "node_modules" / "esbuild").exists():
        reason = (
            "the packages of clients/inspector are not installed; make clients/inspector/node_modules/stamp does that"
        )
        assert "ALL_CLIENTS" not in os.environ, reason  # CI sets it: there, nothing may be left out
        pytest.skip(reason)
    subprocess.run([node, CLIENT / "build.mjs", tmp_path], check=True, timeout=300)
    assert {file.name for file in tmp_path.iterdir()} == set(MEDIA)
    for name in MEDIA:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), "run make inspector"
