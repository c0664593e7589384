"""A server in a thread: built when the first client connects, and never if no client does."""

import contextlib
import os
import socket
import warnings
from pathlib import Path

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.serving.background import Background, quietly
from stubserver.worlds.snapshot import Fixture


def test_it_is_built_when_the_first_client_comes(contract: Contract, default_fixture: Fixture) -> None:
    """Once, in its own thread; the client waits for it."""
    built: list[str] = []

    def build() -> StubServer:
        built.append("")
        return StubServer(contract, default_fixture)

    background = Background(build)
    with background as url:
        assert (built, background.app) == ([], None)
        for _ in range(2):
            assert httpx.get(f"{url}/openapi.json").json()["paths"] == contract.document["paths"]
        assert len(built) == 1
        assert background.app is not None
        assert len(background.app.worlds) == 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/openapi.json")
    assert background.error is None


def test_it_ends_without_having_been_built() -> None:
    def build() -> StubServer:
        raise AssertionError("nobody came")

    background = Background(build)
    with background as url:
        pass
    assert background.error is None
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_it_waits_for_clients_beside_many_open_files(server: StubServer) -> None:
    """select itself knows no more than 1,024 of them."""
    with contextlib.ExitStack() as stack:
        try:
            for _ in range(1024):
                stack.enter_context(Path(os.devnull).open())
        except OSError:
            pytest.skip("this system lets a process open fewer files")
        background = Background(lambda: server)
        url = stack.enter_context(background)
        assert httpx.get(f"{url}/openapi.json").status_code == 200


def test_what_ends_it_is_kept() -> None:
    """Clients only see that there is no answer."""

    def build() -> StubServer:
        raise ValueError("no such fixture")

    background = Background(build)
    with background as url, pytest.raises(httpx.TransportError):
        httpx.get(url)
    assert isinstance(background.error, ValueError)


def test_building_warns_nobody(server: StubServer) -> None:
    """A user of a server cannot help what connexion imports; later warnings still appear."""

    def build() -> StubServer:
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return server

    assert quietly(build) is server
    with pytest.warns(DeprecationWarning, match="old"):
        build()


def test_it_listens_on_the_port_that_it_is_given(server: StubServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            Background(lambda: server, port).start()
    with Background(lambda: server, port) as url:
        assert url == f"http://127.0.0.1:{port}"
