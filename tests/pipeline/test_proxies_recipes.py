"""The recipes for proxies in docs/frontend.md work: each server is started as they say, behind a stand-in for the proxy
that follows the settings they show."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from stubserver.app import create_app
from stubserver.cli import serve
from stubserver.serving.background import Background
from tests.sources import ROOT
from tests.support import engines
from tests.support.pages import blocks, read
from tests.support.proxy import Headers, proxied

PUBLIC = "https://dev.example/stub"


def started_with(option: str) -> dict[str, Any]:
    """The settings that the command of the page with this option gives."""
    text = " ".join(read(ROOT / "docs" / "frontend.md").split())
    (command,) = re.findall(rf"`stubserver serve ({option} [^`]+)`", text)
    params = serve.make_context("serve", command.split()).params
    return {name: params[name] for name in ("public_url", "forwarded_allow_ips")}


def by_dev_server(settings: str, target: str, headers: Headers) -> Headers:
    """What http-proxy sends, which dev servers use."""
    sent = dict(headers)
    if "xfwd: true" in settings:
        name, _, port = headers["Host"].partition(":")
        sent |= {"X-Forwarded-Host": f"{name}:{port}", "X-Forwarded-Port": port, "X-Forwarded-Proto": "http"}
    if "changeOrigin: true" in settings:
        sent["Host"] = target.partition("://")[2]
    added: dict[str, str] = dict(re.findall(r'"(X-[\w-]+)": "([^"]+)"', settings))
    return sent | added


@pytest.fixture
def dev_server() -> Iterator[str]:
    """The URL of a server behind Vite."""
    (settings,) = blocks("js")
    app = create_app(**started_with("--forwarded-allow-ips"))
    assert 'slice("/stub".length)' in settings
    with (
        Background(lambda: app) as target,
        proxied(target, "/stub", lambda headers: by_dev_server(settings, target, headers)) as url,
    ):
        yield f"{url}/stub"


@pytest.mark.slow
@pytest.mark.untraced
def test_nginx_itself() -> None:
    (settings,) = blocks("nginx")
    app = create_app(**started_with("--public-url"))
    with (
        Background(lambda: app) as target,
        engines.nginx(settings.replace("http://127.0.0.1:8765", target)) as url,
    ):
        assert_works(f"{url}/stub", PUBLIC)


@pytest.fixture
def nginx() -> Iterator[str]:
    """The URL of a server behind nginx, which sends the host of proxy_pass, and its path in place of the location."""
    (settings,) = blocks("nginx")
    found = re.fullmatch(r"location (/\w+)/ \{\s+proxy_pass http://127\.0\.0\.1:8765/;\s+\}\s*", settings)
    assert found, "the stand-in knows no other settings"
    app = create_app(**started_with("--public-url"))
    with (
        Background(lambda: app) as target,
        proxied(target, found[1], lambda headers: {**headers, "Host": target.partition("://")[2]}) as url,
    ):
        yield f"{url}{found[1]}"


def assert_works(url: str, shown: str) -> None:
    """Everything can be reached at `url`, and answers say that it is at `shown`."""
    page = httpx.get(f"{url}/~w/api/v2/course/search/?limit=1").json()
    assert page["next"].startswith(f"{shown}/~w/api/v2/")
    for address in (page["next"], page["results"][0]["image_small"]):
        assert httpx.get(address.replace(shown, url)).status_code == 200
    home = httpx.get(f"{url}/", headers={"Accept": "text/html"}).text
    (script,) = re.findall(r'src="/stub(/[^"]+)"', home)
    assert httpx.get(url + script).headers["content-type"].startswith("text/javascript")
    (document,) = re.findall(r'url: "/stub(/[^"]+)"', httpx.get(f"{url}/docs/").text)
    assert httpx.get(url + document).status_code == 200


def test_a_dev_server(dev_server: str) -> None:
    assert_works(dev_server, dev_server)


def test_a_dev_server_does_not_let_a_rebound_name_in(dev_server: str) -> None:
    """It tells the name, which the server checks."""
    answer = httpx.get(f"{dev_server}/api/v2/course/1/", headers={"Host": "evil.example:80"})
    assert answer.status_code == 403
    assert "--allowed-host evil.example" in answer.text


def test_nginx(nginx: str) -> None:
    assert_works(nginx, PUBLIC)
